using Gateway.Observability;
using Npgsql;

namespace Gateway.Limits;

/// <summary>Deletes what passed minutes, days and months left behind. Every gateway does; they keep out of each other's way.</summary>
internal sealed class LimitCleanup(NpgsqlDataSource database, TimeProvider clock, ILogger<LimitCleanup> log) : BackgroundService
{
    private const int BatchRows = 500;
    private const int LimitSeconds = 10;
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    // Well after the end, since the clocks of gateways and database may differ.
    private static readonly string[] Statements =
    [
        Delete("limit_leases", "ends_at < now() - interval '10 minutes'"),
        Delete("limit_windows", "ends_at < now() - interval '10 minutes'"),
        Delete("instances", "seen_at < now() - interval '1 day'"),
    ];

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
                    log.LimitCleanupFailed(broken.GetType().Name);
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
        foreach (var statement in Statements)
        {
            await using var delete = new NpgsqlCommand(statement, connection) { CommandTimeout = LimitSeconds };
            while (await delete.ExecuteNonQueryAsync(cancel) == BatchRows)
            {
                // There may be more.
            }
        }
    }

    private static string Delete(string table, string isPassed) =>
        $"DELETE FROM {table} WHERE ctid = ANY(ARRAY(SELECT ctid FROM {table} WHERE {isPassed} LIMIT {BatchRows} FOR UPDATE SKIP LOCKED))";
}
