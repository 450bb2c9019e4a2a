using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Gateway.Usage;

/// <summary>Writes a journal record's payload. One for each thread: <see cref="Written"/> holds until the next record.</summary>
internal sealed class JournalRecordWriter
{
    /// <summary>Attempts behind as much JSON are counted in the sums and not listed: a record fits into the smallest segment.</summary>
    private const int MostAttemptBytes = 24 * 1024;

    /// <summary>The same for steps.</summary>
    private const int MostStepBytes = 12 * 1024;

    private const int MostCharacters = 512;

    /// <summary>Listed of one step.</summary>
    private const int MostTools = 32;

    /// <summary>Of an attempt's and a step's members, encoded once.</summary>
    private static class Names
    {
        public static readonly JsonEncodedText Deployment = JsonEncodedText.Encode("deployment");
        public static readonly JsonEncodedText Model = JsonEncodedText.Encode("model");
        public static readonly JsonEncodedText Outcome = JsonEncodedText.Encode("outcome");
        public static readonly JsonEncodedText StartedMs = JsonEncodedText.Encode("started_ms");
        public static readonly JsonEncodedText DurationMs = JsonEncodedText.Encode("duration_ms");
        public static readonly JsonEncodedText FirstContentMs = JsonEncodedText.Encode("first_content_ms");
        public static readonly JsonEncodedText InputTokens = JsonEncodedText.Encode("input_tokens");
        public static readonly JsonEncodedText CachedInputTokens = JsonEncodedText.Encode("cached_input_tokens");
        public static readonly JsonEncodedText OutputTokens = JsonEncodedText.Encode("output_tokens");
        public static readonly JsonEncodedText ReasoningTokens = JsonEncodedText.Encode("reasoning_tokens");
        public static readonly JsonEncodedText IsEstimated = JsonEncodedText.Encode("is_estimated");
        public static readonly JsonEncodedText Usd = JsonEncodedText.Encode("usd");
        public static readonly JsonEncodedText Bot = JsonEncodedText.Encode("bot");
        public static readonly JsonEncodedText Depth = JsonEncodedText.Encode("depth");
        public static readonly JsonEncodedText Step = JsonEncodedText.Encode("step");
        public static readonly JsonEncodedText Tools = JsonEncodedText.Encode("tools");
    }

    private readonly ArrayBufferWriter<byte> _bytes = new(2_048);
    private Utf8JsonWriter? _json;

    public ReadOnlySpan<byte> Written => _bytes.WrittenSpan;

    public void Reset() => _bytes.ResetWrittenCount();

    public void Byte(byte value)
    {
        _bytes.GetSpan(1)[0] = value;
        _bytes.Advance(1);
    }

    public void Flag(bool value) => Byte(value ? (byte)1 : (byte)0);

    public void Id(Guid value)
    {
        value.TryWriteBytes(_bytes.GetSpan(16));
        _bytes.Advance(16);
    }

    public void Number(long value)
    {
        BinaryPrimitives.WriteInt64LittleEndian(_bytes.GetSpan(8), value);
        _bytes.Advance(8);
    }

    public void Real(double value) => Number(BitConverter.DoubleToInt64Bits(value));

    public void Money(decimal? value)
    {
        Flag(value is not null);
        if (value is { } amount)
        {
            decimal.GetBits(amount, MemoryMarshal.Cast<byte, int>(_bytes.GetSpan(16)[..16]));
            _bytes.Advance(16);
        }
    }

    public void Text(string? value)
    {
        var shown = value.AsSpan(0, Math.Min(value?.Length ?? 0, MostCharacters));
        var span = _bytes.GetSpan(2 + Encoding.UTF8.GetMaxByteCount(shown.Length));
        // Half a surrogate pair becomes the replacement character by itself; NUL is what Postgres does not take.
        var length = Encoding.UTF8.GetBytes(shown, span[2..]);
        span.Slice(2, length).Replace((byte)0, (byte)'?');
        BinaryPrimitives.WriteUInt16LittleEndian(span, value is null ? JournalRecord.NoText : (ushort)length);
        _bytes.Advance(2 + length);
    }

    public void Attempts(IReadOnlyList<AttemptUsage> attempts)
    {
        var json = _json ??= new Utf8JsonWriter(_bytes, new JsonWriterOptions { SkipValidation = true });
        json.Reset();
        json.WriteStartArray();
        for (var i = 0; i < attempts.Count && json.BytesPending + json.BytesCommitted < MostAttemptBytes; i++)
        {
            var attempt = attempts[i];
            json.WriteStartObject();
            json.WriteString(Names.Deployment, Clean(attempt.Deployment));
            json.WriteString(Names.Model, Clean(attempt.Model));
            json.WriteString(Names.Outcome, Clean(attempt.Outcome));
            Milliseconds(json, Names.StartedMs, attempt.StartedMs);
            Milliseconds(json, Names.DurationMs, attempt.DurationMs);
            if (attempt.FirstContentMs is { } first)
            {
                Milliseconds(json, Names.FirstContentMs, first);
            }

            json.WriteNumber(Names.InputTokens, attempt.InputTokens);
            json.WriteNumber(Names.CachedInputTokens, attempt.CachedInputTokens);
            json.WriteNumber(Names.OutputTokens, attempt.OutputTokens);
            json.WriteNumber(Names.ReasoningTokens, attempt.ReasoningTokens);
            json.WriteBoolean(Names.IsEstimated, attempt.IsEstimated);
            if (attempt.Usd is { } usd)
            {
                json.WriteNumber(Names.Usd, usd);
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.Flush();
    }

    /// <summary>Behind the attempts, and its length behind it: both are as long as they get.</summary>
    public void Steps(IReadOnlyList<StepUsage> steps)
    {
        var before = _bytes.WrittenCount;
        var json = _json!;
        json.Reset();
        json.WriteStartArray();
        for (var i = 0; i < steps.Count && json.BytesPending + json.BytesCommitted < MostStepBytes; i++)
        {
            Step(json, steps[i]);
        }

        json.WriteEndArray();
        json.Flush();
        Number(_bytes.WrittenCount - before);
    }

    private static void Step(Utf8JsonWriter json, StepUsage step)
    {
        var totals = step.Totals();
        json.WriteStartObject();
        json.WriteString(Names.Bot, Clean(step.Bot));
        json.WriteNumber(Names.Depth, step.Depth);
        json.WriteNumber(Names.Step, step.Number);
        json.WriteString(Names.Model, Clean(totals.Model));
        json.WriteStartArray(Names.Tools);
        foreach (var tool in step.Tools.Take(MostTools))
        {
            json.WriteStringValue(Clean(tool));
        }

        json.WriteEndArray();
        json.WriteNumber(Names.InputTokens, totals.Input);
        json.WriteNumber(Names.OutputTokens, totals.Output);
        if (totals.Usd is { } usd)
        {
            json.WriteNumber(Names.Usd, usd);
        }

        Milliseconds(json, Names.DurationMs, totals.DurationMs);
        json.WriteEndObject();
    }

    /// <summary>To a tenth. To find the shortest text of a double takes longer than the rest of an attempt.</summary>
    private static void Milliseconds(Utf8JsonWriter json, JsonEncodedText name, double value)
    {
        Span<byte> text = stackalloc byte[32];
        var tenths = (long)Math.Round(Math.Clamp(JournalRecord.Finite(value), 0, 1e15) * 10);
        Utf8Formatter.TryFormat(tenths / 10, text, out var length);
        if (tenths % 10 != 0)
        {
            text[length++] = (byte)'.';
            text[length++] = (byte)('0' + (tenths % 10));
        }

        json.WritePropertyName(name);
        json.WriteRawValue(text[..length], skipInputValidation: true);
    }

    // The JSON writer escapes a NUL, and jsonb refuses the escaped one too. It replaces half pairs itself.
    private static string Clean(string value)
    {
        var shown = value.Length > MostCharacters ? value[..MostCharacters] : value;
        return shown.Contains('\0', StringComparison.Ordinal) ? shown.Replace('\0', '?') : shown;
    }
}
