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
