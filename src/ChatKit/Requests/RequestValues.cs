using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using ChatKit.Json;

namespace ChatKit;

/// <summary>A user message on its way to the server.</summary>
public sealed record UserMessageInput
{
    /// <summary>Text and tags, in the order they were typed.</summary>
    public required IReadOnlyList<UserMessageContent> Content { get; init; }

    /// <summary>Ids of attachments that were uploaded before; may be empty.</summary>
    public required IReadOnlyList<string> Attachments { get; init; }

    /// <summary>The part of an earlier message that this one answers. Null or empty when nothing is quoted.</summary>
    public string? QuotedText { get; init; }

    /// <summary>Which tool and model the user picked; may hold nothing.</summary>
    public required InferenceOptions InferenceOptions { get; init; }
}

/// <summary>The answers to the questions of a <see cref="StructuredInputItem"/>.</summary>
public sealed record StructuredInputSubmission
{
    private static readonly Dictionary<string, StructuredInputAnswer> NoAnswers = [];

    /// <summary>Whether the user skipped all questions. Answered by default.</summary>
    public SubmissionStatus Status { get; init; }

    /// <summary>Answers by the id of their question; empty by default. Ids may be unknown, and answers missing.</summary>
    public IReadOnlyDictionary<string, StructuredInputAnswer> Answers { get; init => field = value ?? NoAnswers; } = NoAnswers;
}

/// <summary>Whether questions were answered at all.</summary>
[JsonConverter(typeof(WireEnumConverter<SubmissionStatus>))]
public enum SubmissionStatus
{
    /// <summary>At least some.</summary>
    Answered,

    /// <summary>None.</summary>
    Skipped,
}

/// <summary>What a widget (or the page) sends when the user acts on it.</summary>
public sealed record WidgetAction
{
    /// <summary>The name that the widget's action configuration gave it.</summary>
    public required string Type { get; init; }

    /// <summary>The configured payload together with the values of the form around it. Any JSON; null when there is none. Untrusted.</summary>
    public JsonNode? Payload { get; init; }

    /// <summary>Reads the payload as a type of your own.</summary>
    /// <typeparam name="T">The type of the payload.</typeparam>
    /// <param name="contract">Its source-generated contract, for instance <c>MyJson.Default.SavePayload</c>.</param>
    /// <returns>Null when there is no payload.</returns>
    /// <exception cref="InvalidRequestException">The payload is not such a value.</exception>
    public T? PayloadAs<T>(JsonTypeInfo<T> contract)
    {
        try
        {
            return Payload is null ? default : Payload.Deserialize(contract);
        }
        catch (Exception e) when (e is JsonException or NotSupportedException or InvalidOperationException)
        {
            throw RequestReader.Invalid(e, "params.action.payload");
        }
    }
}
