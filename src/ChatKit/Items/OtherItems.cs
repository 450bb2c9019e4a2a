using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using ChatKit.Json;
using ChatKit.Widgets;

namespace ChatKit;

/// <summary>
/// A tool that runs in the page. The assistant's turn ends with a pending one; the client runs it and posts the result,
/// which completes it and starts the next turn.
/// </summary>
public sealed record ClientToolCallItem : ThreadItem
{
    /// <summary>Whether the result has come. Pending by default.</summary>
    public ClientToolCallStatus Status { get; init; }

    /// <summary>The call's id as the model knows it.</summary>
    public required string CallId { get; init; }

    /// <summary>The tool's name, as the page registered it.</summary>
    public required string Name { get; init; }

    /// <summary>What the tool is called with. Nulls in it are kept.</summary>
    public required JsonObject Arguments { get; init; }

    /// <summary>What the page answered: any JSON, untrusted. Null while pending, and where the answer was null.</summary>
    public JsonNode? Output { get; init; }
}

/// <summary>Whether a client tool call has its result.</summary>
[JsonConverter(typeof(WireEnumConverter<ClientToolCallStatus>))]
public enum ClientToolCallStatus
{
    /// <summary>The page has not answered yet.</summary>
    Pending,

    /// <summary>The result is there.</summary>
    Completed,
}

/// <summary>A widget in the thread.</summary>
public sealed record WidgetItem : ThreadItem
{
    /// <summary>The tree.</summary>
    public required WidgetRoot Widget { get; init; }

    /// <summary>What the copy button puts on the clipboard. Null: no such button.</summary>
    public string? CopyText { get; init; }
}

/// <summary>A picture that the assistant made.</summary>
public sealed record GeneratedImageItem : ThreadItem
{
    /// <summary>The picture; null while it is being made.</summary>
    public GeneratedImage? Image { get; init; }
}

/// <summary>A generated picture.</summary>
public sealed record GeneratedImage
{
    /// <summary>Its id.</summary>
    public required string Id { get; init; }

    /// <summary>Where it is; a <c>data:</c> URL is allowed.</summary>
    public required string Url { get; init; }
}

/// <summary>A single task shown on its own, outside a workflow.</summary>
public sealed record TaskItem : ThreadItem
{
    /// <summary>The task.</summary>
    public required ChatTask Task { get; init; }
}

/// <summary>A list of steps that the assistant takes or took.</summary>
public sealed record WorkflowItem : ThreadItem
{
    /// <summary>The steps.</summary>
    public required Workflow Workflow { get; init; }
}

/// <summary>Tells the client that the assistant's turn ends here. It carries nothing and the model never sees it.</summary>
public sealed record EndOfTurnItem : ThreadItem;

/// <summary>Something the model should know and no client may see, written by the server's author.</summary>
public sealed record HiddenContextItem : HiddenItem
{
    /// <summary>Any JSON but null; a string where the standard conversion to model messages is to be used.</summary>
    public required JsonNode Content { get; init; }
}

/// <summary>Something the model should know and no client may see, written by this library (that the user stopped a reply).</summary>
public sealed record SdkHiddenContextItem : HiddenItem
{
    /// <summary>The note.</summary>
    public required string Content { get; init; }
}
