using Gateway.Data;
using Gateway.Data.Embedded;
using Gateway.Observability;

namespace Gateway.Usage;

/// <summary>
/// Journals of gateways that ended before all was shipped, in the same data directory. Whoever takes a journal's lock
/// ships it; the system gives the lock back when a process dies.
/// </summary>
internal sealed class OrphanJournals(JournalFiles own, ILogger<OrphanJournals> log)
{
    private const int MostRows = 500;

    /// <summary>Ships and deletes what no living process holds.</summary>
    /// <param name="ship">Waits until the database has the rows.</param>
    public async Task AdoptAsync(Func<IReadOnlyList<UsageRow>, CancellationToken, Task> ship, CancellationToken cancel)
    {
        foreach (var name in Names())
        {
            cancel.ThrowIfCancellationRequested();
            try
            {
                using var taken = DirectoryLock.TryTake(Path.Combine(own.Root, name + JournalFiles.LockSuffix), isShared: false);
                if (taken is not null)
                {
                    await AdoptAsync(name, ship, cancel);
                    JournalFiles.DeleteJournal(own.Root, name);
                }
            }
            catch (Exception unreadable) when (!cancel.IsCancellationRequested)
            {
                log.JournalUnreadable(name, unreadable.Message);
            }
        }
    }

    private async Task AdoptAsync(string name, Func<IReadOnlyList<UsageRow>, CancellationToken, Task> ship, CancellationToken cancel)
    {
        var (starts, batch, rows, lost) = (new Dictionary<Guid, UsageRow>(), new List<UsageRow>(MostRows), 0L, 0L);
        if (!Directory.Exists(Path.Combine(own.Root, name)))
        {
            return;
        }

        foreach (var path in JournalFiles.SegmentsOf(own.Root, name))
        {
            using var segment = JournalSegment.OpenDead(path);
            foreach (var (kind, row) in segment is null ? [] : Records(segment))
            {
                if (kind == RecordKind.Start)
                {
                    starts[row.Id] = row;
                    continue;
                }

                starts.Remove(row.Id);
                await AddAsync(row);
            }
        }

        // What began and never ended. Its row says so, and the prompt's estimate is all that is known of its tokens.
        lost = starts.Count;
        foreach (var row in starts.Values)
        {
            await AddAsync(row);
        }

        await ShipAsync();
        if (rows > 0)
        {
            log.JournalAdopted(name, rows, lost);
        }

        async Task AddAsync(UsageRow row)
        {
            batch.Add(row);
            if (batch.Count == MostRows)
            {
                await ShipAsync();
            }
        }

        async Task ShipAsync()
        {
            if (batch.Count > 0)
            {
                await ship(batch, cancel);
                rows += batch.Count;
                batch.Clear();
            }
        }
    }

    private static IEnumerable<(RecordKind Kind, UsageRow Row)> Records(JournalSegment segment)
    {
        var (position, buffer) = (0, new byte[4_096]);
        while (segment.Read(ref position, ref buffer) is { Kind: not RecordKind.None } record)
        {
            if (TryRead(record.Kind, buffer.AsSpan(0, record.Length)) is { } row)
            {
                yield return (record.Kind, row);
            }
        }
    }

    /// <summary>Null for a record of a newer gateway, which nobody here can read.</summary>
    private static UsageRow? TryRead(RecordKind kind, ReadOnlySpan<byte> payload)
    {
        try
        {
            return JournalRecord.Read(kind, payload);
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private List<string> Names()
    {
        try
        {
            return
            [
                .. new DirectoryInfo(own.Root).EnumerateDirectories().Select(d => d.Name)
                    .Where(name => name != own.Name && Guid.TryParseExact(name, "N", out _)).Order(StringComparer.Ordinal),
            ];
        }
        catch (Exception none) when (none is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
