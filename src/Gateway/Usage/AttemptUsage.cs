namespace Gateway.Usage;

/// <summary>One upstream call of a request, as it stands in the request's row.</summary>
/// <param name="Deployment">Provider and model there, such as <c>openai/gpt-4o</c>.</param>
/// <param name="Model">The model's name here.</param>
/// <param name="Outcome"><c>ok</c>, the upstream's status such as <c>429</c>, or what broke: <c>connect</c>, <c>headers</c>, <c>cut</c>…</param>
/// <param name="StartedMs">After the request's begin.</param>
/// <param name="FirstContentMs">After the attempt's own begin; null when none came.</param>
/// <param name="InputTokens">The cached ones included.</param>
/// <param name="OutputTokens">Reasoning included.</param>
/// <param name="IsEstimated">Whether the tokens are ours and not the upstream's.</param>
/// <param name="Usd">Null: the model's price is unknown.</param>
internal sealed record AttemptUsage(
    string Deployment, string Model, string Outcome, double StartedMs, double DurationMs, double? FirstContentMs,
    long InputTokens, long CachedInputTokens, long OutputTokens, long ReasoningTokens, bool IsEstimated, decimal? Usd);
