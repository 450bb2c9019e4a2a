namespace Gateway.Http;

/// <summary>
/// What is known of a request when it ends, for its one log line; filled in as it goes. Never a prompt or a reply.
/// </summary>
internal sealed class RequestFacts
{
    /// <summary>What <see cref="End"/> says when the caller's connection was lost.</summary>
    public const string CallerLeft = "caller_left";

    public required string RequestId { get; init; }

    public Caller? Caller { get; set; }

    /// <summary>The selector asked for; null before it is known.</summary>
    public string? Selector { get; set; }

    /// <summary>Provider and model that answered, such as <c>openai/gpt-4o</c>.</summary>
    public string? Deployment { get; set; }

    /// <summary>Tokens, in all attempts; null when no model was asked.</summary>
    public long? InputTokens { get; set; }

    public long? OutputTokens { get; set; }

    /// <summary>Upstream calls that it took.</summary>
    public int Attempts { get; set; }

    /// <summary>How many tries it took and where, as <c>x-gateway-attempts</c> says it; null before any.</summary>
    public string? AttemptsHeader { get; set; }

    /// <summary>From its begin to the first content sent to the caller; null when there was none.</summary>
    public double? FirstContentMs { get; set; }

    /// <summary>How it ended when not as asked: an error's code, <c>caller_left</c>.</summary>
    public string? End { get; set; }

    public static RequestFacts Of(HttpContext http) => http.Features.Get<RequestFacts>()!;
}
