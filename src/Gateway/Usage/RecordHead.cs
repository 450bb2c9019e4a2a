using System.Numerics;
using System.Runtime.InteropServices;

namespace Gateway.Usage;

internal enum RecordKind
{
    None = 0,
    Start = 1,
    End = 2,

    /// <summary>Nothing: the rest of a page, or of two. No reader returns it.</summary>
    Gap = 3,
}

/// <summary>
/// What stands before each record of the journal, 16 bytes: <c>mark and kind (4), payload bytes (4), CRC-32C (4), 0 (4)</c>. The
/// payload is filled up to 8.
/// </summary>
internal static class RecordHead
{
    public const int Bytes = 16;

    private const uint Mark = 0x55_57_47_00;
    private const uint MarkMask = 0xFF_FF_FF_00;

    /// <summary>The first word, which makes a record valid.</summary>
    public static ulong Word(RecordKind kind, int length) => ((ulong)(uint)length << 32) | Mark | (uint)kind;

    /// <summary>False for a word that begins no record.</summary>
    /// <param name="length">Of the payload as it is written there: anything, where it is damaged.</param>
    public static bool TryRead(ulong word, out RecordKind kind, out int length)
    {
        kind = (RecordKind)((uint)word & ~MarkMask);
        length = (int)(word >> 32);
        return ((uint)word & MarkMask) == Mark;
    }

    /// <summary>Of a record with its head, in bytes.</summary>
    public static int SizeOf(int payload) => (Bytes + payload + 7) & ~7;

    /// <param name="payload">Empty for a gap, whatever its length.</param>
    public static uint Checksum(RecordKind kind, int length, ReadOnlySpan<byte> payload)
    {
        var sum = BitOperations.Crc32C(uint.MaxValue, ((ulong)(uint)length << 32) | (uint)kind);
        var words = MemoryMarshal.Cast<byte, ulong>(payload);
        foreach (var word in words)
        {
            sum = BitOperations.Crc32C(sum, word);
        }

        foreach (var last in payload[(words.Length * 8)..])
        {
            sum = BitOperations.Crc32C(sum, last);
        }

        return ~sum;
    }
}
