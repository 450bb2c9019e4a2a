using System.Collections.Concurrent;
using Gateway.Data;
using Gateway.Http;
using Gateway.Upstream;
using Microsoft.EntityFrameworkCore;

namespace Gateway.Bots;

/// <summary>
/// Which bots there are, in memory, and the bodies of those in use: a bounded cache in front of the database. A bot's
/// first use reads once, however many ask for it at the same time.
/// </summary>
internal sealed class BotCatalog(
    IDbContextFactory<GatewayDb> databases, BotReader reader, GatewaySettings settings, TimeProvider clock) : IConfigReader, IDisposable
{
    /// <summary>Bodies kept. A backstory is some kilobytes, so this is some tens of megabytes at the most.</summary>
    internal const int MaxBodies = 4_096;

    /// <summary>Reads at a time: a database that has become slow must not find all connections taken by bots that nobody waits for.</summary>
    private const int MaxReads = 8;

    private static readonly TimeSpan LongestRead = TimeSpan.FromMilliseconds(250);

    private readonly ConcurrentDictionary<(Guid Workspace, string Id), BotEntry> _entries = new();
    /// <summary>The version in which a workspace's datasets, skillsets or secrets, which bots are made of, last changed.</summary>
    private readonly ConcurrentDictionary<Guid, long> _parts = new();
    private readonly ConcurrentDictionary<(Guid Workspace, string Id), Task<Bot?>> _reading = new();
    private readonly SemaphoreSlim _places = new(MaxReads);
    private readonly BotBodies _bodies = new(MaxBodies);

    /// <summary>The bots of a caller's workspace, the built-in one included.</summary>
    public IEnumerable<BotEntry> List(Caller caller)
    {
        if (HasDemo(caller.Workspace))
        {
            yield return DemoBot.Entry;
        }

        foreach (var (key, entry) in _entries)
        {
            if (key.Workspace == caller.WorkspaceId && !(entry.Id == DemoBot.Id && HasDemo(caller.Workspace)))
            {
                yield return entry;
            }
        }
    }

    /// <summary>What is in memory of a bot; null when the caller's workspace has none with this id.</summary>
    public BotEntry? Find(Caller caller, string id) =>
        id == DemoBot.Id && HasDemo(caller.Workspace) ? DemoBot.Entry
        : caller.WorkspaceId is { } workspace ? _entries.GetValueOrDefault((workspace, id)) : null;

    /// <summary>A bot of the caller's workspace.</summary>
    /// <returns>The bot; neither when there is none; an error when the database did not answer in time.</returns>
    public async ValueTask<(Bot? Bot, ApiError? Error)> GetAsync(Caller caller, string id, CancellationToken cancel)
    {
        if (id == DemoBot.Id && HasDemo(caller.Workspace))
        {
            return (DemoBot.Bot, null);
        }

        if (caller.WorkspaceId is not { } workspace || !_entries.TryGetValue((workspace, id), out var entry))
        {
            return (null, null);
        }

        var version = Math.Max(entry.Version, _parts.GetValueOrDefault(workspace));
        if (_bodies.Get((workspace, id)) is { } cached && cached.Version >= version)
        {
            return (cached, null);
        }

        try
        {
            var started = clock.GetTimestamp();
            while (true)
            {
                var left = LongestRead - clock.GetElapsedTime(started);
                var read = _reading.GetOrAdd((workspace, id), ReadBodyAsync);
                var bot = await read.WaitAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero, clock, cancel);
                // One that began before the bot changed brings what it was, and is not what is asked for.
                if (bot is null || bot.Version >= version)
                {
                    return (bot, null);
                }
            }
        }
        catch (Exception down) when (!cancel.IsCancellationRequested && down is not OutOfMemoryException)
        {
            // What was in use a moment ago still is a bot of this workspace: better than none.
            return _bodies.Get((workspace, id)) is { } older ? (older, null) : (null, ApiError.ConfigurationUnavailable());
        }
    }

    public async Task ReadAsync(GatewayDb db, long since, CancellationToken cancel)
    {
        await ReadPartsAsync(db, since, cancel);
        if (since == 0)
        {
            _ = Task.Run(WarmAsync, CancellationToken.None);
        }

        var seen = since == 0 ? new HashSet<(Guid, string)>() : null;
        var changed = db.Bots.AsNoTracking().Where(b => b.Version > since)
            .Select(b => new { b.WorkspaceId, Entry = new BotEntry(b.Id, b.Name, b.Description, b.CreatedAt, b.Version) })
            .AsAsyncEnumerable();
        await foreach (var row in changed.WithCancellation(cancel))
        {
            _entries[(row.WorkspaceId, row.Entry.Id)] = row.Entry;
            seen?.Add((row.WorkspaceId, row.Entry.Id));
        }

        if (seen is not null)
        {
            foreach (var key in _entries.Keys.Where(k => !seen.Contains(k)))
            {
                _entries.TryRemove(key, out _);
            }

            return;
        }

        var gone = await db.Deletions.AsNoTracking().Where(d => d.Version > since && d.Kind == "bots").ToListAsync(cancel);
        foreach (var deletion in gone)
        {
            // One that was made again since then is newer than its own deletion.
            if (_entries.TryGetValue((deletion.WorkspaceId, deletion.ObjectId), out var entry) && entry.Version <= deletion.Version)
            {
                _entries.TryRemove((deletion.WorkspaceId, deletion.ObjectId), out _);
            }
        }
    }

    /// <summary>
    /// The first use of a bot has 250 ms, of which a process that has just started would spend most on preparing the queries.
    /// </summary>
    private async Task WarmAsync()
    {
        try
        {
            await using var db = await databases.CreateDbContextAsync();
            await reader.WarmAsync(db);
        }
        catch (Exception unready) when (unready is not OutOfMemoryException)
        {
            // A database that is away is the next reader's to complain of.
        }
    }

    private async Task ReadPartsAsync(GatewayDb db, long since, CancellationToken cancel)
    {
        var changed = await db.Datasets.Where(d => d.Version > since).Select(d => new { d.WorkspaceId, d.Version })
            .Concat(db.Skillsets.Where(s => s.Version > since).Select(s => new { s.WorkspaceId, s.Version }))
            .Concat(db.Secrets.Where(s => s.Version > since).Select(s => new { s.WorkspaceId, s.Version }))
            .Concat(db.Deletions.Where(d => d.Version > since && (d.Kind == "datasets" || d.Kind == "skillsets" || d.Kind == "secrets"))
                .Select(d => new { d.WorkspaceId, d.Version }))
            .GroupBy(r => r.WorkspaceId).Select(g => new { Workspace = g.Key, Version = g.Max(r => r.Version) })
            .ToListAsync(cancel);
        foreach (var workspace in changed)
        {
            _parts[workspace.Workspace] = workspace.Version;
        }
    }

    public void Dispose() => _places.Dispose();

    private bool HasDemo(string workspace) => settings.Demo && workspace == Catalog.DemoWorkspace;

    /// <summary>Reads for everyone who waits, so it is no single caller's to cancel.</summary>
    private async Task<Bot?> ReadBodyAsync((Guid Workspace, string Id) key)
    {
        // Off the caller's stack: the task must be in the dictionary before it can end.
        await Task.Yield();
        await _places.WaitAsync();
        try
        {
            await using var db = await databases.CreateDbContextAsync();
            if (await reader.ReadAsync(db, key.Workspace, key.Id) is not { } bot)
            {
                return null;
            }

            _bodies.Put(key, bot);
            return bot;
        }
        finally
        {
            _places.Release();
            _reading.TryRemove(key, out _);
        }
    }
}

/// <summary>The bodies used last, at most so many. Safe for concurrent use.</summary>
internal sealed class BotBodies(int most)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(Guid, string), LinkedListNode<((Guid, string) Key, Bot Bot)>> _nodes = [];
    private readonly LinkedList<((Guid, string) Key, Bot Bot)> _byUse = new();

    public Bot? Get((Guid Workspace, string Id) key)
    {
        lock (_lock)
        {
            if (!_nodes.TryGetValue(key, out var node))
            {
                return null;
            }

            _byUse.Remove(node);
            _byUse.AddFirst(node);
            return node.Value.Bot;
        }
    }

    /// <summary>Keeps a bot, unless a newer one is kept already: reads may overtake each other.</summary>
    public void Put((Guid Workspace, string Id) key, Bot bot)
    {
        lock (_lock)
        {
            if (_nodes.Remove(key, out var old))
            {
                _byUse.Remove(old);
                bot = old.Value.Bot.Version > bot.Version ? old.Value.Bot : bot;
            }

            _nodes[key] = _byUse.AddFirst((key, bot));
            if (_nodes.Count > most)
            {
                _nodes.Remove(_byUse.Last!.Value.Key);
                _byUse.RemoveLast();
            }
        }
    }
}
