namespace ChatKit;

/// <summary>Settings of the endpoint that <see cref="ChatKitEndpoints"/> maps.</summary>
public sealed record ChatKitEndpointOptions
{
    /// <summary>
    /// Largest request body accepted, in bytes; a larger one gets 413. 20 MiB by default: recordings arrive as base64.
    /// Bytes of attachments do not come this way.
    /// </summary>
    public int MaxRequestBytes { get; init; } = 20 * 1_048_576;
}
