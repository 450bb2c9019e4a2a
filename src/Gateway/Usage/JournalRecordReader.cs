using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace Gateway.Usage;

/// <summary>Reads a journal record's payload, field by field. What is read of texts holds as long as the payload.</summary>
/// <exception cref="FormatException">Of each: the record ends too early.</exception>
internal ref struct JournalRecordReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _left = bytes;

    public byte Byte() => Take(1)[0];

    public bool Flag() => Byte() != 0;

    public Guid Id() => new(Take(16));

    public long Number() => BinaryPrimitives.ReadInt64LittleEndian(Take(8));

    public double Real() => BitConverter.Int64BitsToDouble(Number());

    public decimal? Money()
    {
        if (!Flag())
        {
            return null;
        }

        Span<int> bits = stackalloc int[4];
        Take(16).CopyTo(MemoryMarshal.AsBytes(bits));
        return new decimal(bits);
    }

    public string? Text() => Utf8(out var text) ? Encoding.UTF8.GetString(text) : null;

    /// <returns>False where there is none, which is not an empty one.</returns>
    public bool Utf8(out ReadOnlySpan<byte> text)
    {
        var length = BinaryPrimitives.ReadUInt16LittleEndian(Take(2));
        text = length == JournalRecord.NoText ? default : Take(length);
        return length != JournalRecord.NoText;
    }

    /// <summary>Takes a text whose length stands behind it from the end.</summary>
    public ReadOnlySpan<byte> TextAtEnd()
    {
        const int LengthBytes = sizeof(long);
        if (_left.Length < LengthBytes
            || BinaryPrimitives.ReadInt64LittleEndian(_left[^LengthBytes..]) is var length && (length < 0 || length > _left.Length - LengthBytes))
        {
            throw new FormatException("A journal record ends too early.");
        }

        var text = _left[^(LengthBytes + (int)length)..^LengthBytes];
        _left = _left[..^(LengthBytes + (int)length)];
        return text;
    }

    public readonly ReadOnlySpan<byte> Rest => _left;

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > _left.Length)
        {
            throw new FormatException("A journal record ends too early.");
        }

        var taken = _left[..count];
        _left = _left[count..];
        return taken;
    }
}
