using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Gateway.Data;

namespace Gateway.Usage;

/// <summary>
/// A journal record's payload: a version, fixed fields, texts with their length. Written into a buffer that each thread
/// keeps; whatever Postgres would not store is replaced here, so that no row stops those behind it.
/// </summary>
internal static class JournalRecord
{
    /// <summary>Attempts behind as much JSON are counted in the sums and not listed: a record fits into the smallest segment.</summary>
    private const int MostAttemptBytes = 24 * 1024;

    /// <summary>The same for steps.</summary>
    private const int MostStepBytes = 12 * 1024;

    private const byte Version = 2;

    /// <summary>Without steps; a journal of before an update may hold some.</summary>
    private const byte VersionWithoutSteps = 1;

    private const int MostCharacters = 512;

    /// <summary>Listed of one step.</summary>
    private const int MostTools = 32;

    private const ushort NoText = ushort.MaxValue;

    [ThreadStatic]
    private static Writer? _writer;

    [ThreadStatic]
    private static Utf8JsonWriter? _json;

    /// <returns>Valid until this thread writes the next one.</returns>
    public static ReadOnlySpan<byte> Start(RequestUsage usage, string model, long promptTokens)
    {
        var writer = Begin(usage);
        writer.Text(model);
        writer.Number(promptTokens);
        writer.Flag(usage.IsStream);
        return writer.Written;
    }

    /// <returns>Valid until this thread writes the next one.</returns>
    public static ReadOnlySpan<byte> End(RequestUsage usage, int status, string reason, double durationMs)
    {
        var attempts = usage.Attempts;
        var totals = usage.Totals();
        var last = Answering(attempts);
        var writer = Begin(usage);
        writer.Text(last?.Model ?? usage.Model);
        writer.Text(last?.Deployment);
        writer.Text(reason);
        writer.Number(status);
        writer.Flag(usage.IsStream);
        writer.Flag(totals.IsEstimated);
        writer.Number(totals.Input);
        writer.Number(totals.CachedInput);
        writer.Number(totals.Output);
        writer.Number(totals.Reasoning);
        writer.Money(totals.Usd);
        writer.Real(usage.FirstContentMs ?? double.NaN);
        writer.Real(Finite(durationMs));
        writer.Number(usage.Steps);
        writer.Attempts(attempts);
        writer.Steps(usage.StepList);
        return writer.Written;
    }

    /// <summary>The row that a record stands for. A start's is that of a request that was lost.</summary>
    /// <exception cref="FormatException">Not a record of this version.</exception>
    public static UsageRow Read(RecordKind kind, ReadOnlySpan<byte> payload)
    {
        var reader = new Reader(payload);
        var version = reader.Byte();
        if (version is not (Version or VersionWithoutSteps) || kind is not (RecordKind.Start or RecordKind.End))
        {
            throw new FormatException("A journal record of another version.");
        }

        var row = new UsageRow
        {
            WorkspaceId = reader.Id(),
            KeyId = reader.Id(),
            Id = reader.Id(),
            At = new DateTime(reader.Number(), DateTimeKind.Utc),
            RequestId = reader.Text() ?? "",
            Route = reader.Text() ?? "",
            Selector = reader.Text() ?? "",
            Bot = reader.Text(),
            Model = reader.Text(),
            EndReason = "lost",
            Attempts = "[]",
        };
        if (kind == RecordKind.Start)
        {
            row.InputTokens = reader.Number();
            row.IsStream = reader.Flag();
            row.IsEstimated = true;
            row.Steps = 1;
            return row;
        }

        row.Deployment = reader.Text();
        row.EndReason = reader.Text() ?? "";
        row.Status = (int)reader.Number();
        row.IsStream = reader.Flag();
        row.IsEstimated = reader.Flag();
        row.InputTokens = reader.Number();
        row.CachedInputTokens = reader.Number();
        row.OutputTokens = reader.Number();
        row.ReasoningTokens = reader.Number();
        row.Usd = reader.Money();
        row.FirstContentMs = reader.Real() is var first && double.IsNaN(first) ? null : first;
        row.DurationMs = reader.Real();
        row.Steps = (int)reader.Number();
        row.StepList = version == VersionWithoutSteps ? row.StepList : reader.TextAtEnd();
        row.Attempts = reader.Rest();
        return row;
    }

    /// <summary>The id alone, without making a row.</summary>
    public static Guid IdOf(ReadOnlySpan<byte> payload) => new(payload.Slice(33, 16));

    private static Writer Begin(RequestUsage usage)
    {
        var writer = _writer ??= new Writer();
        writer.Reset();
        writer.Byte(Version);
        writer.Id(usage.Subject.WorkspaceId);
        writer.Id(usage.Subject.KeyId);
        writer.Id(usage.Id);
        writer.Number(usage.At.UtcTicks);
        writer.Text(usage.Subject.RequestId);
        writer.Text(usage.Subject.Route);
        writer.Text(usage.Subject.Selector);
        writer.Text(usage.Subject.Bot);
        return writer;
    }

    private static AttemptUsage? Answering(IReadOnlyList<AttemptUsage> attempts)
    {
        for (var i = attempts.Count - 1; i >= 0; i--)
        {
            if (attempts[i].Outcome == "ok")
            {
                return attempts[i];
            }
        }

        return attempts.Count == 0 ? null : attempts[^1];
    }

    private static double Finite(double value) => double.IsFinite(value) ? value : 0;

    private sealed class Writer
    {
        private readonly ArrayBufferWriter<byte> _bytes = new(2_048);

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
            BinaryPrimitives.WriteUInt16LittleEndian(span, value is null ? NoText : (ushort)length);
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
                json.WriteString("deployment"u8, Clean(attempt.Deployment));
                json.WriteString("model"u8, Clean(attempt.Model));
                json.WriteString("outcome"u8, Clean(attempt.Outcome));
                json.WriteNumber("started_ms"u8, Milliseconds(attempt.StartedMs));
                json.WriteNumber("duration_ms"u8, Milliseconds(attempt.DurationMs));
                if (attempt.FirstContentMs is { } first)
                {
                    json.WriteNumber("first_content_ms"u8, Milliseconds(first));
                }

                json.WriteNumber("input_tokens"u8, attempt.InputTokens);
                json.WriteNumber("cached_input_tokens"u8, attempt.CachedInputTokens);
                json.WriteNumber("output_tokens"u8, attempt.OutputTokens);
                json.WriteNumber("reasoning_tokens"u8, attempt.ReasoningTokens);
                json.WriteBoolean("is_estimated"u8, attempt.IsEstimated);
                if (attempt.Usd is { } usd)
                {
                    json.WriteNumber("usd"u8, usd);
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
            json.WriteString("bot"u8, Clean(step.Bot));
            json.WriteNumber("depth"u8, step.Depth);
            json.WriteNumber("step"u8, step.Number);
            json.WriteString("model"u8, Clean(totals.Model));
            json.WriteStartArray("tools"u8);
            foreach (var tool in step.Tools.Take(MostTools))
            {
                json.WriteStringValue(Clean(tool));
            }

            json.WriteEndArray();
            json.WriteNumber("input_tokens"u8, totals.Input);
            json.WriteNumber("output_tokens"u8, totals.Output);
            if (totals.Usd is { } usd)
            {
                json.WriteNumber("usd"u8, usd);
            }

            json.WriteNumber("duration_ms"u8, Milliseconds(totals.DurationMs));
            json.WriteEndObject();
        }

        private static double Milliseconds(double value) => Math.Round(Finite(value), 1);

        // The JSON writer escapes a NUL, and jsonb refuses the escaped one too. It replaces half pairs itself.
        private static string Clean(string value)
        {
            var shown = value.Length > MostCharacters ? value[..MostCharacters] : value;
            return shown.Contains('\0', StringComparison.Ordinal) ? shown.Replace('\0', '?') : shown;
        }
    }

    private ref struct Reader(ReadOnlySpan<byte> bytes)
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

        public string? Text() =>
            BinaryPrimitives.ReadUInt16LittleEndian(Take(2)) is var length && length == NoText ? null : Encoding.UTF8.GetString(Take(length));

        /// <summary>Takes a text whose length stands behind it from the end.</summary>
        public string TextAtEnd()
        {
            const int LengthBytes = sizeof(long);
            if (_left.Length < LengthBytes
                || BinaryPrimitives.ReadInt64LittleEndian(_left[^LengthBytes..]) is var length && (length < 0 || length > _left.Length - LengthBytes))
            {
                throw new FormatException("A journal record ends too early.");
            }

            var text = Encoding.UTF8.GetString(_left[^(LengthBytes + (int)length)..^LengthBytes]);
            _left = _left[..^(LengthBytes + (int)length)];
            return text;
        }

        public string Rest() => Encoding.UTF8.GetString(_left);

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
}
