using System.Text.Json.Nodes;

namespace ChatKit;

/// <summary>
/// A thread as the server and its store know it, without its items. The members that can be set are how a handler changes
/// a thread: after each event the server compares, saves, and tells the client. Not safe for concurrent use.
/// </summary>
public sealed record ChatThread
{
    /// <summary>Unique among all threads.</summary>
    public required string Id { get; init; }

    /// <summary>When it was made. Threads are listed by this.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Shown in the header and the history. Null: none yet.</summary>
    public string? Title { get; set; }

    /// <summary>Whether the user may write. Active by default.</summary>
    public ThreadStatus Status { get; set; } = new ActiveStatus();

    /// <summary>Hosts from which images in assistant messages may be loaded. Null: no restriction.</summary>
    public IReadOnlyList<string>? AllowedImageDomains { get; set; }

    /// <summary>The server's own notes on the thread: kept by the store, never sent to a client. Empty by default.</summary>
    public JsonObject Metadata { get; set; } = [];
}
