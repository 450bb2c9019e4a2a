using System.Security.Cryptography;
using System.Text.Json;
using Gateway.Data;
using Gateway.Observability;
using Microsoft.EntityFrameworkCore;

namespace Gateway.Upstream;

/// <summary>Keeps the current <see cref="CatalogSnapshot"/>, and makes the next one when configuration changes.</summary>
internal sealed class Catalog(GatewaySettings settings, SecretBox box, ILogger<Catalog> log) : IConfigReader
{
    public const string DemoModel = "demo";
    public const string DemoWorkspace = "default";

    /// <summary>What a reading of the catalog has to read.</summary>
    [Flags]
    private enum Changes
    {
        None = 0,
        Providers = 1,

        /// <summary>Embedding models among them.</summary>
        Models = 2,
        All = Providers | Models,
    }

    private readonly Dictionary<Guid, (long Version, Provider Provider)> _opened = [];
    private readonly Provider? _openai = settings.OpenAiApiKey is { } key
        ? new Provider("openai", "https://api.openai.com/v1", key, [])
        : null;
    private Dictionary<Guid, Provider> _providers = [];
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
        var changed = since == 0 ? Changes.All : await ChangesAsync(db, since, cancel);
        if (changed == Changes.None)
        {
            return;
        }

        // Every model holds its providers, which seldom change; then all is read.
        var isWhole = changed.HasFlag(Changes.Providers);
        var providers = isWhole ? await ProvidersAsync(db, cancel) : _providers;
        var models = isWhole ? await ModelsAsync(db, providers, cancel) : await ModelsAsync(db, since, cancel);
        AddBuiltIn(models, providers);
        var embeddings = (await db.EmbeddingModels.AsNoTracking().ToListAsync(cancel)).Where(e => providers.ContainsKey(e.ProviderId))
            .ToDictionary(e => e.Name, e => Read(e, providers), StringComparer.Ordinal);
        _providers = providers;
        Current = new CatalogSnapshot(models, [.. providers.Values], embeddings);
    }

    /// <summary>Most of what changes is bots and keys, which are nothing to the catalog.</summary>
    private static async Task<Changes> ChangesAsync(GatewayDb db, long since, CancellationToken cancel)
    {
        var changed = await db.ConfigVersions.Select(_ => new
        {
            Providers = db.Providers.Any(p => p.Version > since) || db.Deletions.Any(d => d.Version > since && d.Kind == "providers"),
            Models = db.Models.Any(m => m.Version > since) || db.EmbeddingModels.Any(e => e.Version > since)
                || db.Deletions.Any(d => d.Version > since && (d.Kind == "models" || d.Kind == "embedding_models")),
        }).SingleAsync(cancel);
        return (changed.Providers ? Changes.Providers : Changes.None) | (changed.Models ? Changes.Models : Changes.None);
    }

    /// <summary>Those that can be used, by name; where the operator has none, OpenAI if there is a key for it.</summary>
    private async Task<Dictionary<Guid, Provider>> ProvidersAsync(GatewayDb db, CancellationToken cancel)
    {
        var providers = new Dictionary<Guid, Provider>();
        foreach (var row in await db.Providers.AsNoTracking().OrderBy(p => p.Name).ToListAsync(cancel))
        {
            if (Open(row) is { } provider)
            {
                providers.Add(row.Id, provider);
            }
        }

        if (providers.Count == 0 && _openai is { } openai)
        {
            providers.Add(Guid.Empty, openai);
        }

        return providers;
    }

    private static async Task<Dictionary<string, Model>> ModelsAsync(
        GatewayDb db, Dictionary<Guid, Provider> providers, CancellationToken cancel)
    {
        var rows = await db.Models.AsNoTracking().Include(m => m.Deployments).ToListAsync(cancel);
        return rows.Select(row => Read(row, providers)).ToDictionary(m => m.Name, StringComparer.Ordinal);
    }

    /// <summary>The current models with what changed: a change of one of a thousand is the work of one.</summary>
    private async Task<Dictionary<string, Model>> ModelsAsync(GatewayDb db, long since, CancellationToken cancel)
    {
        var gone = await db.Deletions.AsNoTracking()
            .Where(d => d.Version > since && d.Kind == "models").Select(d => d.ObjectId).ToListAsync(cancel);
        var changed = await db.Models.AsNoTracking().Include(m => m.Deployments).Where(m => m.Version > since).ToListAsync(cancel);
        var models = Current.CopyModels();
        // First, since one that was made again is among those that changed.
        foreach (var name in gone)
        {
            models.Remove(name);
        }

        foreach (var row in changed)
        {
            models[row.Name] = Read(row, _providers);
        }

        return models;
    }

    private void AddBuiltIn(Dictionary<string, Model> models, Dictionary<Guid, Provider> providers)
    {
        if (providers.TryGetValue(Guid.Empty, out var openai))
        {
            models.TryAdd(Model.Wildcard, new Model(
                Model.Wildcard, [], [new Deployment(openai, null)], [], ModelTimeouts.Default, DateTime.UnixEpoch));
        }

        if (_demo is not null)
        {
            models[DemoModel] = _demo;
        }
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
