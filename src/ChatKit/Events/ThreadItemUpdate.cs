using System.Text.Json.Serialization;
using ChatKit.Widgets;

namespace ChatKit;

/// <summary>A change to an item, inside a <see cref="ThreadItemUpdatedEvent"/>.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(ContentPartAdded), "assistant_message.content_part.added")]
[JsonDerivedType(typeof(ContentPartTextDelta), "assistant_message.content_part.text_delta")]
[JsonDerivedType(typeof(ContentPartAnnotationAdded), "assistant_message.content_part.annotation_added")]
[JsonDerivedType(typeof(ContentPartDone), "assistant_message.content_part.done")]
[JsonDerivedType(typeof(WidgetRootUpdated), "widget.root.updated")]
[JsonDerivedType(typeof(WidgetComponentUpdated), "widget.component.updated")]
[JsonDerivedType(typeof(WidgetTextDelta), "widget.streaming_text.value_delta")]
[JsonDerivedType(typeof(WorkflowTaskAdded), "workflow.task.added")]
[JsonDerivedType(typeof(WorkflowTaskUpdated), "workflow.task.updated")]
[JsonDerivedType(typeof(GeneratedImageUpdated), "generated_image.updated")]
public abstract record ThreadItemUpdate
{
    private protected ThreadItemUpdate()
    {
    }
}

/// <summary>An assistant message gets a part. Parts missing before it are empty.</summary>
public sealed record ContentPartAdded : ThreadItemUpdate
{
    /// <summary>The part's place, from 0.</summary>
    public required int ContentIndex { get; init; }

    /// <summary>The part as it begins.</summary>
    public required AssistantMessageContent Content { get; init; }
}

/// <summary>Text is appended to a part of an assistant message.</summary>
public sealed record ContentPartTextDelta : ThreadItemUpdate
{
    /// <summary>The part's place, from 0.</summary>
    public required int ContentIndex { get; init; }

    /// <summary>The text to append.</summary>
    public required string Delta { get; init; }
}

/// <summary>A part of an assistant message gets an annotation.</summary>
public sealed record ContentPartAnnotationAdded : ThreadItemUpdate
{
    /// <summary>The part's place, from 0.</summary>
    public required int ContentIndex { get; init; }

    /// <summary>The annotation's place within the part, from 0; past the end means at the end.</summary>
    public required int AnnotationIndex { get; init; }

    /// <summary>The annotation.</summary>
    public required Annotation Annotation { get; init; }
}

/// <summary>A part of an assistant message is complete.</summary>
public sealed record ContentPartDone : ThreadItemUpdate
{
    /// <summary>The part's place, from 0.</summary>
    public required int ContentIndex { get; init; }

    /// <summary>Replaces the part.</summary>
    public required AssistantMessageContent Content { get; init; }
}

/// <summary>A widget gets another tree.</summary>
public sealed record WidgetRootUpdated : ThreadItemUpdate
{
    /// <summary>Replaces the whole tree.</summary>
    public required WidgetRoot Widget { get; init; }
}

/// <summary>One node of a widget is replaced.</summary>
public sealed record WidgetComponentUpdated : ThreadItemUpdate
{
    /// <summary>The <c>id</c> of the node.</summary>
    public required string ComponentId { get; init; }

    /// <summary>Replaces the node.</summary>
    public required WidgetComponent Component { get; init; }
}

/// <summary>Text is appended to the value of a Text or Markdown node.</summary>
public sealed record WidgetTextDelta : ThreadItemUpdate
{
    /// <summary>The <c>id</c> of the node.</summary>
    public required string ComponentId { get; init; }

    /// <summary>The text to append.</summary>
    public required string Delta { get; init; }

    /// <summary>Whether the text is complete with this.</summary>
    public required bool Done { get; init; }
}

/// <summary>A workflow gets a task at its end.</summary>
public sealed record WorkflowTaskAdded : ThreadItemUpdate
{
    /// <summary>The task's place, from 0.</summary>
    public required int TaskIndex { get; init; }

    /// <summary>The task.</summary>
    public required ChatTask Task { get; init; }
}

/// <summary>A task of a workflow is replaced.</summary>
public sealed record WorkflowTaskUpdated : ThreadItemUpdate
{
    /// <summary>The task's place, from 0.</summary>
    public required int TaskIndex { get; init; }

    /// <summary>The whole task.</summary>
    public required ChatTask Task { get; init; }
}

/// <summary>A picture in the making can be seen.</summary>
public sealed record GeneratedImageUpdated : ThreadItemUpdate
{
    /// <summary>The picture so far.</summary>
    public required GeneratedImage Image { get; init; }

    /// <summary>How much is done, 0 to 1; null when not known.</summary>
    public double? Progress { get; init; }
}
