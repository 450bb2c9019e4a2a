using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using ChatKit.Json;

namespace ChatKit;

/// <summary>A file that a user uploads. This is its record; the bytes are the attachment store's.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(FileAttachment), "file")]
[JsonDerivedType(typeof(ImageAttachment), "image")]
public abstract record Attachment
{
    private protected Attachment()
    {
    }

    /// <summary>Unique among all attachments.</summary>
    public required string Id { get; init; }

    /// <summary>The file's name as the user's machine has it. Untrusted: never a path to write to.</summary>
    public required string Name { get; init; }

    /// <summary>For instance <c>application/pdf</c>, as the client says. Untrusted.</summary>
    public required string MimeType { get; init; }

    /// <summary>Where the client is to send the bytes. Only while a two-phase upload is outstanding; then null.</summary>
    public UploadDescriptor? UploadDescriptor { get; init; }

    /// <summary>The thread of the message that it was sent with. Null until then.</summary>
    public string? ThreadId { get; init; }

    /// <summary>The server's own notes. Kept by stores, never sent to a client.</summary>
    public JsonObject? Metadata { get; init; }
}

/// <summary>Any file that is not shown as a picture.</summary>
public sealed record FileAttachment : Attachment;

/// <summary>A picture.</summary>
public sealed record ImageAttachment : Attachment
{
    /// <summary>Absolute URL of a small version, or a <c>data:</c> URL.</summary>
    public required string PreviewUrl { get; init; }
}

/// <summary>How a client sends an attachment's bytes in the second phase of an upload.</summary>
public sealed record UploadDescriptor
{
    /// <summary>Absolute URL.</summary>
    public required string Url { get; init; }

    /// <summary>The HTTP method to use.</summary>
    public required UploadMethod Method { get; init; }

    /// <summary>HTTP headers to send along; empty by default.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; init => field = value ?? NoHeaders; } = NoHeaders;

    private static readonly Dictionary<string, string> NoHeaders = [];
}

/// <summary>The HTTP method of an upload.</summary>
[JsonConverter(typeof(WireEnumConverter<UploadMethod>))]
public enum UploadMethod
{
    /// <summary>A multipart body with a part named <c>file</c>.</summary>
    [JsonStringEnumMemberName("POST")]
    Post,

    /// <summary>The bytes themselves, as presigned URLs of object stores want them.</summary>
    [JsonStringEnumMemberName("PUT")]
    Put,
}
