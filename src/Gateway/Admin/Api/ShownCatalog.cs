using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Data;

namespace Gateway.Admin.Api;

/// <summary>Objects of no workspace as the API shows them: every field, defaults too.</summary>
internal static class ShownCatalog
{
    public static JsonObject Of(ProviderRow row, Surroundings around) => new()
    {
        ["object"] = "provider",
        ["name"] = row.Name,
        ["base_url"] = row.BaseUrl,
        ["has_api_key"] = row.ApiKey is not null,
        ["header_names"] = Shown.Texts(Headers(row, around.Box).Keys.Order(StringComparer.Ordinal)),
        ["max_concurrency"] = row.MaxConcurrency,
        ["managed"] = Shown.Managed(row.Managed),
    };

    /// <summary>What is never shown, for a change that leaves it as it is.</summary>
    public static void AddSecrets(ProviderRow row, SecretBox box, JsonObject shown)
    {
        if (row.ApiKey is not null)
        {
            shown["api_key"] = box.Open(row.ApiKey, SecretOwners.ProviderKey(row.Name)).Reveal();
        }

        shown["headers"] = new JsonObject(Headers(row, box).Select(h => KeyValuePair.Create<string, JsonNode?>(h.Key, h.Value)));
    }

    public static JsonObject Of(ModelRow row, Surroundings around) => new()
    {
        ["object"] = "model",
        ["name"] = row.Name,
        ["workspaces"] = row.Workspaces.Length == 0 ? null : Shown.Texts(row.Workspaces),
        ["deployments"] = new JsonArray([.. row.Deployments.OrderBy(d => d.Position).Select(d => new JsonObject
        {
            ["provider"] = around.Providers[d.ProviderId],
            ["model"] = d.UpstreamModel,
            ["weight"] = d.Weight,
            ["supports_prefill"] = d.SupportsPrefill,
        })]),
        ["fallbacks"] = Shown.Texts(row.Fallbacks),
        ["timeouts"] = new JsonObject
        {
            ["connect"] = Shown.Time(row.ConnectMs),
            ["headers"] = Shown.Time(row.HeadersMs),
            ["first_content"] = Shown.Time(row.FirstContentMs),
            ["idle"] = Shown.Time(row.IdleMs),
            ["total"] = Shown.Time(row.TotalMs),
        },
        ["retries"] = row.Retries,
        ["breaker"] = new JsonObject
        {
            ["failure_rate"] = row.BreakerFailureRate,
            ["minimum"] = row.BreakerMinimum,
            ["window"] = Shown.Time(row.BreakerWindowMs),
            ["open"] = Shown.Time(row.BreakerOpenMs),
        },
        ["rescue"] = row.Rescue switch { RescueMode.Off => "off", RescueMode.Replay => "replay", _ => "prefill" },
        ["drop_params"] = Shown.Texts(row.DropParams),
        ["context_tokens"] = row.ContextTokens,
        ["default_output_tokens"] = row.DefaultOutputTokens,
        ["price"] = row.PriceInput is not { } input ? null : new JsonObject
        {
            ["input"] = input,
            ["cached_input"] = row.PriceCachedInput,
            ["output"] = row.PriceOutput,
        },
        ["created_at"] = Shown.Seconds(row.CreatedAt),
        ["managed"] = Shown.Managed(row.Managed),
    };

    public static JsonObject Of(EmbeddingModelRow row, Surroundings around) => new()
    {
        ["object"] = "embedding_model",
        ["name"] = row.Name,
        ["provider"] = around.Providers[row.ProviderId],
        ["model"] = row.UpstreamModel ?? row.Name,
        ["dimensions"] = row.Dimensions,
        ["price"] = row.PriceInput is { } input ? new JsonObject { ["input"] = input } : null,
        ["managed"] = Shown.Managed(row.Managed),
    };

    public static JsonObject Web(OutsideRow row) => new()
    {
        ["object"] = "web",
        ["search"] = row.SearchKind is null ? null : new JsonObject
        {
            ["kind"] = row.SearchKind,
            ["url"] = row.SearchUrl,
            ["has_api_key"] = row.SearchApiKey is not null,
        },
        ["fetch"] = row.CanFetch,
        ["managed"] = Shown.Managed(row.Managed),
    };

    /// <inheritdoc cref="AddSecrets(ProviderRow, SecretBox, JsonObject)"/>
    public static void AddSecrets(OutsideRow row, SecretBox box, JsonObject shown)
    {
        if (shown["search"] is JsonObject search && row.SearchApiKey is not null)
        {
            search["api_key"] = box.Open(row.SearchApiKey, SecretOwners.OutsideSearch).Reveal();
        }
    }

    public static JsonObject Egress(OutsideRow row) => new()
    {
        ["object"] = "egress",
        ["allow"] = Shown.Texts(row.EgressAllow),
        ["managed"] = Shown.Managed(row.Managed),
    };

    private static Dictionary<string, string> Headers(ProviderRow row, SecretBox box) => row.Headers is null
        ? []
        : JsonSerializer.Deserialize<Dictionary<string, string>>(box.Open(row.Headers, SecretOwners.ProviderHeaders(row.Name)).Reveal())!;
}
