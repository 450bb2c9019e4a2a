namespace Gateway.Http;

/// <summary>
/// What is known of a request when it ends, for its one log line; filled in as it goes. Never a prompt or a reply.
/// </summary>
internal sealed class RequestFacts
{
    /// <summary>What <see cref="End"/> says when the caller's connection was lost.</summary>
    public const string CallerLeft = "caller_left";

    /// <summary>What <see cref="End"/> says when the gateway stopped and could wait no longer.</summary>
    public const string Shutdown = "shutdown";

    private string? _end;

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

    /// <summary>What of a bot's conversation was left out, as <c>x-gateway-context-trimmed</c> says it; null: nothing.</summary>
    public string? ContextTrimmed { get; set; }

    /// <summary>From its begin to the first content sent to the caller; null when there was none.</summary>
    public double? FirstContentMs { get; set; }

    /// <summary>Set when the end of the drain cancels it, before it does.</summary>
    public bool IsCut { get; set; }

    /// <summary>
    /// Whether a stream of events has begun and one more may be sent: it has neither its last event nor one that says why it
    /// failed.
    /// </summary>
    public bool IsOpenStream { get; set; }

    /// <summary>How it ended when not as asked: an error's code, <c>caller_left</c>, <c>shutdown</c>.</summary>
    public string? End
    {
        get => _end;
        // Both cancel the same token, so to most of the house the end of the drain looks like a caller who left.
        set => _end = value == CallerLeft && IsCut ? Shutdown : value;
    }

    public static RequestFacts Of(HttpContext http) => http.Features.Get<RequestFacts>()!;
}
