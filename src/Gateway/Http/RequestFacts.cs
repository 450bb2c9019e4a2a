namespace Gateway.Http;

/// <summary>
/// What is known of a request when it ends, for its one log line; filled in as it goes. Never a prompt or a reply.
/// </summary>
internal sealed class RequestFacts
{
    public required string RequestId { get; init; }

    public Caller? Caller { get; set; }

    /// <summary>The selector asked for; null before it is known.</summary>
    public string? Selector { get; set; }

    /// <summary>Provider and model that answered, such as <c>openai/gpt-4o</c>.</summary>
    public string? Deployment { get; set; }

    /// <summary>Tokens as the upstream reported them; null when it did not.</summary>
    public int? InputTokens { get; set; }

    public int? OutputTokens { get; set; }

    /// <summary>Upstream calls that were made for it.</summary>
    public int Attempts { get; set; }

    /// <summary>From its start to the first content sent to its caller; null when there was none.</summary>
    public double? FirstContentMs { get; set; }

    /// <summary>How it ended when not as asked: an error's code, <c>caller_left</c>.</summary>
    public string? End { get; set; }

    public static RequestFacts Of(HttpContext http) => http.Features.Get<RequestFacts>()!;
}
