using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace ChatKit;

/// <summary>Says that a place in a text rests on a source.</summary>
public sealed record Annotation
{
    /// <summary>Always <c>annotation</c>; the protocol has no other kind yet.</summary>
    [SuppressMessage("Performance", "CA1822", Justification = "Only members of the instance are sent.")]
    public string Type => "annotation";

    /// <summary>What the text rests on.</summary>
    public required Source Source { get; init; }

    /// <summary>Where the marker stands: UTF-16 characters from the start of the text. Null: only in the list of sources.</summary>
    public int? Index { get; init; }
}

/// <summary>Something that a text rests on: a page, a file, or an entity of the host page.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(UrlSource), "url")]
[JsonDerivedType(typeof(FileSource), "file")]
[JsonDerivedType(typeof(EntitySource), "entity")]
public abstract record Source
{
    private protected Source()
    {
    }

    /// <summary>The name shown.</summary>
    public required string Title { get; init; }

    /// <summary>A sentence or two about it.</summary>
    public string? Description { get; init; }

    /// <summary>When it was published or changed, as text to be shown.</summary>
    public string? Timestamp { get; init; }

    /// <summary>A heading under which it is listed.</summary>
    public string? Group { get; init; }
}

/// <summary>A page on the web. Not sealed, because tasks hold lists of this kind alone, and only then its <c>type</c> is written there.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(UrlSource), "url")]
public record UrlSource : Source
{
    /// <summary>Its address.</summary>
    public required string Url { get; init; }

    /// <summary>Who published it.</summary>
    public string? Attribution { get; init; }
}

/// <summary>A file. Not sealed for the same reason as <see cref="UrlSource"/>.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(FileSource), "file")]
public record FileSource : Source
{
    /// <summary>Its name, with the extension.</summary>
    public required string Filename { get; init; }
}

/// <summary>A thing that the host page knows, for instance a customer.</summary>
public sealed record EntitySource : Source
{
    /// <summary>The page's id of it.</summary>
    public required string Id { get; init; }

    /// <summary>Shown before the label.</summary>
    public IconName? Icon { get; init; }

    /// <summary>Shown with the icon at the top of the card that appears on hovering.</summary>
    public string? Label { get; init; }

    /// <summary>Shown in the text instead of the icon.</summary>
    public string? InlineLabel { get; init; }

    /// <summary>Whether clicks and previews are handled by the page. False by default.</summary>
    public bool Interactive { get; init; }

    /// <summary>Given to the page's callbacks; an empty object by default.</summary>
    public JsonObject Data { get; init => field = value ?? []; } = [];

    /// <summary>Deprecated and ignored by clients: <c>lazy</c> or null.</summary>
    public string? Preview { get; init; }
}
