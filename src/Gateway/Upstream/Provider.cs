using System.Collections.Concurrent;
using System.Threading.RateLimiting;
using Gateway.Data;

namespace Gateway.Upstream;

/// <summary>An upstream base URL and its credential.</summary>
/// <param name="maxConcurrency">Most requests at a time from this gateway; null: any number.</param>
/// <param name="before">The same provider before its configuration changed, whose requests go on; null: there was none.</param>
internal sealed class Provider(
    string name, string baseUrl, Secret? apiKey, IReadOnlyList<KeyValuePair<string, string>> headers, int? maxConcurrency = null,
    Provider? before = null)
{
    private readonly ConcurrentDictionary<string, Uri> _urls = new(StringComparer.Ordinal);

    public string Name { get; } = name;

    /// <summary>Without a slash at the end.</summary>
    public string BaseUrl { get; } = baseUrl.TrimEnd('/');

    /// <summary>The whole <c>Authorization</c> header; null when the provider wants none.</summary>
    public Secret? Authorization { get; } = apiKey is null ? null : new Secret($"Bearer {apiKey.Reveal()}");

    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; } = headers;

    public int? MaxConcurrency { get; } = maxConcurrency;

    /// <summary>The places at this provider, with a queue of four times as many that may wait for one; null: any number.</summary>
    public ConcurrencyLimiter? Places { get; } = before is not null && before.MaxConcurrency == maxConcurrency ? before.Places
        : maxConcurrency is { } most ? new ConcurrencyLimiter(new ConcurrencyLimiterOptions
        {
            PermitLimit = most,
            // A burst waits; what would wait for too long is better told so at once.
            QueueLimit = 4 * most,
            QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
        })
        : null;

    /// <summary>
    /// Half of the places, which is what work that nobody waits for may hold: the others are there for who does. Null: any number.
    /// </summary>
    public ConcurrencyLimiter? BackgroundPlaces { get; } = before is not null && before.MaxConcurrency == maxConcurrency ? before.BackgroundPlaces
        : maxConcurrency is { } all ? new ConcurrencyLimiter(new ConcurrencyLimiterOptions
        {
            PermitLimit = Math.Max(1, all / 2),
            QueueLimit = int.MaxValue,
            QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
        })
        : null;

    /// <summary>What must not stand in what a caller or a log is told of its words.</summary>
    public ProviderSecrets Secrets { get; } = new(baseUrl, apiKey, headers);

    /// <summary>The address of one of its routes. Kept: parsing one costs more than the rest of a request's head.</summary>
    /// <param name="path">One of the few that the gateway knows, such as <c>chat/completions</c>; never a caller's text.</param>
    public Uri Url(string path) => _urls.GetOrAdd(path, static (p, b) => new Uri($"{b}/{p}"), BaseUrl);
}

/// <summary>A model at a provider.</summary>
/// <param name="UpstreamModel">The name at the provider; null: the name that the caller used.</param>
/// <param name="Weight">Share of the model's traffic, relative to its other deployments'.</param>
/// <param name="SupportsPrefill">Whether it continues an assistant's unfinished message.</param>
internal sealed record Deployment(Provider Provider, string? UpstreamModel, int Weight = 1, bool SupportsPrefill = false)
{
    /// <summary>Provider and model there; null where the caller names the model.</summary>
    public string? Label { get; } = UpstreamModel is null ? null : $"{Provider.Name}/{UpstreamModel}";

    public byte[]? UpstreamModelJson { get; } = UpstreamModel is null ? null : UpstreamBody.JsonName(UpstreamModel);
}
