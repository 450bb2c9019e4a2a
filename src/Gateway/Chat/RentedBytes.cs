using System.Buffers;

namespace Gateway.Chat;

/// <summary>Bytes that are written into a buffer of the pool, to which they go back. Not for concurrent use.</summary>
/// <param name="capacity">About how many there will be.</param>
internal sealed class RentedBytes(int capacity) : IBufferWriter<byte>, IDisposable
{
    private const int LeastRoom = 256;

    private byte[] _bytes = ArrayPool<byte>.Shared.Rent(capacity);
    private int _count;

    /// <summary>What is written; of no use any more once this is disposed.</summary>
    public ReadOnlyMemory<byte> Written => _bytes.AsMemory(0, _count);

    public void Advance(int count) => _count += count;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        var room = Math.Max(sizeHint, LeastRoom);
        if (_bytes.Length - _count < room)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_bytes.Length * 2, _count + room));
            Written.CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_bytes);
            _bytes = larger;
        }

        return _bytes.AsMemory(_count);
    }

    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public void Dispose()
    {
        var bytes = Interlocked.Exchange(ref _bytes, []);
        _count = 0;
        if (bytes.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }
}
