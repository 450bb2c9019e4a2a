namespace Gateway.Usage;

/// <summary>
/// Reads this process's own journal in order, and deletes each segment when all ends in it are shipped, as well as the
/// ends of all that started in it. One thread at a time.
/// </summary>
internal sealed class JournalReader(JournalFiles files, UsageJournal journal)
{
    private readonly Dictionary<Guid, JournalSegment> _starts = [];
    private readonly List<JournalSegment> _read = [];
    private readonly UsageBatch _batch = new();
    private JournalSegment? _segment;
    private int _position;
    private byte[] _buffer = new byte[4_096];

    /// <summary>Rows of the batch that no disk holds.</summary>
    public int FromMemory => _batch.InMemory.Count;

    /// <summary>The next rows; the same and perhaps more until <see cref="Shipped"/> is called.</summary>
    public UsageBatch Collect(int most)
    {
        while (_batch.Count < most && TryReadFile(most))
        {
        }

        while (_batch.Count < most && journal.TryTakeFromMemory(out var row))
        {
            _batch.Add(row);
        }

        return _batch;
    }

    /// <summary>The batch is in the database, or never will be.</summary>
    public void Shipped()
    {
        // A row that is in memory alone may have its start on the disk.
        foreach (var id in _batch.Ids.Concat(_batch.InMemory.Select(row => row.Id)))
        {
            if (_starts.Remove(id, out var segment))
            {
                segment.OpenStarts--;
            }
        }

        journal.Settle(_batch.Count);
        _batch.Clear();
        DeleteRead();
    }

    /// <summary>Whether nothing on disk is wanted any more.</summary>
    public bool IsDone => _batch.Count == 0 && _starts.Count == 0;

    /// <returns>False when there is nothing to read now.</returns>
    private bool TryReadFile(int most)
    {
        if (_segment is null && !files.Segments.TryDequeue(out _segment))
        {
            return false;
        }

        // Asked before reading, or what is written in between would be passed over.
        var isComplete = _segment.IsComplete;
        while (_batch.Count < most)
        {
            var (kind, length) = _segment.Read(ref _position, ref _buffer);
            if (length < 0)
            {
                journal.Lose(1);
                continue;
            }

            if (kind == RecordKind.None)
            {
                break;
            }

            Take(kind, _buffer.AsSpan(0, length));
        }

        if (_batch.Count >= most || !isComplete)
        {
            return false;
        }

        _read.Add(_segment);
        _segment = null;
        _position = 0;
        if (_batch.Count == 0)
        {
            DeleteRead();
        }

        return true;
    }

    private void Take(RecordKind kind, ReadOnlySpan<byte> record)
    {
        if (kind == RecordKind.Start)
        {
            if (_starts.TryAdd(JournalRecord.IdOf(record), _segment!))
            {
                _segment!.OpenStarts++;
            }

            return;
        }

        _batch.Add(record);
    }

    private void DeleteRead()
    {
        for (var i = _read.Count - 1; i >= 0; i--)
        {
            if (_read[i].OpenStarts == 0)
            {
                files.Delete(_read[i]);
                _read.RemoveAt(i);
            }
        }
    }
}
