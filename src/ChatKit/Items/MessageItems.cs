using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace ChatKit;

/// <summary>What the user wrote.</summary>
public sealed record UserMessageItem : ThreadItem
{
    /// <summary>Text and tags (mentions of entities), in the order they were typed.</summary>
    public required IReadOnlyList<UserMessageContent> Content { get; init; }

    /// <summary>The attachments sent with it; empty by default.</summary>
    public IReadOnlyList<Attachment> Attachments { get; init => field = value ?? []; } = [];

    /// <summary>The part of an earlier message that this one answers. Null or empty when nothing was quoted.</summary>
    public string? QuotedText { get; init; }

    /// <summary>Which tool and model the user picked in the composer; nothing by default.</summary>
    public InferenceOptions InferenceOptions { get; init => field = value ?? new(); } = new();
}

/// <summary>One piece of a user message.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(UserTextContent), "input_text")]
[JsonDerivedType(typeof(UserTagContent), "input_tag")]
public abstract record UserMessageContent
{
    private protected UserMessageContent()
    {
    }
}

/// <summary>Plain text of a user. It is never rendered as Markdown.</summary>
public sealed record UserTextContent : UserMessageContent
{
    /// <summary>The text as typed.</summary>
    public required string Text { get; init; }
}

/// <summary>A mention (<c>@name</c>) of an entity that the page knows, for instance a document or a customer.</summary>
public sealed record UserTagContent : UserMessageContent
{
    /// <summary>The page's id of the entity.</summary>
    public required string Id { get; init; }

    /// <summary>The name shown, without the <c>@</c>.</summary>
    public required string Text { get; init; }

    /// <summary>What the page attached to the entity, untrusted; an empty object by default, also where a client leaves it out.</summary>
    public JsonObject Data { get; init => field = value ?? []; } = [];

    /// <summary>A heading under which the entity is listed in the composer.</summary>
    public string? Group { get; init; }

    /// <summary>Whether clicks and previews of it are handled by the page. False by default.</summary>
    public bool Interactive { get; init; }
}

/// <summary>What the user picked in the composer for one message.</summary>
public sealed record InferenceOptions
{
    /// <summary>The tool chosen, or null.</summary>
    public ToolChoice? ToolChoice { get; init; }

    /// <summary>The id of the model chosen, one of the page's <c>composer.models</c>, or null. Untrusted.</summary>
    public string? Model { get; init; }
}

/// <summary>A tool chosen in the composer.</summary>
public sealed record ToolChoice
{
    /// <summary>The tool's id, one of the page's <c>composer.tools</c>. Untrusted.</summary>
    public required string Id { get; init; }
}

/// <summary>What the assistant wrote.</summary>
public sealed record AssistantMessageItem : ThreadItem
{
    /// <summary>Its parts; empty while it has just begun to stream.</summary>
    public required IReadOnlyList<AssistantMessageContent> Content { get; init; }
}

/// <summary>One part of an assistant message.</summary>
public sealed record AssistantMessageContent
{
    /// <summary>Always <c>output_text</c>; the protocol has no other kind yet.</summary>
    [SuppressMessage("Performance", "CA1822", Justification = "Only members of the instance are sent.")]
    public string Type => "output_text";

    /// <summary>GitHub-flavoured Markdown.</summary>
    public required string Text { get; init; }

    /// <summary>Sources of the text; empty by default.</summary>
    public IReadOnlyList<Annotation> Annotations { get; init => field = value ?? []; } = [];
}
