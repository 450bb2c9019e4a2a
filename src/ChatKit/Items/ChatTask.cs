using System.Text.Json.Serialization;
using ChatKit.Json;

namespace ChatKit;

/// <summary>One step of a workflow, or a task shown on its own.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(CustomTask), "custom")]
[JsonDerivedType(typeof(SearchTask), "web_search")]
[JsonDerivedType(typeof(ThoughtTask), "thought")]
[JsonDerivedType(typeof(FileTask), "file")]
[JsonDerivedType(typeof(ImageTask), "image")]
public abstract record ChatTask
{
    private protected ChatTask()
    {
    }

    /// <summary>The mark beside it, shown inside a workflow only. None by default.</summary>
    public StatusIndicator StatusIndicator { get; init; }

    /// <summary>The line shown.</summary>
    public string? Title { get; init; }
}

/// <summary>A task of your own.</summary>
public sealed record CustomTask : ChatTask
{
    /// <summary>Shown before the title.</summary>
    public IconName? Icon { get; init; }

    /// <summary>Markdown below the title.</summary>
    public string? Content { get; init; }
}

/// <summary>A search of the web.</summary>
public sealed record SearchTask : ChatTask
{
    /// <summary>The query that stands for all of them in the title.</summary>
    public string? TitleQuery { get; init; }

    /// <summary>What was searched for; empty by default.</summary>
    public IReadOnlyList<string> Queries { get; init => field = value ?? []; } = [];

    /// <summary>What was found; empty by default.</summary>
    public IReadOnlyList<UrlSource> Sources { get; init => field = value ?? []; } = [];
}

/// <summary>A thought of the model.</summary>
public sealed record ThoughtTask : ChatTask
{
    /// <summary>The thought, Markdown.</summary>
    public required string Content { get; init; }
}

/// <summary>Work with files.</summary>
public sealed record FileTask : ChatTask
{
    /// <summary>The files; empty by default.</summary>
    public IReadOnlyList<FileSource> Sources { get; init => field = value ?? []; } = [];
}

/// <summary>Work on a picture.</summary>
public sealed record ImageTask : ChatTask;

/// <summary>The mark beside a task.</summary>
[JsonConverter(typeof(WireEnumConverter<StatusIndicator>))]
public enum StatusIndicator
{
    /// <summary>No mark.</summary>
    None,

    /// <summary>It is under way.</summary>
    Loading,

    /// <summary>It is done.</summary>
    Complete,
}
