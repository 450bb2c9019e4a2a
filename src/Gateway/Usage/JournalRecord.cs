using System.Text;
using Gateway.Data;

namespace Gateway.Usage;

/// <summary>
/// A journal record's payload: a version, fixed fields, texts with their length. Written into a buffer that each thread
/// keeps; whatever Postgres would not store is replaced here, so that no row stops those behind it.
/// </summary>
internal static class JournalRecord
{
    public const byte Version = 2;

    /// <summary>Without steps; a journal of before an update may hold some.</summary>
    private const byte VersionWithoutSteps = 1;

    /// <summary>The length of a text that is not there.</summary>
    public const ushort NoText = ushort.MaxValue;

    [ThreadStatic]
    private static JournalRecordWriter? _writer;

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
        var reader = new JournalRecordReader(payload);
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
        row.StepList = version == VersionWithoutSteps ? row.StepList : Encoding.UTF8.GetString(reader.TextAtEnd());
        row.Attempts = Encoding.UTF8.GetString(reader.Rest);
        return row;
    }

    /// <summary>The id alone, without making a row.</summary>
    public static Guid IdOf(ReadOnlySpan<byte> payload) => new(payload.Slice(33, 16));

    private static JournalRecordWriter Begin(RequestUsage usage)
    {
        var writer = _writer ??= new JournalRecordWriter();
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

    public static double Finite(double value) => double.IsFinite(value) ? value : 0;
}
