using System.Buffers;

namespace Gateway.Upstream;

/// <summary>
/// The bytes of an event stream on their way through, and where its events stand in them. Bytes come in at the end;
/// those before <see cref="Start"/> may be dropped when room is needed. Offsets are into <see cref="Bytes"/> and hold
/// until the next <see cref="Room"/>.
/// </summary>
internal sealed class EventBuffer : IDisposable
{
    /// <summary>Largest single event. Images and audio travel in events of megabytes.</summary>
    public const int MaxEventBytes = 64 * 1024 * 1024;

    private const int FirstBytes = 16 * 1024;
    private const int LeastRoom = 4 * 1024;

    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    private byte[] _bytes = ArrayPool<byte>.Shared.Rent(FirstBytes);
    private int _end;
    private int _eventStart;
    private int _scanned;
    private int _dataStart = -1;
    private int _dataEnd;
    private ArrayBufferWriter<byte>? _joined;
    private bool _isJoined;

    /// <summary>The first byte that is still needed: what was not passed on yet.</summary>
    public int Start { get; private set; }

    /// <summary>Where the event that <see cref="TryNext"/> found begins.</summary>
    public int EventStart { get; private set; }

    /// <summary>Behind the event that <see cref="TryNext"/> found, its blank line included.</summary>
    public int EventEnd { get; private set; }

    /// <summary>The data of the event that was found; empty when it has none.</summary>
    public ReadOnlySpan<byte> Data => _isJoined ? _joined!.WrittenSpan : _dataStart < 0 ? default : _bytes.AsSpan(_dataStart, _dataEnd - _dataStart);

    /// <summary>Whether the event that was found has a data line, be it an empty one.</summary>
    public bool HasData => _dataStart >= 0;

    /// <summary>Whether the event that was found lacks its blank line, since the stream ended.</summary>
    public bool LacksBlankLine { get; private set; }

    /// <summary>Whether bytes of an unfinished event are left.</summary>
    public bool HasRest => _end > _eventStart;

    public ReadOnlyMemory<byte> Bytes(int start, int end) => _bytes.AsMemory(start, end - start);

    /// <summary>Everything before this offset has been dealt with.</summary>
    public void Release(int offset) => Start = offset;

    /// <summary>How much has come that is not dealt with.</summary>
    public int HeldBytes => _end - Start;

    /// <summary>Events that were found and not released are found again.</summary>
    public void Rewind()
    {
        (_eventStart, _scanned, LacksBlankLine) = (Start, Start, false);
        Clear();
    }

    /// <summary>Everything that has come is dealt with, whole event or not; nothing is looked for in it any more.</summary>
    public void ReleaseAll() => (Start, _eventStart, _scanned) = (_end, _end, _end);

    /// <summary>Room to read into. False when the event that is being received is larger than any may be.</summary>
    public bool Room(out Memory<byte> room)
    {
        if (Start == _end)
        {
            Shift();
        }
        else if (_bytes.Length - _end < LeastRoom)
        {
            if (Start > 0)
            {
                Shift();
            }

            if (_bytes.Length - _end < LeastRoom)
            {
                if (_bytes.Length >= MaxEventBytes)
                {
                    room = default;
                    return false;
                }

                var larger = ArrayPool<byte>.Shared.Rent(_bytes.Length * 2);
                _bytes.AsSpan(0, _end).CopyTo(larger);
                ArrayPool<byte>.Shared.Return(_bytes);
                _bytes = larger;
            }
        }

        room = _bytes.AsMemory(_end);
        return true;
    }

    public void Received(int count) => _end += count;

    /// <summary>Finds the next whole event.</summary>
    /// <param name="atEnd">The stream is over: an event whose blank line is missing counts as whole.</param>
    public bool TryNext(bool atEnd = false)
    {
        if (_eventStart == _scanned)
        {
            Clear();
        }

        while (_scanned < _end)
        {
            var rest = _bytes.AsSpan(_scanned, _end - _scanned);
            var length = rest.IndexOfAny((byte)'\n', (byte)'\r');
            if (length < 0)
            {
                break;
            }

            var next = length + 1;
            if (rest[length] == '\r')
            {
                if (next == rest.Length && !atEnd && !EndsInLoneReturns())
                {
                    // A line feed may follow; without it this may yet be a line of its own.
                    return false;
                }

                next += next < rest.Length && rest[next] == '\n' ? 1 : 0;
            }

            var line = rest[..length];
            var lineStart = _scanned;
            _scanned += next;
            if (line.IsEmpty)
            {
                return Found();
            }

            Take(line, lineStart);
        }

        if (atEnd && HasRest)
        {
            if (_scanned < _end)
            {
                Take(_bytes.AsSpan(_scanned, _end - _scanned), _scanned);
                _scanned = _end;
            }

            LacksBlankLine = true;
            return Found();
        }

        return false;
    }

    public void Dispose()
    {
        var bytes = Interlocked.Exchange(ref _bytes, []);
        if (bytes.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    private bool Found()
    {
        (EventStart, EventEnd) = (_eventStart, _scanned);
        _eventStart = _scanned;
        return true;
    }

    private void Clear()
    {
        _dataStart = -1;
        _isJoined = false;
    }

    /// <summary>Whether the line before ended in a return alone, so that a second one is surely a blank line.</summary>
    private bool EndsInLoneReturns() =>
        _scanned > _eventStart && _scanned < _end && _bytes[_scanned] == '\r' && _bytes[_scanned - 1] == '\r';

    private void Take(ReadOnlySpan<byte> line, int lineStart)
    {
        // Only a stream's very first line can begin with a byte order mark.
        if (line.StartsWith(ByteOrderMark))
        {
            line = line[ByteOrderMark.Length..];
            lineStart += ByteOrderMark.Length;
        }

        if (!line.StartsWith("data"u8) || (line.Length > 4 && line[4] != ':'))
        {
            return;
        }

        var skip = line.Length == 4 ? 4 : line.Length > 5 && line[5] == ' ' ? 6 : 5;
        if (_dataStart < 0)
        {
            (_dataStart, _dataEnd) = (lineStart + skip, lineStart + line.Length);
            return;
        }

        // Data in several lines is one text with line feeds. Rare enough to copy.
        _joined ??= new ArrayBufferWriter<byte>(1024);
        if (!_isJoined)
        {
            _joined.ResetWrittenCount();
            _joined.Write(_bytes.AsSpan(_dataStart, _dataEnd - _dataStart));
            _isJoined = true;
        }

        _joined.Write("\n"u8);
        _joined.Write(line[skip..]);
    }

    private void Shift()
    {
        if (Start == 0)
        {
            return;
        }

        _bytes.AsSpan(Start, _end - Start).CopyTo(_bytes);
        _end -= Start;
        _eventStart -= Start;
        _scanned -= Start;
        EventStart -= Start;
        EventEnd -= Start;
        if (_dataStart >= 0)
        {
            _dataStart -= Start;
            _dataEnd -= Start;
        }

        Start = 0;
    }
}
