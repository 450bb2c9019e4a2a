using Gateway.Data;
using Gateway.Observability;
using Npgsql;

namespace Gateway.Usage;

/// <summary>
/// Moves the journal to the database, in order and in batches, over at most one connection. A crash in between only repeats
/// what the table then has already. While the database is away the journal grows, and nothing else happens.
/// </summary>
internal sealed class UsageShipper(
    JournalFiles files, UsageJournal journal, UsageTable table, OrphanJournals orphans, DatabaseNews news, TimeProvider clock,
    ILogger<UsageShipper> log) : BackgroundService
{
    private const int MostRows = 2_000;
    private static readonly TimeSpan AdoptInterval = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LogInterval = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestStop = TimeSpan.FromSeconds(10);

    private readonly JournalReader _reader = new(files, journal);
    private readonly BatchWait _wait = new(news, clock);
    private long _shipped;
    private long _failures;
    private long _lastLogged;
    private bool _isFailing;

    /// <summary>Rows handed to the database, other gateways' included.</summary>
    public long ShippedRows => Interlocked.Read(ref _shipped);

    /// <summary>Tries that the database did not take.</summary>
    public long ShipFailures => Interlocked.Read(ref _failures);

    /// <summary>
    /// Ships what is left, once the host has seen the last request end. The host's own limit does not count here: it may
    /// be spent by requests, and what they used is still to be told.
    /// </summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(CancellationToken.None);
        using var limit = new CancellationTokenSource(LongestStop, clock);
        try
        {
            while (_reader.Collect(MostRows).Count > 0 || journal.Open > 0)
            {
                await ShipOwnAsync(limit.Token);
                await Task.Delay(journal.Open > 0 ? 10 : 0, limit.Token);
            }

            if (_reader.IsDone)
            {
                files.DeleteAll();
            }
        }
        catch (Exception) when (limit.IsCancellationRequested)
        {
            var inMemory = _reader.FromMemory + journal.InMemory;
            log.JournalLeft(journal.PendingRows - inMemory, inMemory);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            var adopted = long.MinValue;
            while (!stoppingToken.IsCancellationRequested)
            {
                if (adopted == long.MinValue || clock.GetElapsedTime(adopted) > AdoptInterval)
                {
                    await orphans.AdoptAsync(ShipAsync, stoppingToken);
                    adopted = clock.GetTimestamp();
                }

                if (!await ShipOwnAsync(stoppingToken))
                {
                    await GatherAsync(stoppingToken);
                }
            }
        }
        catch (Exception) when (stoppingToken.IsCancellationRequested)
        {
            // What is read and not shipped stays with the reader; StopAsync goes on with it.
        }
    }

    /// <summary>Waits until what ends meanwhile is worth a statement.</summary>
    private async Task GatherAsync(CancellationToken cancel)
    {
        _wait.Begin(journal.PendingRows);
        do
        {
            await Task.Delay(BatchWait.Look, clock, cancel);
        }
        while (!_wait.IsOver(journal.PendingRows));
    }

    /// <returns>Whether there is probably more.</returns>
    private async Task<bool> ShipOwnAsync(CancellationToken cancel)
    {
        var rows = _reader.Collect(MostRows);
        if (rows.Count == 0)
        {
            return false;
        }

        await ShipAsync(rows.Count, () => table.AddAsync(rows, cancel), cancel);
        var isFull = rows.Count >= MostRows;
        _reader.Shipped();
        return isFull;
    }

    private Task ShipAsync(IReadOnlyList<UsageRow> rows, CancellationToken cancel) =>
        ShipAsync(rows.Count, () => table.AddAsync(rows, cancel), cancel);

    /// <summary>Goes on until the database has the rows.</summary>
    private async Task ShipAsync(int rows, Func<Task<int>> add, CancellationToken cancel)
    {
        for (var wait = FirstRetry; ; wait = wait * 2 < LongestRetry ? wait * 2 : LongestRetry)
        {
            try
            {
                var lost = await add();
                journal.Lose(lost);
                Interlocked.Add(ref _shipped, rows - lost);
                GatewayMetrics.RowsShipped(rows - lost);
                if (_isFailing)
                {
                    _isFailing = false;
                    log.UsageShippedAgain();
                }

                return;
            }
            catch (Exception down) when (!cancel.IsCancellationRequested)
            {
                Interlocked.Increment(ref _failures);
                GatewayMetrics.ShipFailed();
                if (!_isFailing || clock.GetElapsedTime(_lastLogged) > LogInterval)
                {
                    _lastLogged = clock.GetTimestamp();
                    log.UsageNotShipped((down as PostgresException)?.SqlState ?? down.GetType().Name, journal.PendingRows);
                }

                _isFailing = true;
            }

            await Task.Delay(wait, clock, cancel);
        }
    }
}
