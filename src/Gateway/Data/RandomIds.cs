using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Gateway.Data;

/// <summary>
/// Random bytes for ids that are made for every request: asking the system for a few costs as much as asking for many, so each
/// thread keeps some. Not for secrets, which nobody should keep.
/// </summary>
internal static class RandomIds
{
    public const int Bytes = 16;

    private const int BytesAtATime = 64 * Bytes;

    [ThreadStatic]
    private static byte[]? _random;

    [ThreadStatic]
    private static int _left;

    /// <summary>So many bytes, which nobody got before. Valid until this thread asks again.</summary>
    public static ReadOnlySpan<byte> Next()
    {
        var random = _random ??= new byte[BytesAtATime];
        if (_left == 0)
        {
            RandomNumberGenerator.Fill(random);
            _left = random.Length;
        }

        _left -= Bytes;
        return random.AsSpan(_left, Bytes);
    }

    /// <summary>Not above any id of version 7 that is made from this time on, and above all of before.</summary>
    /// <param name="at">UTC. What is less than a millisecond does not count.</param>
    public static Guid FirstVersion7(DateTime at)
    {
        Span<byte> id = stackalloc byte[Bytes];
        id.Clear();
        BinaryPrimitives.WriteUInt64BigEndian(id, (ulong)Math.Max(0, new DateTimeOffset(at, TimeSpan.Zero).ToUnixTimeMilliseconds()) << 16);
        return new Guid(id, bigEndian: true);
    }

    /// <summary>An id of version 7 (RFC 9562), as <see cref="Guid.CreateVersion7(DateTimeOffset)"/> makes them.</summary>
    public static Guid NewVersion7(DateTimeOffset at)
    {
        Span<byte> id = stackalloc byte[Bytes];
        Next().CopyTo(id);
        // 48 bits of milliseconds, the version, 12 random bits, the variant, 62 random bits.
        BinaryPrimitives.WriteUInt64BigEndian(
            id, ((ulong)at.ToUnixTimeMilliseconds() << 16) | 0x7000 | (BinaryPrimitives.ReadUInt64BigEndian(id) & 0x0FFF));
        id[8] = (byte)(0x80 | (id[8] & 0x3F));
        return new Guid(id, bigEndian: true);
    }
}
