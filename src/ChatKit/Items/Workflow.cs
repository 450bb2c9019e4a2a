using System.Text.Json;
using System.Text.Json.Serialization;
using ChatKit.Json;

namespace ChatKit;

/// <summary>The steps of a <see cref="WorkflowItem"/>.</summary>
public sealed record Workflow
{
    /// <summary>Whether the steps are the model's thoughts or something of your own.</summary>
    public required WorkflowType Type { get; init; }

    /// <summary>The steps so far.</summary>
    public required IReadOnlyList<ChatTask> Tasks { get; init; }

    /// <summary>The line shown once it has ended: a title, or how long it took. Null while it runs.</summary>
    public WorkflowSummary? Summary { get; init; }

    /// <summary>Whether the steps are shown unfolded. False by default.</summary>
    public bool Expanded { get; init; }
}

/// <summary>What a workflow's steps are.</summary>
[JsonConverter(typeof(WireEnumConverter<WorkflowType>))]
public enum WorkflowType
{
    /// <summary>Steps of your own.</summary>
    Custom,

    /// <summary>The model's thoughts.</summary>
    Reasoning,
}

/// <summary>The line shown above a workflow that has ended.</summary>
[JsonConverter(typeof(WorkflowSummaryConverter))]
public abstract record WorkflowSummary
{
    private protected WorkflowSummary()
    {
    }
}

/// <summary>A title of your own.</summary>
public sealed record CustomSummary : WorkflowSummary
{
    /// <summary>The line.</summary>
    public required string Title { get; init; }

    /// <summary>Shown before it.</summary>
    public IconName? Icon { get; init; }
}

/// <summary>How long it took, in the client's words.</summary>
public sealed record DurationSummary : WorkflowSummary
{
    /// <summary>Whole seconds.</summary>
    public required int Duration { get; init; }
}

/// <summary>The two summaries have no <c>type</c>: the presence of <c>duration</c> tells them apart.</summary>
internal sealed class WorkflowSummaryConverter : JsonConverter<WorkflowSummary>
{
    public override WorkflowSummary? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        using var document = JsonDocument.ParseValue(ref reader);
        var summary = document.RootElement;
        var kind = summary.ValueKind == JsonValueKind.Object && summary.TryGetProperty("duration", out _)
            ? typeof(DurationSummary)
            : typeof(CustomSummary);
        return (WorkflowSummary?)summary.Deserialize(options.GetTypeInfo(kind));
    }

    public override void Write(Utf8JsonWriter writer, WorkflowSummary value, JsonSerializerOptions options) =>
        JsonSerializer.Serialize(writer, value, options.GetTypeInfo(value.GetType()));
}
