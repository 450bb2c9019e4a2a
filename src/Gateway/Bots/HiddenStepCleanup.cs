using Gateway.Observability;
using Npgsql;

namespace Gateway.Bots;

/// <summary>Deletes hidden steps that nobody came back for. Every gateway does; they keep out of each other's way.</summary>
internal sealed class HiddenStepCleanup(NpgsqlDataSource database, TimeProvider clock, ILogger<HiddenStepCleanup> log) : BackgroundService
{
    private const int BatchRows = 500;
    private const int LimitSeconds = 10;
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(10);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                try
                {
                    await RunAsync(stoppingToken);
                }
                catch (Exception broken) when (!stoppingToken.IsCancellationRequested)
                {
                    log.HiddenStepCleanupFailed(broken.GetType().Name);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Told to stop.
        }
    }

    /// <summary>Deletes all there is to delete, in small statements.</summary>
    internal async Task RunAsync(CancellationToken cancel)
    {
        await using var connection = await database.OpenConnectionAsync(cancel);
        await using var delete = new NpgsqlCommand(
            $"""
            DELETE FROM hidden_steps WHERE ctid = ANY(ARRAY(
                SELECT ctid FROM hidden_steps WHERE expires_at < now() LIMIT {BatchRows} FOR UPDATE SKIP LOCKED))
            """,
            connection)
        { CommandTimeout = LimitSeconds };
        while (await delete.ExecuteNonQueryAsync(cancel) == BatchRows)
        {
            // There may be more.
        }
    }
}
