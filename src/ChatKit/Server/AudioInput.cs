namespace ChatKit;

/// <summary>A recording to be turned into text.</summary>
public sealed record AudioInput
{
    /// <summary>The recording.</summary>
    public required ReadOnlyMemory<byte> Data { get; init; }

    /// <summary>As the browser says, with parameters: <c>audio/webm;codecs=opus</c>. Untrusted.</summary>
    public required string MimeType { get; init; }

    /// <summary>The part of <see cref="MimeType"/> before the first semicolon: <c>audio/webm</c>.</summary>
    public string MediaType => MimeType.Split(';')[0].Trim();
}
