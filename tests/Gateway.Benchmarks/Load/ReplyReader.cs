using System.Buffers.Text;
using System.Text;

namespace Gateway.Benchmarks.Load;

/// <summary>
/// Reads replies of HTTP/1.1 from the bytes of a connection, one after the other: no more than a load generator needs.
/// </summary>
internal sealed class ReplyReader
{
    private enum Part { Head, Body, ChunkSize, ChunkBody, ChunkEnd, Trailer, UntilClose }

    private byte[] _pending = new byte[4 * 1024];
    private int _pendingLength;
    private byte[] _body = new byte[16 * 1024];
    private int _bodyLength;
    private Part _part;
    private long _left;

    /// <summary>0 until the head was read.</summary>
    public int Status { get; private set; }

    public bool IsWhole { get; private set; }

    /// <summary>Whether the connection cannot be used for another request.</summary>
    public bool ClosesAfter { get; private set; }

    /// <summary>What has come of the body and was not dropped.</summary>
    public ReadOnlySpan<byte> Body => _body.AsSpan(0, _bodyLength);

    /// <summary>For the next reply.</summary>
    public void Reset()
    {
        (_pendingLength, _bodyLength, _part, _left) = (0, 0, Part.Head, 0);
        (Status, IsWhole, ClosesAfter) = (0, false, false);
    }

    /// <summary>Forgets the first bytes of <see cref="Body"/>.</summary>
    public void Drop(int bytes)
    {
        Body[bytes..].CopyTo(_body);
        _bodyLength -= bytes;
    }

    /// <summary>Reads what has arrived.</summary>
    /// <exception cref="InvalidDataException">It is not HTTP, or there is more than the reply.</exception>
    public void Feed(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (IsWhole)
            {
                throw new InvalidDataException("bytes after the end of the reply");
            }

            switch (_part)
            {
                case Part.Head when Take(ref bytes, "\r\n\r\n"u8, out var head):
                    ReadHead(head);
                    break;
                case Part.ChunkSize when Take(ref bytes, "\r\n"u8, out var size):
                    ReadChunkSize(size);
                    break;
                case Part.ChunkEnd when Take(ref bytes, "\r\n"u8, out _):
                    _part = Part.ChunkSize;
                    break;
                case Part.Trailer when Take(ref bytes, "\r\n"u8, out var trailer):
                    IsWhole = trailer.IsEmpty;
                    break;
                case Part.Body or Part.ChunkBody or Part.UntilClose:
                    TakeBody(ref bytes);
                    break;
            }
        }
    }

    /// <summary>The system closed the connection.</summary>
    public void Closed()
    {
        IsWhole |= _part == Part.UntilClose;
        ClosesAfter = true;
    }

    /// <summary>The bytes up to a mark, and behind it; false with all bytes put aside while the mark has not come.</summary>
    private bool Take(ref ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> mark, out ReadOnlySpan<byte> taken)
    {
        int at;
        if (_pendingLength == 0 && (at = bytes.IndexOf(mark)) >= 0)
        {
            taken = bytes[..at];
            bytes = bytes[(at + mark.Length)..];
            return true;
        }

        var before = _pendingLength;
        Append(ref _pending, ref _pendingLength, bytes);
        at = _pending.AsSpan(0, _pendingLength).IndexOf(mark);
        if (at < 0)
        {
            bytes = default;
            taken = default;
            return false;
        }

        taken = _pending.AsSpan(0, at);
        bytes = bytes[(at + mark.Length - before)..];
        _pendingLength = 0;
        return true;
    }

    private void TakeBody(ref ReadOnlySpan<byte> bytes)
    {
        var length = _part == Part.UntilClose ? bytes.Length : (int)Math.Min(_left, bytes.Length);
        Append(ref _body, ref _bodyLength, bytes[..length]);
        bytes = bytes[length..];
        _left -= length;
        if (_left == 0 && _part == Part.ChunkBody)
        {
            _part = Part.ChunkEnd;
        }

        IsWhole = _left == 0 && _part == Part.Body;
    }

    private void ReadHead(ReadOnlySpan<byte> head)
    {
        if (head.Length < 12 || !head.StartsWith("HTTP/1."u8) || !Utf8Parser.TryParse(head[9..12], out int status, out _))
        {
            throw new InvalidDataException("not a reply of HTTP/1.1");
        }

        Status = status;
        _part = Part.UntilClose;
        foreach (var range in head.Split("\r\n"u8))
        {
            var line = head[range];
            if (Value(line, "content-length:"u8, out var value) && Utf8Parser.TryParse(value, out long length, out _))
            {
                (_part, _left) = (Part.Body, length);
                IsWhole = length == 0;
            }
            else if (Value(line, "transfer-encoding:"u8, out _))
            {
                _part = Part.ChunkSize;
            }
            else if (Value(line, "connection:"u8, out value))
            {
                ClosesAfter = Ascii.EqualsIgnoreCase(value, "close"u8);
            }
        }

        ClosesAfter |= _part == Part.UntilClose;
    }

    private void ReadChunkSize(ReadOnlySpan<byte> line)
    {
        if (!Utf8Parser.TryParse(line, out int size, out _, 'x'))
        {
            throw new InvalidDataException("not the size of a chunk");
        }

        (_part, _left) = (size == 0 ? Part.Trailer : Part.ChunkBody, size);
    }

    private static bool Value(ReadOnlySpan<byte> line, ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        value = default;
        if (line.Length < name.Length || !Ascii.EqualsIgnoreCase(line[..name.Length], name))
        {
            return false;
        }

        value = line[name.Length..].Trim((byte)' ');
        return true;
    }

    private static void Append(ref byte[] buffer, ref int length, ReadOnlySpan<byte> bytes)
    {
        if (length + bytes.Length > buffer.Length)
        {
            Array.Resize(ref buffer, Math.Max(buffer.Length * 2, length + bytes.Length));
        }

        bytes.CopyTo(buffer.AsSpan(length));
        length += bytes.Length;
    }
}
