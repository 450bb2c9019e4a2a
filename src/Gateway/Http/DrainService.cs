using System.Runtime.InteropServices;
using Gateway.Data;
using Gateway.Observability;

namespace Gateway.Http;

/// <summary>
/// Stops the gateway without losing a request: before anything of the host stops, so that it listens all the while and
/// those who still come are told to go elsewhere, instead of being refused a connection.
/// </summary>
internal sealed class DrainService(Drain drain, GatewaySettings settings, TimeProvider clock, ILogger<DrainService> log)
    : IHostedLifecycleService, IDisposable
{
    /// <summary>Longest that requests which the drain ended may take to say so.</summary>
    private static readonly TimeSpan LongestEnd = TimeSpan.FromSeconds(5);

    /// <summary>What the host needs after the drain: to close connections, ship the journal, close the database.</summary>
    private static readonly TimeSpan Aftermath = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan Glance = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan ReportInterval = TimeSpan.FromSeconds(5);

    // Cancelled by Ctrl-C, and by a second signal of either kind.
    private readonly CancellationTokenSource _hurry = new();
    private readonly CancellationTokenSource _end = new();
    private PosixSignalRegistration[] _signals = [];
    private int _received;

    /// <summary>How long the host may take to stop, all in all.</summary>
    public static TimeSpan LongestStop(GatewaySettings settings) =>
        settings.ShutdownDelay + settings.DrainTimeout + LongestEnd + Aftermath;

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Beside the host, which stops at the same signals: only here it matters which one it was, and how many.</summary>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        _signals =
        [
            PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal),
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal),
        ];
        return Task.CompletedTask;
    }

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Runs when the host begins to stop, before any service of it does.</summary>
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        using var hurry = CancellationTokenSource.CreateLinkedTokenSource(_hurry.Token, cancellationToken);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(_end.Token, cancellationToken);

        drain.Leave();
        if (settings.ShutdownDelay > TimeSpan.Zero && !hurry.IsCancellationRequested)
        {
            log.Leaving(settings.ShutdownDelay.TotalSeconds);
            await Task.Delay(settings.ShutdownDelay, clock, hurry.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        drain.Close();
        if (await WaitAsync(settings.DrainTimeout, end.Token))
        {
            return;
        }

        log.DrainCut(drain.Running);
        drain.Cut();
        if (!await WaitAsync(LongestEnd, cancellationToken))
        {
            drain.Abort();
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose()
    {
        foreach (var signal in _signals)
        {
            signal.Dispose();
        }

        _hurry.Dispose();
        _end.Dispose();
    }

    private void OnSignal(PosixSignalContext context)
    {
        context.Cancel = true;
        if (Interlocked.Increment(ref _received) > 1)
        {
            _hurry.Cancel();
            _end.Cancel();
        }
        else if (context.Signal == PosixSignal.SIGINT)
        {
            _hurry.Cancel();
        }
    }

    /// <summary>Waits until nothing runs, saying now and then how much does. False when the time is over first.</summary>
    private async Task<bool> WaitAsync(TimeSpan limit, CancellationToken end)
    {
        var started = clock.GetTimestamp();
        var reported = TimeSpan.MinValue;
        while (drain.Running is > 0 and var running)
        {
            var elapsed = clock.GetElapsedTime(started);
            if (elapsed >= limit || end.IsCancellationRequested)
            {
                return false;
            }

            if (reported == TimeSpan.MinValue || elapsed - reported >= ReportInterval)
            {
                log.Draining(running, (limit - elapsed).TotalSeconds);
                reported = elapsed;
            }

            await Task.Delay(Glance, clock, end).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return true;
    }
}
