using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text.Json;
using System.Threading.RateLimiting;
using Gateway.Data;
using Gateway.Observability;
using Microsoft.EntityFrameworkCore;

namespace Gateway.Upstream;

/// <summary>How long each part of an attempt may take. Defaults are the operator's documented ones.</summary>
/// <param name="Headers">Until a stream's status line; a plain request has only <paramref name="Total"/>.</param>
/// <param name="FirstContent">From the headers to the first content of a stream; a role alone is not content.</param>
/// <param name="Idle">Longest silence between two events; comments count as signs of life.</param>
internal sealed record ModelTimeouts(TimeSpan Connect, TimeSpan Headers, TimeSpan FirstContent, TimeSpan Idle, TimeSpan Total)
{
    public static ModelTimeouts Default { get; } = new(
        TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(60),
        TimeSpan.FromMinutes(10));
}

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

/// <summary>When a failing deployment is left alone, and for how long.</summary>
/// <param name="FailureRate">Share of failed attempts in the window, 0 to 1.</param>
/// <param name="Minimum">Attempts in the window below which the circuit stays closed.</param>
/// <param name="Open">How long nothing is sent, until one request is the trial.</param>
internal sealed record BreakerOptions(double FailureRate, int Minimum, TimeSpan Window, TimeSpan Open)
{
    public static BreakerOptions Default { get; } = new(0.5, 4, TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(10));
}

/// <summary>USD per million tokens.</summary>
internal sealed record ModelPrice(decimal Input, decimal CachedInput, decimal Output)
{
    /// <summary>What these tokens cost, in USD.</summary>
    public decimal Of(long input, long cachedInput, long output) =>
        (((input - cachedInput) * Input) + (cachedInput * CachedInput) + (output * Output)) / 1_000_000m;
}

/// <summary>A name that callers use, and what answers it.</summary>
/// <param name="Workspaces">Names of the workspaces that see it; empty: all.</param>
internal sealed record Model(
    string Name, IReadOnlyList<string> Workspaces, IReadOnlyList<Deployment> Deployments, IReadOnlyList<string> DropParams,
    ModelTimeouts Timeouts, DateTime CreatedAt)
{
    public const string Wildcard = "*";

    /// <summary>Names of models to ask when every deployment has failed, in order.</summary>
    public IReadOnlyList<string> Fallbacks { get; init; } = [];

    /// <summary>Further attempts on the same deployment.</summary>
    public int Retries { get; init; } = 2;

    public BreakerOptions Breaker { get; init; } = BreakerOptions.Default;

    public RescueMode Rescue { get; init; } = RescueMode.Prefill;

    /// <summary>Size of the context; null: unknown.</summary>
    public int? ContextTokens { get; init; }

    /// <summary>What is reserved for a reply when the caller gives no limit; null: the gateway's own guess.</summary>
    public int? DefaultOutputTokens { get; init; }

    /// <summary>Null: unknown.</summary>
    public ModelPrice? Price { get; init; }

    public bool IsWildcard => Name == Wildcard;

    public bool IsVisibleTo(string workspace) => Workspaces.Count == 0 || Workspaces.Contains(workspace);
}

/// <summary>A model as one request reaches it.</summary>
/// <param name="Name">The name that was asked for; the model's own but for <c>*</c>.</param>
/// <param name="Selector">What messages call it: the selector as the caller wrote it.</param>
/// <param name="Fallbacks">The models to ask when this one has failed, of the same snapshot; those alone that this workspace sees.</param>
internal sealed record ModelRoute(Model Model, string Name, string Selector, IReadOnlyList<ModelRoute> Fallbacks)
{
    /// <summary>
    /// What these tokens cost at most, in USD, whoever answers: a dearer fallback would overspend what was reserved for the
    /// model. Null when the model's own price is unknown; a fallback without one costs what the model does.
    /// </summary>
    public decimal? MostUsd(long input, long output)
    {
        var most = Model.Price?.Of(input, 0, output);
        foreach (var fallback in Fallbacks)
        {
            if (most is not null && fallback.Model.Price?.Of(input, 0, output) is { } usd && usd > most)
            {
                most = usd;
            }
        }

        return most;
    }
}

/// <summary>All models at one moment. Immutable; a request keeps the one it began with.</summary>
internal sealed class CatalogSnapshot(
    FrozenDictionary<string, Model> models, IReadOnlyList<Provider> providers, FrozenDictionary<string, EmbeddingModel> embeddingModels)
{
    public static CatalogSnapshot Empty { get; } = new(
        FrozenDictionary<string, Model>.Empty, [], FrozenDictionary<string, EmbeddingModel>.Empty);

    /// <summary>Null when there is none of this name, or its provider cannot be used.</summary>
    public EmbeddingModel? FindEmbedding(string name) => embeddingModels.GetValueOrDefault(name);

    public IEnumerable<Model> Models => models.Values;

    public IReadOnlyList<Provider> Providers => providers;

    /// <summary>Null when there is no such model, or this workspace does not see it.</summary>
    public ModelRoute? Find(string name, string workspace, string selector)
    {
        if (FindModel(name, workspace) is not { } model)
        {
            return null;
        }

        return new ModelRoute(model, name, selector, model.Fallbacks.Count == 0 ? [] : Fallbacks(model, workspace, selector));
    }

    private Model? FindModel(string name, string workspace)
    {
        if (!models.TryGetValue(name, out var model) || model.IsWildcard)
        {
            return name != Model.Wildcard && models.TryGetValue(Model.Wildcard, out var any) && any.IsVisibleTo(workspace) ? any : null;
        }

        return model.IsVisibleTo(workspace) ? model : null;
    }

    /// <summary>A fallback's own fallbacks are not asked: chains would be as hard to foresee as to pay.</summary>
    private List<ModelRoute> Fallbacks(Model model, string workspace, string selector)
    {
        var routes = new List<ModelRoute>(model.Fallbacks.Count);
        foreach (var name in model.Fallbacks)
        {
            if (FindModel(name, workspace) is { } fallback)
            {
                routes.Add(new ModelRoute(fallback, name, selector, []));
            }
        }

        return routes;
    }
}

/// <summary>Keeps the current <see cref="CatalogSnapshot"/>, and makes the next one when configuration changes.</summary>
internal sealed class Catalog(GatewaySettings settings, SecretBox box, ILogger<Catalog> log) : IConfigReader
{
    public const string DemoModel = "demo";
    public const string DemoWorkspace = "default";

    private readonly Dictionary<Guid, (long Version, Provider Provider)> _opened = [];
    private readonly Provider? _openai = settings.OpenAiApiKey is { } key
        ? new Provider("openai", "https://api.openai.com/v1", key, [])
        : null;
    private Model? _demo;

    public CatalogSnapshot Current { get; private set; } = CatalogSnapshot.Empty;

    /// <summary>
    /// Adds the built-in demo model, whose provider is the simulator at this address. Called once, before the first
    /// read; it is in every snapshot from then on, whatever the operator configures.
    /// </summary>
    public void AddDemo(Uri simulator) => _demo = new Model(
        DemoModel, [DemoWorkspace], [new Deployment(new Provider("simulator", $"{simulator}v1", null, []), DemoModel)], [],
        ModelTimeouts.Default, DateTime.UnixEpoch)
    {
        // Keys with a budget can try it too.
        Price = new ModelPrice(0, 0, 0),
    };

    public async Task ReadAsync(GatewayDb db, long since, CancellationToken cancel)
    {
        // Small tables, read whole: a thousand models are some milliseconds, off the path of requests.
        var providers = new Dictionary<Guid, Provider>();
        foreach (var row in await db.Providers.AsNoTracking().OrderBy(p => p.Name).ToListAsync(cancel))
        {
            if (Open(row) is { } provider)
            {
                providers.Add(row.Id, provider);
            }
        }

        var rows = await db.Models.AsNoTracking().Include(m => m.Deployments).ToListAsync(cancel);
        var models = rows.Select(row => Read(row, providers)).ToDictionary(m => m.Name, StringComparer.Ordinal);

        if (providers.Count == 0 && _openai is { } openai)
        {
            providers.Add(Guid.Empty, openai);
            models.TryAdd(Model.Wildcard, new Model(
                Model.Wildcard, [], [new Deployment(openai, null)], [], ModelTimeouts.Default, DateTime.UnixEpoch));
        }

        if (_demo is not null)
        {
            models[DemoModel] = _demo;
        }

        var embeddings = (await db.EmbeddingModels.AsNoTracking().ToListAsync(cancel)).Where(e => providers.ContainsKey(e.ProviderId))
            .ToFrozenDictionary(e => e.Name, e => Read(e, providers), StringComparer.Ordinal);
        Current = new CatalogSnapshot(models.ToFrozenDictionary(StringComparer.Ordinal), [.. providers.Values], embeddings);
    }

    /// <summary>The same object for as long as the row is the same: others tell by it whether a provider changed.</summary>
    private Provider? Open(ProviderRow row)
    {
        if (_opened.TryGetValue(row.Id, out var opened) && opened.Version == row.Version)
        {
            return opened.Provider;
        }

        try
        {
            var apiKey = row.ApiKey is null ? null : box.Open(row.ApiKey, SecretOwners.ProviderKey(row.Name));
            var headers = row.Headers is null
                ? []
                : JsonSerializer.Deserialize<Dictionary<string, string>>(
                    box.Open(row.Headers, SecretOwners.ProviderHeaders(row.Name)).Reveal())!;
            var provider = new Provider(row.Name, row.BaseUrl, apiKey, [.. headers], row.MaxConcurrency, opened.Provider);
            _opened[row.Id] = (row.Version, provider);
            return provider;
        }
        catch (CryptographicException)
        {
            // One damaged row must not take the other providers down with it.
            log.ProviderUnreadable(row.Name);
            return null;
        }
    }

    private static EmbeddingModel Read(EmbeddingModelRow row, Dictionary<Guid, Provider> providers) =>
        new(row.Name, providers[row.ProviderId], row.UpstreamModel ?? row.Name, row.Dimensions, row.PriceInput);

    private static Model Read(ModelRow row, Dictionary<Guid, Provider> providers) => new(
        row.Name, row.Workspaces,
        [.. row.Deployments.OrderBy(d => d.Position)
            .Where(d => providers.ContainsKey(d.ProviderId))
            .Select(d => new Deployment(providers[d.ProviderId], d.UpstreamModel, d.Weight, d.SupportsPrefill))],
        row.DropParams,
        new ModelTimeouts(
            TimeSpan.FromMilliseconds(row.ConnectMs), TimeSpan.FromMilliseconds(row.HeadersMs),
            TimeSpan.FromMilliseconds(row.FirstContentMs), TimeSpan.FromMilliseconds(row.IdleMs),
            TimeSpan.FromMilliseconds(row.TotalMs)),
        row.CreatedAt)
    {
        Fallbacks = row.Fallbacks,
        Retries = row.Retries,
        Breaker = new BreakerOptions(
            row.BreakerFailureRate, row.BreakerMinimum, TimeSpan.FromMilliseconds(row.BreakerWindowMs),
            TimeSpan.FromMilliseconds(row.BreakerOpenMs)),
        Rescue = row.Rescue,
        ContextTokens = row.ContextTokens,
        DefaultOutputTokens = row.DefaultOutputTokens,
        Price = row.PriceInput is { } input
            ? new ModelPrice(input, row.PriceCachedInput ?? input, row.PriceOutput ?? 0)
            : null,
    };
}
