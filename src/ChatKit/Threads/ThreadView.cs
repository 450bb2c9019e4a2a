using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;

namespace ChatKit;

/// <summary>A thread as a client sees it: with a page of its items and without the server's metadata.</summary>
public sealed record ThreadView
{
    /// <summary>The thread's id.</summary>
    public required string Id { get; init; }

    /// <summary>When it was made.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Null: none yet.</summary>
    public string? Title { get; init; }

    /// <summary>Whether the user may write. Active by default.</summary>
    public ThreadStatus Status { get; init => field = value ?? new ActiveStatus(); } = new ActiveStatus();

    /// <summary>Hosts from which images in assistant messages may be loaded. Null: no restriction.</summary>
    public IReadOnlyList<string>? AllowedImageDomains { get; init; }

    /// <summary>Always an empty object: the protocol has the member, but what a server notes is its own.</summary>
    [SuppressMessage("Performance", "CA1822", Justification = "Only members of the instance are sent.")]
    public JsonObject Metadata => [];

    /// <summary>A page of its items, without hidden ones. Empty everywhere but in the answer to <c>threads.get_by_id</c>.</summary>
    public required Page<ThreadItem> Items { get; init; }

    /// <summary>What a client may see of a thread.</summary>
    /// <param name="thread">The thread.</param>
    /// <param name="items">Its items; hidden ones are left out. Null: an empty page.</param>
    public static ThreadView Of(ChatThread thread, Page<ThreadItem>? items = null)
    {
        ArgumentNullException.ThrowIfNull(thread);
        return new ThreadView
        {
            Id = thread.Id,
            CreatedAt = thread.CreatedAt,
            Title = thread.Title,
            Status = thread.Status,
            AllowedImageDomains = thread.AllowedImageDomains,
            Items = items is null ? new() { Data = [] } : items with { Data = [.. items.Data.Where(item => !item.IsHidden)] },
        };
    }
}
