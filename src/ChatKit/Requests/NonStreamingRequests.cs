using System.Text.Json.Serialization;
using ChatKit.Json;

namespace ChatKit;

/// <summary><c>threads.get_by_id</c>: a thread with its first page of items, oldest first.</summary>
public sealed record ThreadsGetByIdRequest : NonStreamingRequest
{
    /// <summary>The parameters.</summary>
    public required ThreadParams Params { get; init; }
}

/// <summary><c>threads.delete</c>: deletes a thread and its items.</summary>
public sealed record ThreadsDeleteRequest : NonStreamingRequest
{
    /// <summary>The parameters.</summary>
    public required ThreadParams Params { get; init; }
}

/// <summary>Parameters of <see cref="ThreadsGetByIdRequest"/> and <see cref="ThreadsDeleteRequest"/>.</summary>
public sealed record ThreadParams
{
    /// <summary>The thread.</summary>
    public required string ThreadId { get; init; }
}

/// <summary><c>threads.list</c>: a page of the caller's threads by creation time.</summary>
public sealed record ThreadsListRequest : NonStreamingRequest
{
    /// <summary>The parameters.</summary>
    public required ThreadsListParams Params { get; init; }
}

/// <summary>Parameters of <see cref="ThreadsListRequest"/>.</summary>
public sealed record ThreadsListParams
{
    /// <summary>How many at most. Null, zero or less: 20.</summary>
    public int? Limit { get; init; }

    /// <summary>Newest first by default.</summary>
    public SortOrder Order { get; init; }

    /// <summary>The id of the last thread already seen; null: from the start.</summary>
    public string? After { get; init; }
}

/// <summary><c>items.list</c>: a page of a thread's items by creation time, without hidden ones.</summary>
public sealed record ItemsListRequest : NonStreamingRequest
{
    /// <summary>The parameters.</summary>
    public required ItemsListParams Params { get; init; }
}

/// <summary>Parameters of <see cref="ItemsListRequest"/>.</summary>
public sealed record ItemsListParams
{
    /// <summary>The thread.</summary>
    public required string ThreadId { get; init; }

    /// <summary>How many at most. Null, zero or less: 20.</summary>
    public int? Limit { get; init; }

    /// <summary>Newest first by default.</summary>
    public SortOrder Order { get; init; }

    /// <summary>The id of the last item already seen; null: from the start.</summary>
    public string? After { get; init; }
}

/// <summary>The order of a list by creation time.</summary>
[JsonConverter(typeof(WireEnumConverter<SortOrder>))]
public enum SortOrder
{
    /// <summary>Newest first.</summary>
    Desc,

    /// <summary>Oldest first.</summary>
    Asc,
}

/// <summary><c>threads.update</c>: gives a thread another title.</summary>
public sealed record ThreadsUpdateRequest : NonStreamingRequest
{
    /// <summary>The parameters.</summary>
    public required ThreadsUpdateParams Params { get; init; }
}

/// <summary>Parameters of <see cref="ThreadsUpdateRequest"/>.</summary>
public sealed record ThreadsUpdateParams
{
    /// <summary>The thread.</summary>
    public required string ThreadId { get; init; }

    /// <summary>The new title.</summary>
    public required string Title { get; init; }
}

/// <summary><c>threads.sync_custom_action</c>: an action whose answer is one document; allowed while a reply streams.</summary>
public sealed record ThreadsSyncCustomActionRequest : NonStreamingRequest
{
    /// <summary>The parameters.</summary>
    public required CustomActionParams Params { get; init; }
}

/// <summary><c>items.feedback</c>: the user likes or dislikes items.</summary>
public sealed record ItemsFeedbackRequest : NonStreamingRequest
{
    /// <summary>The parameters.</summary>
    public required ItemsFeedbackParams Params { get; init; }
}

/// <summary>Parameters of <see cref="ItemsFeedbackRequest"/>.</summary>
public sealed record ItemsFeedbackParams
{
    /// <summary>The thread.</summary>
    public required string ThreadId { get; init; }

    /// <summary>The items judged, usually all of one turn.</summary>
    public required IReadOnlyList<string> ItemIds { get; init; }

    /// <summary>The judgement.</summary>
    public required FeedbackKind Kind { get; init; }
}

/// <summary>A user's judgement.</summary>
[JsonConverter(typeof(WireEnumConverter<FeedbackKind>))]
public enum FeedbackKind
{
    /// <summary>Thumbs up.</summary>
    Positive,

    /// <summary>Thumbs down.</summary>
    Negative,
}

/// <summary><c>attachments.create</c>: the first phase of a two-phase upload.</summary>
public sealed record AttachmentsCreateRequest : NonStreamingRequest
{
    /// <summary>The parameters.</summary>
    public required AttachmentsCreateParams Params { get; init; }
}

/// <summary>Parameters of <see cref="AttachmentsCreateRequest"/>; all of them untrusted.</summary>
public sealed record AttachmentsCreateParams
{
    /// <summary>The file's name.</summary>
    public required string Name { get; init; }

    /// <summary>Bytes, as announced by the client.</summary>
    public required long Size { get; init; }

    /// <summary>For instance <c>image/png</c>.</summary>
    public required string MimeType { get; init; }
}

/// <summary><c>attachments.delete</c>: deletes an attachment, bytes and record.</summary>
public sealed record AttachmentsDeleteRequest : NonStreamingRequest
{
    /// <summary>The parameters.</summary>
    public required AttachmentsDeleteParams Params { get; init; }
}

/// <summary>Parameters of <see cref="AttachmentsDeleteRequest"/>.</summary>
public sealed record AttachmentsDeleteParams
{
    /// <summary>The attachment.</summary>
    public required string AttachmentId { get; init; }
}

/// <summary><c>input.transcribe</c>: speech to text for the composer.</summary>
public sealed record InputTranscribeRequest : NonStreamingRequest
{
    /// <summary>The parameters.</summary>
    public required InputTranscribeParams Params { get; init; }
}

/// <summary>Parameters of <see cref="InputTranscribeRequest"/>.</summary>
public sealed record InputTranscribeParams
{
    /// <summary>The recording, decoded from base64.</summary>
    [JsonPropertyName("audio_base64")]
    public required byte[] Audio { get; init; }

    /// <summary>As the browser says, with parameters: <c>audio/webm;codecs=opus</c>. Untrusted.</summary>
    public required string MimeType { get; init; }
}
