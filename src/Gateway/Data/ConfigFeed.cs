using System.Data;
using Gateway.Observability;
using Microsoft.EntityFrameworkCore;

namespace Gateway.Data;

/// <summary>A part of the gateway that keeps configuration in memory.</summary>
internal interface IConfigReader
{
    /// <summary>
    /// Whether it is read when all others have been: what lets requests in is not published before what they ask for.
    /// </summary>
    bool IsReadLast => false;

    /// <summary>
    /// Reads what changed since a version, 0 for everything. Called by one thread at a time, in a transaction in which all
    /// readers see the database at the same moment; may see rows that are newer than the version being caught up with,
    /// which come again at the next call. When it throws, nothing may have been published, or what was published must be
    /// complete in itself.
    /// </summary>
    Task ReadAsync(GatewayDb db, long since, CancellationToken cancel);
}

/// <summary>
/// Keeps every <see cref="IConfigReader"/> up to date: a loop that reads when notified, when asked, and every few
/// seconds where nothing else brought the version along. Reads are single-file and coalesced, at most ten a second.
/// </summary>
internal sealed class ConfigFeed(
    IDbContextFactory<GatewayDb> databases,
    IEnumerable<IConfigReader> readers,
    JobSignal jobs,
    DatabaseNews news,
    GatewaySettings settings,
    TimeProvider clock,
    ILogger<ConfigFeed> log) : BackgroundService
{
    private static readonly TimeSpan ShortestGap = TimeSpan.FromMilliseconds(100);

    /// <summary>Whether there is anything new is one short question; without an answer the database counts as away.</summary>
    private static readonly TimeSpan LongestLook = TimeSpan.FromSeconds(15);

    /// <summary>For each reader of its own: a database that takes 5 s for every query is slow, not away.</summary>
    private static readonly TimeSpan LongestRead = TimeSpan.FromSeconds(30);

    private readonly IConfigReader[] _readers = [.. readers.OrderBy(r => r.IsReadLast)];
    private readonly SemaphoreSlim _signal = new(0);
    private readonly Lock _lock = new();
    private TaskCompletionSource _next = NewRead();
    private long _version;
    private long _lastGoodRead;
    private bool _isFailing;

    /// <summary>How long ago the last read succeeded.</summary>
    public TimeSpan Age => clock.GetElapsedTime(Volatile.Read(ref _lastGoodRead));

    /// <summary>
    /// Whether the database cannot be read at the moment: the last look failed, or looks that are due did not come.
    /// Requests go on with what is in memory.
    /// </summary>
    public bool IsDegraded =>
        Volatile.Read(ref _isFailing) || (settings.PollInterval > TimeSpan.Zero && Age > (3 * settings.PollInterval) + LongestRead);

    /// <summary>The configuration version that was read last.</summary>
    public long Version => Volatile.Read(ref _version);

    /// <summary>
    /// Waits for one read that starts after this call; calls at the same time share it. Throws what the read threw.
    /// </summary>
    public Task CatchUpAsync(CancellationToken cancel)
    {
        Task read;
        lock (_lock)
        {
            read = _next.Task;
        }

        _signal.Release();
        return read.WaitAsync(cancel);
    }

    /// <summary>The first read is done before the server listens; failing it fails the start.</summary>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await ReadAsync(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await RunAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Told to stop. Where a start failed, the host would take this for a failure of ours and say so.
        }
    }

    private async Task RunAsync(CancellationToken stopping)
    {
        var listening = new NotificationListener(settings, clock, log).RunAsync(Notice, stopping);
        var poll = settings.PollInterval == TimeSpan.Zero ? Timeout.InfiniteTimeSpan : settings.PollInterval;
        var wait = poll;
        while (!stopping.IsCancellationRequested)
        {
            if (!await _signal.WaitAsync(wait, stopping) && IsToldNothingNew(poll, out wait))
            {
                continue;
            }

            wait = poll;
            while (_signal.Wait(0, CancellationToken.None))
            {
                // One read answers all who asked before it started.
            }

            TaskCompletionSource asked;
            lock (_lock)
            {
                asked = _next;
                _next = NewRead();
            }

            try
            {
                await ReadAsync(stopping);
                asked.SetResult();
            }
            catch (Exception broken) when (!stopping.IsCancellationRequested)
            {
                Volatile.Write(ref _isFailing, true);
                log.ConfigReadFailed(broken.GetType().Name, Age.TotalSeconds);
                asked.SetException(broken);
                _ = asked.Task.Exception;
            }

            await Task.Delay(ShortestGap, clock, stopping);
        }

        await listening;
    }

    /// <summary>
    /// Whether the database just said along with something else that nothing has changed, which is as good as a look. While looks
    /// fail it is not: the connections that are read over may be other ones.
    /// </summary>
    /// <param name="wait">Until the next look is due.</param>
    private bool IsToldNothingNew(TimeSpan poll, out TimeSpan wait)
    {
        wait = news.UntilVersion(_version, poll, out var toldAt);
        if (wait <= TimeSpan.Zero || _isFailing)
        {
            return false;
        }

        Volatile.Write(ref _lastGoodRead, toldAt);
        return true;
    }

    private async Task ReadAsync(CancellationToken stopping)
    {
        await using var db = await databases.CreateDbContextAsync(stopping);

        // The version comes first: a row that commits after it is read again next time, never missed.
        var version = await LimitedAsync(cancel => db.ConfigVersions.Select(v => v.Version).SingleAsync(cancel), LongestLook, stopping);
        if (version != _version || Volatile.Read(ref _lastGoodRead) == 0)
        {
            // A database that was put back to an older state is read anew.
            var since = version < _version ? 0 : _version;
            await ReadAsync(db, since, stopping);

            // Asked last: what was trimmed while it was read is known now. See DeletionTrim.
            if (since > 0 && since < await LimitedAsync(cancel => DeletionTrim.TrimmedAsync(db, cancel), LongestLook, stopping))
            {
                await ReadAsync(db, since: 0, stopping);
            }

            Volatile.Write(ref _version, version);
        }

        Volatile.Write(ref _lastGoodRead, clock.GetTimestamp());
        Volatile.Write(ref _isFailing, false);
    }

    private async Task ReadAsync(GatewayDb db, long since, CancellationToken stopping)
    {
        // One moment for all: else who is read last could know a key whose bot, saved with it, came after the bots were read.
        await using var moment = await LimitedAsync(
            cancel => db.Database.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancel), LongestLook, stopping);
        foreach (var reader in _readers)
        {
            await LimitedAsync(
                async cancel =>
                {
                    await reader.ReadAsync(db, since, cancel);
                    return true;
                },
                LongestRead, stopping);
        }

        await moment.CommitAsync(stopping);
    }

    private async Task<T> LimitedAsync<T>(Func<CancellationToken, Task<T>> read, TimeSpan longest, CancellationToken stopping)
    {
        using var limit = new CancellationTokenSource(longest, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stopping, limit.Token);
        return await read(either.Token);
    }

    private void Notice(string channel)
    {
        if (channel == GatewayDb.JobsChannel)
        {
            jobs.Set();
        }
        else
        {
            _signal.Release();
        }
    }

    private static TaskCompletionSource NewRead() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
