using Npgsql;

namespace Gateway.Data;

/// <summary>
/// Deletes rows that are out of date, now and then, in small statements. Every gateway does; they keep out of each other's way.
/// </summary>
/// <param name="interval">Between two runs; the first comes after it too.</param>
internal abstract class TableCleanup(NpgsqlDataSource database, TimeProvider clock, TimeSpan interval) : BackgroundService
{
    /// <summary>Of one statement. One that deletes fewer was the last.</summary>
    protected const int BatchRows = 500;

    private const int LimitSeconds = 10;

    /// <summary>Deletes all there is to delete.</summary>
    internal async Task RunAsync(CancellationToken cancel)
    {
        await using var connection = await database.OpenConnectionAsync(cancel);
        await CleanAsync(connection, cancel);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(interval, clock);
        try
        {
            for (var passed = 1; await timer.WaitForNextTickAsync(stoppingToken); passed++)
            {
                if (passed < Sharers)
                {
                    continue;
                }

                passed = 0;
                try
                {
                    await RunAsync(stoppingToken);
                }
                catch (Exception broken) when (!stoppingToken.IsCancellationRequested)
                {
                    TellFailed(broken.GetType().Name);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Told to stop.
        }
    }

    /// <summary>How many gateways share the work: each does it as much more seldom than the interval says.</summary>
    protected virtual int Sharers => 1;

    protected abstract Task CleanAsync(NpgsqlConnection connection, CancellationToken cancel);

    /// <summary>Logs that a run failed. The next comes as usual.</summary>
    /// <param name="error">The exception's type.</param>
    protected abstract void TellFailed(string error);

    /// <summary>Deletes all rows of a table that meet a condition.</summary>
    protected static async Task DeleteAsync(NpgsqlConnection connection, string table, string isOld, CancellationToken cancel)
    {
        await using var delete = Batch(connection, table, isOld, "1");
        while (await delete.ExecuteNonQueryAsync(cancel) == BatchRows)
        {
            // There may be more.
        }
    }

    /// <summary>Deletes <see cref="BatchRows"/> of them at the most.</summary>
    /// <param name="returning">What the statement gives of each.</param>
    protected static NpgsqlCommand Batch(NpgsqlConnection connection, string table, string isOld, string returning) => new(
        $"""
        DELETE FROM {table} WHERE ctid = ANY(ARRAY(SELECT ctid FROM {table} WHERE {isOld} LIMIT {BatchRows} FOR UPDATE SKIP LOCKED))
        RETURNING {returning}
        """,
        connection)
    { CommandTimeout = LimitSeconds };
}
