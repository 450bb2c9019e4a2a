using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using ChatKit.Json;

namespace ChatKit;

/// <summary>One event of a streamed answer.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(ThreadCreatedEvent), "thread.created")]
[JsonDerivedType(typeof(ThreadUpdatedEvent), "thread.updated")]
[JsonDerivedType(typeof(ThreadItemAddedEvent), "thread.item.added")]
[JsonDerivedType(typeof(ThreadItemUpdatedEvent), "thread.item.updated")]
[JsonDerivedType(typeof(ThreadItemDoneEvent), "thread.item.done")]
[JsonDerivedType(typeof(ThreadItemRemovedEvent), "thread.item.removed")]
[JsonDerivedType(typeof(ThreadItemReplacedEvent), "thread.item.replaced")]
[JsonDerivedType(typeof(StreamOptionsEvent), "stream_options")]
[JsonDerivedType(typeof(ProgressUpdateEvent), "progress_update")]
[JsonDerivedType(typeof(ClientEffectEvent), "client_effect")]
[JsonDerivedType(typeof(ErrorEvent), "error")]
[JsonDerivedType(typeof(NoticeEvent), "notice")]
public abstract record StreamEvent
{
    private protected StreamEvent()
    {
    }
}

/// <summary>The first event of <c>threads.create</c>.</summary>
public sealed record ThreadCreatedEvent : StreamEvent
{
    /// <summary>The new thread, with an empty page of items and no title.</summary>
    public required ThreadView Thread { get; init; }
}

/// <summary>Title, status, image domains or (unseen) metadata of the thread have changed.</summary>
public sealed record ThreadUpdatedEvent : StreamEvent
{
    /// <summary>The thread as it is now, always with an empty page of items: the client keeps its own.</summary>
    public required ThreadView Thread { get; init; }
}

/// <summary>A new item begins. It is not stored before it is done.</summary>
public sealed record ThreadItemAddedEvent : StreamEvent
{
    /// <summary>The item as it begins.</summary>
    public required ThreadItem Item { get; init; }
}

/// <summary>A change to an item that has begun, or to a widget that is there. Shown, not stored.</summary>
public sealed record ThreadItemUpdatedEvent : StreamEvent
{
    /// <summary>The item.</summary>
    public required string ItemId { get; init; }

    /// <summary>The change.</summary>
    public required ThreadItemUpdate Update { get; init; }
}

/// <summary>An item is final and stored. May come without an event that it was added.</summary>
public sealed record ThreadItemDoneEvent : StreamEvent
{
    /// <summary>The whole item; replaces what was streamed.</summary>
    public required ThreadItem Item { get; init; }
}

/// <summary>An item is deleted.</summary>
public sealed record ThreadItemRemovedEvent : StreamEvent
{
    /// <summary>The item.</summary>
    public required string ItemId { get; init; }
}

/// <summary>An item that is there gets other content, even of another kind, and is stored so.</summary>
public sealed record ThreadItemReplacedEvent : StreamEvent
{
    /// <summary>The new item, with the old one's id.</summary>
    public required ThreadItem Item { get; init; }
}

/// <summary>Settings of this stream, sent before the handler's events.</summary>
public sealed record StreamOptionsEvent : StreamEvent
{
    /// <summary>The settings.</summary>
    public required StreamOptions StreamOptions { get; init; }
}

/// <summary>Settings of one stream.</summary>
public sealed record StreamOptions
{
    /// <summary>Whether the client shows a stop button.</summary>
    public required bool AllowCancel { get; init; }
}

/// <summary>A passing status line, until the next one, an assistant message or a widget. Never stored.</summary>
public sealed record ProgressUpdateEvent : StreamEvent
{
    /// <summary>Shown before the text.</summary>
    public IconName? Icon { get; init; }

    /// <summary>The line.</summary>
    public required string Text { get; init; }
}

/// <summary>A signal to the host page that expects no answer. Never stored.</summary>
public sealed record ClientEffectEvent : StreamEvent
{
    /// <summary>What the page knows the effect by.</summary>
    public required string Name { get; init; }

    /// <summary>Given to the page; nulls in it are kept. An empty object by default.</summary>
    public JsonObject Data { get; init => field = value ?? []; } = [];
}

/// <summary>The turn failed.</summary>
public sealed record ErrorEvent : StreamEvent
{
    /// <summary>The code whose <see cref="Message"/> the client shows.</summary>
    public const string CustomCode = "custom";

    /// <summary>The code for which the client has a text of its own.</summary>
    public const string StreamErrorCode = "stream.error";

    /// <summary><see cref="CustomCode"/> by default. With any other the client shows its own text.</summary>
    public string Code { get; init => field = value ?? CustomCode; } = CustomCode;

    /// <summary>Shown with <see cref="CustomCode"/>.</summary>
    public string? Message { get; init; }

    /// <summary>Whether the client offers to try again. False by default.</summary>
    public bool AllowRetry { get; init; }
}

/// <summary>A banner for the user. Never stored.</summary>
public sealed record NoticeEvent : StreamEvent
{
    /// <summary>How serious it is.</summary>
    public required NoticeLevel Level { get; init; }

    /// <summary>Markdown.</summary>
    public required string Message { get; init; }

    /// <summary>A heading, or null.</summary>
    public string? Title { get; init; }
}

/// <summary>How serious a notice is.</summary>
[JsonConverter(typeof(WireEnumConverter<NoticeLevel>))]
public enum NoticeLevel
{
    /// <summary>Good to know.</summary>
    Info,

    /// <summary>Mind this.</summary>
    Warning,

    /// <summary>Something is wrong.</summary>
    Danger,
}
