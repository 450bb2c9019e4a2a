using System.Collections.Concurrent;
using Gateway.Data;
using Gateway.Observability;

namespace Gateway.Usage;

/// <summary>
/// The usage journal: what requests use, kept on this machine's disk until Postgres has it. Writing is a memory copy.
/// </summary>
/// <param name="files">Null: nothing is on disk, and rows wait in memory.</param>
internal sealed class UsageJournal(TimeProvider clock, JournalFiles? files = null)
{
    /// <summary>Rows that wait in memory while the disk takes none; a few megabytes.</summary>
    private const int MostInMemory = 8_192;

    private readonly ConcurrentQueue<UsageRow> _memory = new();
    private int _inMemory;
    private long _open;
    private long _writtenStarts;
    private long _writtenEnds;
    private long _unwrittenStarts;
    private long _unwrittenEnds;
    private long _lost;
    private long _pending;

    /// <summary>Requests that have begun and not ended.</summary>
    public long Open => Interlocked.Read(ref _open);

    /// <summary>Records on disk, since the process began.</summary>
    public long WrittenStarts => Interlocked.Read(ref _writtenStarts);

    public long WrittenEnds => Interlocked.Read(ref _writtenEnds);

    /// <summary>Starts that the disk did not take: such a request leaves no trace if the process dies before its end.</summary>
    public long UnwrittenStarts => Interlocked.Read(ref _unwrittenStarts);

    /// <summary>Ends that the disk did not take. They are shipped from memory as long as the process lives.</summary>
    public long UnwrittenEnds => Interlocked.Read(ref _unwrittenEnds);

    /// <summary>Rows that no table will ever hold, or, where the start is on disk, only as lost.</summary>
    public long LostRecords => Interlocked.Read(ref _lost);

    /// <summary>Ended requests whose rows are not in the database yet, of this process.</summary>
    public long PendingRows => Math.Max(0, Interlocked.Read(ref _pending));

    /// <summary>Ends that only memory holds, and the reader has not taken.</summary>
    public int InMemory => Math.Max(0, Volatile.Read(ref _inMemory));

    /// <summary>What the journal takes on disk, of this process.</summary>
    public long JournalBytes => files?.Bytes ?? 0;

    /// <summary>Begins a request's record. Nothing is written yet.</summary>
    public RequestUsage Begin(UsageSubject subject)
    {
        Interlocked.Increment(ref _open);
        var at = clock.GetUtcNow();
        return new RequestUsage(this, subject, RandomIds.NewVersion7(at), at);
    }

    /// <summary>A memory copy; never throws, never waits.</summary>
    public void WriteStart(RequestUsage usage, string model, long promptTokens)
    {
        try
        {
            if (files?.TryAppend(RecordKind.Start, JournalRecord.Start(usage, model, promptTokens)) == true)
            {
                Interlocked.Increment(ref _writtenStarts);
                GatewayMetrics.JournalStartWritten();
                return;
            }
        }
        catch (Exception)
        {
            // A bug, or a file taken away; a request must not fail of it. The count says so.
        }

        Interlocked.Increment(ref _unwrittenStarts);
        GatewayMetrics.JournalRecordsLost(1);
    }

    /// <summary>A memory copy; never throws, never waits.</summary>
    public void WriteEnd(RequestUsage usage, int status, string reason, double durationMs)
    {
        try
        {
            var record = JournalRecord.End(usage, status, reason, durationMs);
            Interlocked.Increment(ref _pending);
            if (files?.TryAppend(RecordKind.End, record) == true)
            {
                Interlocked.Increment(ref _writtenEnds);
                GatewayMetrics.JournalEndWritten();
                return;
            }

            Interlocked.Increment(ref _unwrittenEnds);
            GatewayMetrics.JournalRecordsLost(1);
            Remember(record);
        }
        catch (Exception)
        {
            Lose(1);
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }

    /// <summary>For one reader: the next row that is in memory alone.</summary>
    public bool TryTakeFromMemory(out UsageRow row)
    {
        if (!_memory.TryDequeue(out row!))
        {
            return false;
        }

        Interlocked.Decrement(ref _inMemory);
        return true;
    }

    /// <summary>The table holds these rows, or never will.</summary>
    public void Settle(int rows) => Interlocked.Add(ref _pending, -rows);

    /// <summary>Rows that were on disk, and cannot be read or are not taken.</summary>
    public void Lose(int rows)
    {
        if (rows > 0)
        {
            Interlocked.Add(ref _lost, rows);
            GatewayMetrics.JournalRecordsLost(rows);
        }
    }

    private void Remember(ReadOnlySpan<byte> record)
    {
        if (Interlocked.Increment(ref _inMemory) > MostInMemory)
        {
            Interlocked.Decrement(ref _inMemory);
            Settle(1);
            Interlocked.Increment(ref _lost);
            return;
        }

        _memory.Enqueue(JournalRecord.Read(RecordKind.End, record));
    }
}
