namespace ChatKit;

/// <summary>A request that is not one of this protocol. The message says what is wrong with which member and may be shown to the caller.</summary>
/// <param name="message">What is wrong.</param>
/// <param name="path">The member, for instance <c>params.input.content[0].text</c>; null when it is about the whole body.</param>
/// <param name="inner">What was caught, or null.</param>
public sealed class InvalidRequestException(string message, string? path = null, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>The member, for instance <c>params.input.content[0].text</c>; null when it is about the whole body.</summary>
    public string? Path { get; } = path;
}
