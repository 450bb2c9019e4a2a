using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Gateway.Bots.Datasets;

/// <summary>The identity of a piece; see <see cref="Data.ChunkRow.Id"/>.</summary>
internal static class ChunkId
{
    /// <param name="occurrence">How many equal pieces stand before it in the record.</param>
    public static Guid Of(Guid record, string text, int occurrence)
    {
        var bytes = new byte[20 + Encoding.UTF8.GetByteCount(text)];
        record.TryWriteBytes(bytes);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(16), occurrence);
        Encoding.UTF8.GetBytes(text, bytes.AsSpan(20));
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes, hash);
        // Version 8 and the variant of RFC 9562: an id that is made of something else.
        hash[6] = (byte)((hash[6] & 0x0F) | 0x80);
        hash[8] = (byte)((hash[8] & 0x3F) | 0x80);
        return new Guid(hash[..16], bigEndian: true);
    }

    /// <summary>The pieces of a record with their ids, in order.</summary>
    public static IReadOnlyList<(Guid Id, Piece Piece)> All(Guid record, IReadOnlyList<Piece> pieces)
    {
        var seen = new Dictionary<string, int>(StringComparer.Ordinal);
        return [.. pieces.Select(piece =>
        {
            var before = seen.GetValueOrDefault(piece.Text);
            seen[piece.Text] = before + 1;
            return (Of(record, piece.Text, before), piece);
        })];
    }
}
