using System.Buffers;
using System.Buffers.Binary;

namespace Gateway.Usage;

/// <summary>
/// Journal records as rows of <c>COPY … (FORMAT BINARY)</c>: straight from bytes to bytes, without an object for a row.
/// The format is that of PostgreSQL's documentation of COPY, the fields' that of its types' receive functions.
/// </summary>
internal static class UsageCopy
{
    /// <summary>In the order in which <see cref="Row"/> writes them.</summary>
    public const string Columns =
        "workspace_id, key_id, id, at, request_id, route, selector, bot, model, deployment, end_reason, status, is_stream, "
        + "is_estimated, input_tokens, cached_input_tokens, output_tokens, reasoning_tokens, usd, first_content_ms, duration_ms, "
        + "steps, attempts, step_list";

    private const short ColumnCount = 24;

    /// <summary>Length of a field that is NULL.</summary>
    private const int Null = -1;

    /// <summary>Of jsonb's binary form: version 1, then the text.</summary>
    private const byte JsonbVersion = 1;

    /// <summary>A numeric is digits to the base of 10,000.</summary>
    private const int NumericBase = 10_000;

    private const int DigitsInBase = 4;

    private static readonly long Epoch = new DateTime(2000, 1, 1, 0, 0, 0, DateTimeKind.Utc).Ticks;

    /// <summary>Signature, flags, and the length of an extension that there is not.</summary>
    public static ReadOnlySpan<byte> Header =>
        [(byte)'P', (byte)'G', (byte)'C', (byte)'O', (byte)'P', (byte)'Y', (byte)'\n', 0xFF, (byte)'\r', (byte)'\n', 0, 0, 0, 0, 0, 0, 0, 0, 0];

    /// <summary>In place of a row's number of fields: there is none.</summary>
    public static ReadOnlySpan<byte> Trailer => [0xFF, 0xFF];

    /// <param name="record">The end of a request, of the version that is written now.</param>
    /// <exception cref="FormatException">It is something else.</exception>
    public static void Row(ReadOnlySpan<byte> record, IBufferWriter<byte> rows)
    {
        var reader = new JournalRecordReader(record);
        if (reader.Byte() != JournalRecord.Version)
        {
            throw new FormatException("A journal record of another version.");
        }

        Short(ColumnCount, rows);
        Id(reader.Id(), rows);
        Id(reader.Id(), rows);
        Id(reader.Id(), rows);
        // A timestamp is microseconds since 2000.
        Long((reader.Number() - Epoch) / TimeSpan.TicksPerMicrosecond, rows);
        for (var texts = 0; texts < 7; texts++)
        {
            Text(ref reader, rows);
        }

        Int((int)reader.Number(), rows);
        Flag(reader.Flag(), rows);
        Flag(reader.Flag(), rows);
        for (var tokens = 0; tokens < 4; tokens++)
        {
            Long(reader.Number(), rows);
        }

        Money(reader.Money(), rows);
        Real(reader.Real(), rows);
        Real(reader.Real(), rows);
        Int((int)reader.Number(), rows);
        var steps = reader.TextAtEnd();
        Json(reader.Rest, rows);
        Json(steps, rows);
    }

    private static void Id(Guid value, IBufferWriter<byte> rows)
    {
        var field = Field(16, rows);
        value.TryWriteBytes(field, bigEndian: true, out _);
        rows.Advance(sizeof(int) + 16);
    }

    private static void Text(ref JournalRecordReader reader, IBufferWriter<byte> rows)
    {
        if (!reader.Utf8(out var text))
        {
            Nothing(rows);
            return;
        }

        text.CopyTo(Field(text.Length, rows));
        rows.Advance(sizeof(int) + text.Length);
    }

    private static void Json(ReadOnlySpan<byte> text, IBufferWriter<byte> rows)
    {
        var field = Field(1 + text.Length, rows);
        field[0] = JsonbVersion;
        text.CopyTo(field[1..]);
        rows.Advance(sizeof(int) + 1 + text.Length);
    }

    private static void Flag(bool value, IBufferWriter<byte> rows)
    {
        Field(1, rows)[0] = value ? (byte)1 : (byte)0;
        rows.Advance(sizeof(int) + 1);
    }

    private static void Int(int value, IBufferWriter<byte> rows)
    {
        BinaryPrimitives.WriteInt32BigEndian(Field(sizeof(int), rows), value);
        rows.Advance(2 * sizeof(int));
    }

    private static void Long(long value, IBufferWriter<byte> rows)
    {
        BinaryPrimitives.WriteInt64BigEndian(Field(sizeof(long), rows), value);
        rows.Advance(sizeof(int) + sizeof(long));
    }

    /// <param name="value">Not a number: NULL.</param>
    private static void Real(double value, IBufferWriter<byte> rows)
    {
        if (double.IsNaN(value))
        {
            Nothing(rows);
            return;
        }

        Long(BitConverter.DoubleToInt64Bits(value), rows);
    }

    private static void Money(decimal? value, IBufferWriter<byte> rows)
    {
        if (value is not { } amount)
        {
            Nothing(rows);
            return;
        }

        const ushort Negative = 0x4000;
        Span<short> digits = stackalloc short[9];
        Span<int> bits = stackalloc int[4];
        decimal.GetBits(amount, bits);
        var rest = ((UInt128)(uint)bits[2] << 64) | ((ulong)(uint)bits[1] << 32) | (uint)bits[0];
        // Whole digits to the base on both sides of the point.
        var groupsBehindPoint = (amount.Scale + DigitsInBase - 1) / DigitsInBase;
        for (var zeros = (groupsBehindPoint * DigitsInBase) - amount.Scale; zeros > 0; zeros--)
        {
            rest *= 10;
        }

        var count = 0;
        for (; rest > 0; rest /= NumericBase)
        {
            digits[count++] = (short)(rest % NumericBase);
        }

        var field = Field(sizeof(short) * (4 + count), rows);
        BinaryPrimitives.WriteInt16BigEndian(field, (short)count);
        BinaryPrimitives.WriteInt16BigEndian(field[2..], (short)(count == 0 ? 0 : count - groupsBehindPoint - 1));
        BinaryPrimitives.WriteUInt16BigEndian(field[4..], amount < 0 ? Negative : (ushort)0);
        BinaryPrimitives.WriteInt16BigEndian(field[6..], amount.Scale);
        for (var n = 0; n < count; n++)
        {
            BinaryPrimitives.WriteInt16BigEndian(field[(8 + (sizeof(short) * n))..], digits[count - 1 - n]);
        }

        rows.Advance(sizeof(int) + (sizeof(short) * (4 + count)));
    }

    private static void Nothing(IBufferWriter<byte> rows)
    {
        BinaryPrimitives.WriteInt32BigEndian(rows.GetSpan(sizeof(int)), Null);
        rows.Advance(sizeof(int));
    }

    private static void Short(short value, IBufferWriter<byte> rows)
    {
        BinaryPrimitives.WriteInt16BigEndian(rows.GetSpan(sizeof(short)), value);
        rows.Advance(sizeof(short));
    }

    /// <summary>Writes a field's length; the caller fills the field and advances over both.</summary>
    private static Span<byte> Field(int length, IBufferWriter<byte> rows)
    {
        var span = rows.GetSpan(sizeof(int) + length);
        BinaryPrimitives.WriteInt32BigEndian(span, length);
        return span[sizeof(int)..(sizeof(int) + length)];
    }
}
