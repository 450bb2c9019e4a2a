using System.Buffers;
using System.Text.Json;

namespace Gateway.Upstream;

/// <summary>
/// The text of an answer as it went out, pieces of JSON strings put together, in a pooled buffer. What is escaped stays so:
/// half of a surrogate pair finds its other half in the next piece.
/// </summary>
internal sealed class KeptText : IDisposable
{
    /// <summary>A longer answer is not carried on: most models could not take it as a prefix.</summary>
    private const int MaxBytes = 1024 * 1024;

    private byte[] _bytes = ArrayPool<byte>.Shared.Rent(4 * 1024);
    private int _length;

    /// <summary>Whether it grew too long to be kept.</summary>
    public bool IsTooLong { get; private set; }

    public void Add(ReadOnlySpan<byte> piece)
    {
        if (IsTooLong)
        {
            return;
        }

        if (_length + piece.Length > MaxBytes)
        {
            IsTooLong = true;
            return;
        }

        if (_length + piece.Length > _bytes.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_bytes.Length * 2, _length + piece.Length));
            _bytes.AsSpan(0, _length).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_bytes);
            _bytes = larger;
        }

        piece.CopyTo(_bytes.AsSpan(_length));
        _length += piece.Length;
    }

    public void Clear() => (_length, IsTooLong) = (0, false);

    /// <summary>What it says; null when it ends in the middle of a character, or is too long.</summary>
    public string? Decode()
    {
        if (IsTooLong)
        {
            return null;
        }

        try
        {
            var json = new Utf8JsonReader([(byte)'"', .. _bytes.AsSpan(0, _length), (byte)'"']);
            json.Read();
            return json.GetString();
        }
        catch (Exception wrong) when (wrong is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    public void Dispose()
    {
        var bytes = Interlocked.Exchange(ref _bytes, []);
        if (bytes.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }
}
