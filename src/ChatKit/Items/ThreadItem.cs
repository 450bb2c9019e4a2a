using System.Text.Json.Serialization;

namespace ChatKit;

/// <summary>
/// One entry of a thread: a message, a widget, a workflow and so on. Items are immutable; to change one, make another
/// with <c>with</c> and the same id. Two items are equal when their members are, lists by reference.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(UserMessageItem), "user_message")]
[JsonDerivedType(typeof(AssistantMessageItem), "assistant_message")]
[JsonDerivedType(typeof(ClientToolCallItem), "client_tool_call")]
[JsonDerivedType(typeof(WidgetItem), "widget")]
[JsonDerivedType(typeof(GeneratedImageItem), "generated_image")]
[JsonDerivedType(typeof(StructuredInputItem), "structured_input")]
[JsonDerivedType(typeof(TaskItem), "task")]
[JsonDerivedType(typeof(WorkflowItem), "workflow")]
[JsonDerivedType(typeof(EndOfTurnItem), "end_of_turn")]
[JsonDerivedType(typeof(HiddenContextItem), "hidden_context_item")]
[JsonDerivedType(typeof(SdkHiddenContextItem), "sdk_hidden_context")]
public abstract record ThreadItem
{
    private protected ThreadItem()
    {
    }

    /// <summary>Unique among the items of its thread; by default also among all items.</summary>
    [JsonPropertyOrder(-3)]
    public required string Id { get; init; }

    /// <summary>The thread it belongs to.</summary>
    [JsonPropertyOrder(-2)]
    public required string ThreadId { get; init; }

    /// <summary>When it was made. Items of a thread are ordered by this, and by arrival where it is the same.</summary>
    [JsonPropertyOrder(-1)]
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Whether it is context for the model alone, which no client may ever see.</summary>
    [JsonIgnore]
    public bool IsHidden => this is HiddenItem;
}

/// <summary>An item that only the store and the model see.</summary>
public abstract record HiddenItem : ThreadItem
{
    private protected HiddenItem()
    {
    }
}
