using Gateway.Http;

namespace Gateway.Passthrough;

/// <summary>A body on disk as a stream, with some stretches of it replaced by other bytes.</summary>
internal sealed class SplicedBody : Stream
{
    private readonly SpooledBody _body;
    private readonly List<(long Start, long End, ReadOnlyMemory<byte> Bytes)> _pieces = [];
    private long _cut;
    private long _length;
    private int _piece;
    private long _at;

    public SplicedBody(SpooledBody body) => _body = body;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    /// <summary>Bytes from the first to the last, once <see cref="Finish"/> was called.</summary>
    public override long Length => _length;

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Puts bytes in place of the body's <c>[start, end)</c>; from the front to the back.</summary>
    public void Replace(long start, long end, ReadOnlyMemory<byte> bytes)
    {
        Add(_cut, start, default);
        Add(0, 0, bytes);
        _cut = end;
    }

    /// <summary>No more is replaced: the rest is as it came.</summary>
    public void Finish() => Add(_cut, _body.Length, default);

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_piece == _pieces.Count || buffer.IsEmpty)
        {
            return 0;
        }

        var (start, end, bytes) = _pieces[_piece];
        var left = (bytes.IsEmpty ? end - start : bytes.Length) - _at;
        var wanted = (int)Math.Min(left, buffer.Length);
        if (bytes.IsEmpty)
        {
            var read = await _body.ReadAsync(start + _at, buffer[..wanted], cancellationToken);
            if (read < wanted)
            {
                throw new IOException("A spooled request body is shorter than it was.");
            }
        }
        else
        {
            bytes.Slice((int)_at, wanted).CopyTo(buffer);
        }

        (_piece, _at) = wanted == left ? (_piece + 1, 0) : (_piece, _at + wanted);
        return wanted;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    private void Add(long start, long end, ReadOnlyMemory<byte> bytes)
    {
        var length = bytes.IsEmpty ? end - start : bytes.Length;
        if (length > 0)
        {
            _pieces.Add((start, end, bytes));
            _length += length;
        }
    }
}
