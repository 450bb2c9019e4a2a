using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace ChatKit;

/// <summary>
/// One request to a ChatKit server. Its kind alone decides the answer: <see cref="StreamingRequest"/>s get server-sent
/// events, <see cref="NonStreamingRequest"/>s one JSON document.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(ThreadsCreateRequest), "threads.create")]
[JsonDerivedType(typeof(ThreadsAddUserMessageRequest), "threads.add_user_message")]
[JsonDerivedType(typeof(ThreadsAddClientToolOutputRequest), "threads.add_client_tool_output")]
[JsonDerivedType(typeof(ThreadsAddStructuredInputRequest), "threads.add_structured_input")]
[JsonDerivedType(typeof(ThreadsRetryAfterItemRequest), "threads.retry_after_item")]
[JsonDerivedType(typeof(ThreadsCustomActionRequest), "threads.custom_action")]
[JsonDerivedType(typeof(ThreadsGetByIdRequest), "threads.get_by_id")]
[JsonDerivedType(typeof(ThreadsListRequest), "threads.list")]
[JsonDerivedType(typeof(ThreadsUpdateRequest), "threads.update")]
[JsonDerivedType(typeof(ThreadsDeleteRequest), "threads.delete")]
[JsonDerivedType(typeof(ThreadsSyncCustomActionRequest), "threads.sync_custom_action")]
[JsonDerivedType(typeof(ItemsListRequest), "items.list")]
[JsonDerivedType(typeof(ItemsFeedbackRequest), "items.feedback")]
[JsonDerivedType(typeof(AttachmentsCreateRequest), "attachments.create")]
[JsonDerivedType(typeof(AttachmentsDeleteRequest), "attachments.delete")]
[JsonDerivedType(typeof(InputTranscribeRequest), "input.transcribe")]
public abstract record ChatKitRequest
{
    private protected ChatKitRequest()
    {
    }

    /// <summary>What the page added to the request, untrusted; the library does nothing with it. An empty object by default.</summary>
    public JsonObject Metadata { get; init => field = value ?? []; } = [];

    /// <summary>Reads the body of a request. Members that the protocol does not have are ignored.</summary>
    /// <param name="utf8Json">The body.</param>
    /// <exception cref="InvalidRequestException">
    /// Not JSON, nested deeper than 64, two members of one name, an unknown operation, a required member missing, or one of a wrong type. The message
    /// names the member and may be shown to the caller.
    /// </exception>
    public static ChatKitRequest Parse(ReadOnlyMemory<byte> utf8Json) => RequestReader.Read(utf8Json);
}

/// <summary>A request whose answer is a stream of <see cref="StreamEvent"/>s.</summary>
public abstract record StreamingRequest : ChatKitRequest
{
    private protected StreamingRequest()
    {
    }
}

/// <summary>A request whose answer is one JSON document.</summary>
public abstract record NonStreamingRequest : ChatKitRequest
{
    private protected NonStreamingRequest()
    {
    }
}
