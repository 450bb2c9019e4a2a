using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace ChatKit;

/// <summary><c>threads.create</c>: makes a thread with its first user message, and answers it.</summary>
public sealed record ThreadsCreateRequest : StreamingRequest
{
    /// <summary>The parameters.</summary>
    public required ThreadsCreateParams Params { get; init; }
}

/// <summary>Parameters of <see cref="ThreadsCreateRequest"/>.</summary>
public sealed record ThreadsCreateParams
{
    /// <summary>The first message.</summary>
    public required UserMessageInput Input { get; init; }
}

/// <summary><c>threads.add_user_message</c>: adds a user message and answers it.</summary>
public sealed record ThreadsAddUserMessageRequest : StreamingRequest
{
    /// <summary>The parameters.</summary>
    public required ThreadsAddUserMessageParams Params { get; init; }
}

/// <summary>Parameters of <see cref="ThreadsAddUserMessageRequest"/>.</summary>
public sealed record ThreadsAddUserMessageParams
{
    /// <summary>The thread.</summary>
    public required string ThreadId { get; init; }

    /// <summary>The message.</summary>
    public required UserMessageInput Input { get; init; }
}

/// <summary><c>threads.add_client_tool_output</c>: completes the pending client tool call, and goes on.</summary>
public sealed record ThreadsAddClientToolOutputRequest : StreamingRequest
{
    /// <summary>The parameters.</summary>
    public required ThreadsAddClientToolOutputParams Params { get; init; }
}

/// <summary>Parameters of <see cref="ThreadsAddClientToolOutputRequest"/>.</summary>
public sealed record ThreadsAddClientToolOutputParams
{
    /// <summary>The thread.</summary>
    public required string ThreadId { get; init; }

    /// <summary>What the tool answered. The member must be there, but any JSON will do, null too (then this is null).</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required JsonNode? Result { get; init; }
}

/// <summary><c>threads.add_structured_input</c>: answers the questions of a pending item, and goes on.</summary>
public sealed record ThreadsAddStructuredInputRequest : StreamingRequest
{
    /// <summary>The parameters.</summary>
    public required ThreadsAddStructuredInputParams Params { get; init; }
}

/// <summary>Parameters of <see cref="ThreadsAddStructuredInputRequest"/>.</summary>
public sealed record ThreadsAddStructuredInputParams
{
    /// <summary>The thread.</summary>
    public required string ThreadId { get; init; }

    /// <summary>The item with the questions.</summary>
    public required string ItemId { get; init; }

    /// <summary>The answers.</summary>
    public required StructuredInputSubmission Input { get; init; }
}

/// <summary><c>threads.retry_after_item</c>: deletes everything after a user message and answers it anew.</summary>
public sealed record ThreadsRetryAfterItemRequest : StreamingRequest
{
    /// <summary>The parameters.</summary>
    public required ThreadsRetryAfterItemParams Params { get; init; }
}

/// <summary>Parameters of <see cref="ThreadsRetryAfterItemRequest"/>.</summary>
public sealed record ThreadsRetryAfterItemParams
{
    /// <summary>The thread.</summary>
    public required string ThreadId { get; init; }

    /// <summary>A user message.</summary>
    public required string ItemId { get; init; }
}

/// <summary><c>threads.custom_action</c>: an action of a widget or of the page.</summary>
public sealed record ThreadsCustomActionRequest : StreamingRequest
{
    /// <summary>The parameters.</summary>
    public required CustomActionParams Params { get; init; }
}

/// <summary>Parameters of <see cref="ThreadsCustomActionRequest"/> and <see cref="ThreadsSyncCustomActionRequest"/>.</summary>
public sealed record CustomActionParams
{
    /// <summary>The thread.</summary>
    public required string ThreadId { get; init; }

    /// <summary>The widget item that the action comes from. Null: from the page itself.</summary>
    public string? ItemId { get; init; }

    /// <summary>The action.</summary>
    public required WidgetAction Action { get; init; }
}
