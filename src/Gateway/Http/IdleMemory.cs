using Gateway.Observability;

namespace Gateway.Http;

/// <summary>
/// Gives memory back to the system when nobody asks for anything. The runtime collects because of what is allocated, so after a
/// burst a process would keep all that the burst took until the next one.
/// </summary>
internal sealed class IdleMemory(Drain drain, TimeProvider clock, ILogger<IdleMemory> log) : BackgroundService
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    /// <summary>So often in a row nothing is seen to run before memory is given back: whoever comes then waits for it.</summary>
    private const int IdleLooks = 4;

    /// <summary>Less than this, in bytes, is not worth the tens of milliseconds that it takes.</summary>
    private const long LeastAllocated = 16 * 1024 * 1024;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var (idleLooks, ended, allocated) = (0, 0L, 0L);
        using var timer = new PeriodicTimer(Look, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            // One that came and went between two looks counts as well.
            var isIdle = drain.Running == 0 && ended == drain.Ended;
            ended = drain.Ended;
            idleLooks = isIdle ? idleLooks + 1 : 0;
            if (idleLooks < IdleLooks || GC.GetTotalAllocatedBytes() - allocated < LeastAllocated)
            {
                continue;
            }

            GiveBack();
            (idleLooks, allocated) = (0, GC.GetTotalAllocatedBytes());
        }
    }

    private void GiveBack()
    {
        var before = GC.GetGCMemoryInfo().TotalCommittedBytes;
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        log.MemoryGivenBack((before - GC.GetGCMemoryInfo().TotalCommittedBytes) / (1024 * 1024));
    }
}
