namespace Gateway.Data;

/// <summary>What lets a browser talk to one bot as one user for a short time, so that it needs no key.</summary>
internal sealed class ChatKitSessionRow
{
    public Guid WorkspaceId { get; set; }

    /// <summary><c>cksess_…</c>.</summary>
    public required string Id { get; set; }

    /// <summary>SHA-256 of the client secret, 32 bytes.</summary>
    public required byte[] SecretHash { get; set; }

    /// <summary>The key that made it: its limits hold, and without it the session is nothing.</summary>
    public Guid KeyId { get; set; }

    public required string BotId { get; set; }

    /// <summary>Who the key's owner says it is. Threads are this user's.</summary>
    public required string UserId { get; set; }

    /// <summary>A JSON object: what was asked for of titles, uploads, history, origins, models, state variables.</summary>
    public required string Options { get; set; }

    /// <summary>Turns and uploads that may begin in a minute.</summary>
    public int RequestsPerMinute { get; set; }

    /// <summary>The UTC minute that <see cref="Requests"/> counts.</summary>
    public DateTime? CountedMinute { get; set; }

    public int Requests { get; set; }
    public int Files { get; set; }
    public DateTime CreatedAt { get; set; }
    public DateTime ExpiresAt { get; set; }
    public DateTime? CancelledAt { get; set; }
}

/// <summary>A conversation of one user with one bot.</summary>
internal sealed class ChatKitThreadRow
{
    public Guid WorkspaceId { get; set; }

    /// <summary><c>thr_…</c>.</summary>
    public required string Id { get; set; }

    public required string BotId { get; set; }
    public required string UserId { get; set; }
    public DateTime CreatedAt { get; set; }

    /// <summary>In the order of arrival: tells threads of one instant apart.</summary>
    public long Sequence { get; set; }

    /// <summary>The thread as JSON, its metadata included.</summary>
    public required string Document { get; set; }

    /// <summary>A JSON array: what the user thought of items.</summary>
    public string Feedback { get; set; } = "[]";

    /// <summary>Which stream writes to it now; null: none.</summary>
    public Guid? LeaseId { get; set; }

    /// <summary>The stream's gateway says again and again that it lives; after this it does not.</summary>
    public DateTime? LeaseUntil { get; set; }
}

/// <summary>One entry of a thread.</summary>
internal sealed class ChatKitItemRow
{
    public Guid WorkspaceId { get; set; }
    public required string ThreadId { get; set; }
    public required string Id { get; set; }
    public DateTime CreatedAt { get; set; }

    /// <summary>In the order of arrival: tells items of one instant apart.</summary>
    public long Sequence { get; set; }

    /// <summary>The item as JSON.</summary>
    public required string Document { get; set; }
}

/// <summary>A file that a user gave to a bot.</summary>
internal sealed class ChatKitAttachmentRow
{
    public Guid WorkspaceId { get; set; }

    /// <summary><c>atc_…</c>.</summary>
    public required string Id { get; set; }

    public required string BotId { get; set; }
    public required string UserId { get; set; }

    /// <summary>Null until a message names it.</summary>
    public string? ThreadId { get; set; }

    public required string MimeType { get; set; }

    /// <summary>In bytes: as announced until they are in, then as they are.</summary>
    public long Size { get; set; }

    /// <summary>Whether the bytes are in.</summary>
    public bool IsUploaded { get; set; }

    public DateTime CreatedAt { get; set; }

    /// <summary>The attachment as JSON, its metadata included.</summary>
    public required string Document { get; set; }
}

/// <summary>An attachment's bytes, where they are kept in the database.</summary>
internal sealed class ChatKitContentRow
{
    public Guid WorkspaceId { get; set; }
    public required string AttachmentId { get; set; }
    public required byte[] Content { get; set; }
}
