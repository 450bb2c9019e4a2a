using Gateway.Data;
using Gateway.Observability;
using Npgsql;

namespace Gateway.Usage;

/// <summary>Deletes what is older than the operator keeps, every hour, a little at a time.</summary>
internal sealed class UsageRetention(UsageTable table, GatewaySettings settings, TimeProvider clock, ILogger<UsageRetention> log)
    : BackgroundService
{
    private const int MostRows = 2_000;
    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Interval = TimeSpan.FromHours(1);

    // Between two deletions, so that the database has time for others.
    private static readonly TimeSpan Breath = TimeSpan.FromMilliseconds(50);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (settings.UsageRetention == TimeSpan.Zero)
        {
            return;
        }

        try
        {
            for (var wait = FirstWait; ; wait = Interval)
            {
                await Task.Delay(wait, clock, stoppingToken);
                await DeleteAsync(stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The next gateway goes on.
        }
    }

    private async Task DeleteAsync(CancellationToken cancel)
    {
        var before = (clock.GetUtcNow() - settings.UsageRetention).UtcDateTime;
        var rows = 0L;
        try
        {
            foreach (var workspace in await table.WorkspacesAsync(cancel))
            {
                while (await table.DeleteAsync(workspace, before, MostRows, cancel) is > 0 and var deleted)
                {
                    rows += deleted;
                    await Task.Delay(Breath, clock, cancel);
                }
            }
        }
        catch (Exception down) when (!cancel.IsCancellationRequested)
        {
            log.UsageNotDeleted((down as PostgresException)?.SqlState ?? down.GetType().Name);
        }

        if (rows > 0)
        {
            log.UsageDeleted(rows, before);
        }
    }
}
