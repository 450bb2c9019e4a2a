namespace Gateway.Http;

/// <summary>What a refusal is about, where upstreams say it in more than one way.</summary>
internal static class ErrorKinds
{
    /// <summary>Whether the model's context is too small for the request, by OpenAI's code or the words of others.</summary>
    public static bool IsTooLong(ApiError error) =>
        error.Code is "context_length_exceeded"
        || error.Message.Contains("maximum context length", StringComparison.OrdinalIgnoreCase)
        || error.Message.Contains("prompt is too long", StringComparison.OrdinalIgnoreCase)
        || error.Message.Contains("context window", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether the upstream does not want to talk about it; nobody else is asked then.</summary>
    public static bool IsContentPolicy(ApiError error) =>
        error.Code is "content_filter" or "content_policy_violation" or "moderation_blocked";
}
