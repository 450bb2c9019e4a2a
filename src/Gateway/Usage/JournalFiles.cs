using System.Collections.Concurrent;
using System.Globalization;
using Gateway.Data;
using Gateway.Data.Embedded;

namespace Gateway.Usage;

/// <summary>
/// This process's own segments: one that is written, one made ahead, and those that wait to be shipped. Nothing here does
/// input or output on the way of a request: <see cref="Tend"/>, called by one background thread, does.
/// </summary>
internal sealed class JournalFiles : IDisposable
{
    /// <summary>Behind a lock's name, beside the directory that it stands for, so that the directory is never there unlocked.</summary>
    public const string LockSuffix = ".lock";

    private const string SegmentSuffix = ".segment";

    private readonly Lock _turn = new();
    private readonly ConcurrentQueue<JournalSegment> _segments = new();
    private readonly int _segmentBytes;
    private DirectoryLock? _lock;
    private JournalSegment? _current;
    private JournalSegment? _spare;
    private readonly ConcurrentQueue<JournalSegment> _unflushed = new();
    private int _made;
    private int _alive;

    public JournalFiles(GatewaySettings settings)
        : this(Path.Combine(settings.AbsoluteDataDirectory, "journal"), settings.JournalSegmentBytes)
    {
    }

    /// <param name="root">Holds the journals of all processes that share a data directory.</param>
    public JournalFiles(string root, int segmentBytes)
    {
        Root = root;
        _segmentBytes = segmentBytes;
        Name = Guid.CreateVersion7().ToString("N");
    }

    public string Root { get; }

    /// <summary>This process's id among the journals.</summary>
    public string Name { get; }

    public string Directory => Path.Combine(Root, Name);

    /// <summary>Written and not deleted, the spare included.</summary>
    public long Bytes => (long)Volatile.Read(ref _alive) * _segmentBytes;

    /// <summary>For one reader: the segments in the order in which they are filled, the one that is written the last.</summary>
    public ConcurrentQueue<JournalSegment> Segments => _segments;

    /// <summary>May be called by many threads; a memory copy. False when it is on no disk: none is there, or all are full.</summary>
    public bool TryAppend(RecordKind kind, ReadOnlySpan<byte> payload)
    {
        while (Volatile.Read(ref _current) is { } segment)
        {
            // Asked first: a segment that has said no is full for all.
            if (payload.Length + RecordHead.Bytes > segment.Capacity)
            {
                return false;
            }

            if (segment.TryAppend(kind, payload))
            {
                return true;
            }

            if (!TryTurn(segment))
            {
                return false;
            }
        }

        return false;
    }

    /// <summary>Whether <see cref="Tend"/> has to make a file.</summary>
    public bool NeedsSpare => Volatile.Read(ref _spare) is null;

    /// <summary>Brings to the disk what was written. One thread at a time.</summary>
    public void Flush()
    {
        for (var left = _unflushed.Count; left > 0 && _unflushed.TryDequeue(out var full); left--)
        {
            // Asked first: who has room in it and has not written yet needs another flush.
            var isComplete = full.IsComplete;
            full.Flush();
            if (!isComplete)
            {
                _unflushed.Enqueue(full);
            }
        }

        Volatile.Read(ref _current)?.Flush();
    }

    /// <summary>Makes the segment that comes next, and puts it to use at once where one is wanted. One thread at a time.</summary>
    /// <exception cref="Exception">No room, or not allowed, in one of several types.</exception>
    public void Tend()
    {
        if (_lock is null)
        {
            UnixFiles.CreateDirectory(Root, isPassable: false);
            _lock = DirectoryLock.TryTake(Path.Combine(Root, Name + LockSuffix), isShared: false);
        }

        UnixFiles.CreateDirectory(Directory, isPassable: false);
        var path = Path.Combine(Directory, (_made + 1).ToString("D8", CultureInfo.InvariantCulture) + SegmentSuffix);
        var made = JournalSegment.Create(path, _segmentBytes);
        _made++;
        Interlocked.Increment(ref _alive);
        Volatile.Write(ref _spare, made);
        if (Volatile.Read(ref _current) is not { } current || current.IsSealed)
        {
            TryTurn(Volatile.Read(ref _current));
        }
    }

    /// <summary>The reader is through with the segment at the head of <see cref="Segments"/>, or one taken from there.</summary>
    public void Delete(JournalSegment segment)
    {
        segment.Dispose();
        JournalSegment.TryDelete(segment.Path);
        Interlocked.Decrement(ref _alive);
    }

    /// <summary>Deletes what is left when nothing in it is wanted any more; else it stays for the next start.</summary>
    public void DeleteAll()
    {
        if (_lock is not null)
        {
            DeleteJournal(Root, Name);
        }
    }

    /// <summary>Deletes a journal's directory and its lock. Only for whoever holds the lock.</summary>
    public static void DeleteJournal(string root, string name)
    {
        try
        {
            if (System.IO.Directory.Exists(Path.Combine(root, name)))
            {
                System.IO.Directory.Delete(Path.Combine(root, name), recursive: true);
            }

            File.Delete(Path.Combine(root, name + LockSuffix));
        }
        catch (Exception kept) when (kept is IOException or UnauthorizedAccessException)
        {
            // The next start ships it again, which changes nothing, and deletes it then.
        }
    }

    /// <summary>A journal's segments, in order.</summary>
    public static IReadOnlyList<string> SegmentsOf(string root, string name) =>
        [.. System.IO.Directory.EnumerateFiles(Path.Combine(root, name), "*" + SegmentSuffix).Order(StringComparer.Ordinal)];

    // The mapped segments stay: a request that outlives the host may still write its end, and the next start ships it.
    public void Dispose() => _lock?.Dispose();

    private bool TryTurn(JournalSegment? full)
    {
        // Held for a few assignments, once per segment.
        lock (_turn)
        {
            if (_current != full)
            {
                return true;
            }

            if (_spare is not { } next)
            {
                return false;
            }

            _segments.Enqueue(next);
            if (full is not null)
            {
                _unflushed.Enqueue(full);
            }

            Volatile.Write(ref _spare, null);
            Volatile.Write(ref _current, next);
            return true;
        }
    }
}
