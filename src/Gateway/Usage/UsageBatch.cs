using System.Buffers;
using Gateway.Data;

namespace Gateway.Usage;

/// <summary>Ended requests on their way to the database: records as the journal has them, and rows that only memory has.</summary>
internal sealed class UsageBatch
{
    private readonly ArrayBufferWriter<byte> _records = new(64 * 1024);
    private readonly List<(Guid Id, int Start, int Length)> _recorded = [];
    private readonly List<UsageRow> _inMemory = [];

    public int Count => _recorded.Count + _inMemory.Count;

    /// <summary>Records.</summary>
    public int RecordCount => _recorded.Count;

    /// <summary>Rows that no disk holds.</summary>
    public IReadOnlyList<UsageRow> InMemory => _inMemory;

    /// <summary>Of the records.</summary>
    public IEnumerable<Guid> Ids => _recorded.Select(one => one.Id);

    /// <param name="record">The end of a request; copied.</param>
    public void Add(ReadOnlySpan<byte> record)
    {
        _recorded.Add((JournalRecord.IdOf(record), _records.WrittenCount, record.Length));
        _records.Write(record);
    }

    public void Add(UsageRow row) => _inMemory.Add(row);

    /// <summary>The records as rows of a binary COPY.</summary>
    /// <exception cref="FormatException">One is of another version.</exception>
    public void CopyTo(IBufferWriter<byte> rows)
    {
        rows.Write(UsageCopy.Header);
        foreach (var (_, start, length) in _recorded)
        {
            UsageCopy.Row(_records.WrittenSpan.Slice(start, length), rows);
        }

        rows.Write(UsageCopy.Trailer);
    }

    /// <summary>The records, one object for each.</summary>
    public UsageRow[] ToRows() =>
        [.. _recorded.Select(one => JournalRecord.Read(RecordKind.End, _records.WrittenSpan.Slice(one.Start, one.Length)))];

    public void Clear()
    {
        _records.ResetWrittenCount();
        _recorded.Clear();
        _inMemory.Clear();
    }
}
