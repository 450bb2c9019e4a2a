namespace Gateway.Upstream;

/// <summary>A model that makes vectors of texts.</summary>
/// <param name="UpstreamModel">The name at the provider.</param>
/// <param name="Dimensions">How many numbers a vector has.</param>
/// <param name="PriceInput">USD per million tokens; null: unknown.</param>
internal sealed record EmbeddingModel(string Name, Provider Provider, string UpstreamModel, int Dimensions, decimal? PriceInput)
{
    public string Label { get; } = $"{Provider.Name}/{UpstreamModel}";

    /// <summary>USD; null: the price is unknown.</summary>
    public decimal? Cost(long tokens) => PriceInput * tokens / 1_000_000m;
}

/// <summary>How vectors are asked for.</summary>
/// <param name="Retries">How often to try again what may pass, unless the provider asks for a longer wait than is worth waiting here.</param>
/// <param name="IsBackground">Nobody waits for it, so it leaves some of the provider's places to others.</param>
/// <param name="LeftAs">What it ends as when its token is cancelled: asked for then.</param>
internal sealed record EmbeddingCall(int Retries, bool IsBackground, Func<string> LeftAs)
{
    /// <summary>Whether the provider was sent anything, for which it may charge.</summary>
    public bool IsSent { get; set; }
}

/// <summary>No vectors were made. The message says why, without the provider's own words, which may quote a key.</summary>
/// <param name="isPassing">Whether trying again later could help.</param>
/// <param name="retryAfter">When the provider says that it may be asked again; null: it does not say.</param>
internal sealed class EmbeddingException(string message, string outcome, bool isPassing, TimeSpan? retryAfter = null) : Exception(message)
{
    /// <summary>A short word or the status, for the usage row.</summary>
    public string Outcome => outcome;

    public bool IsPassing => isPassing;

    public TimeSpan? RetryAfter => retryAfter;
}
