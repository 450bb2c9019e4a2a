using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Gateway.Bots.Egress;
using Gateway.Data;

namespace Gateway.Bots.Web;

/// <param name="Url">Absolute, http or https.</param>
internal sealed record SearchHit(string Title, string Url, string Snippet);

/// <summary>A web search engine: how it is asked, and how it answers. Immutable.</summary>
/// <param name="Kind"><c>searxng</c>, <c>brave</c> or <c>tavily</c>.</param>
internal sealed partial record SearchEngine(string Kind, string Url, Secret? ApiKey)
{
    private const int MaxBytes = 2 * 1024 * 1024;
    private const int LongestSnippet = 600;
    private const int LongestTitle = 200;

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(15);

    /// <summary>Kinds with their usual addresses; null: everybody has their own.</summary>
    private static readonly Dictionary<string, string?> Kinds = new(StringComparer.Ordinal)
    {
        ["searxng"] = null,
        ["brave"] = "https://api.search.brave.com/res/v1/web/search",
        ["tavily"] = "https://api.tavily.com/search",
    };

    /// <summary>Null when there is no such engine, or its address is not known.</summary>
    public static SearchEngine? Of(string kind, string? url, Secret? apiKey) =>
        Kinds.TryGetValue(kind, out var usual) && (string.IsNullOrEmpty(url) ? usual : url) is { } address ? new SearchEngine(kind, address, apiKey) : null;

    /// <exception cref="EgressException">Its address is none that bots may ask for.</exception>
    public EgressRequest Ask(string query, int count)
    {
        List<EgressHeader> headers = [new("accept", "application/json", HoldsSecret: false)];
        var words = Uri.EscapeDataString(query);
        var number = count.ToString(CultureInfo.InvariantCulture);
        switch (Kind)
        {
            case "brave":
                headers.Add(new("x-subscription-token", ApiKey?.Reveal() ?? "", HoldsSecret: true));
                return Request(HttpMethod.Get, $"{Url}?q={words}&count={number}", headers, null);
            case "tavily":
                headers.Add(new("authorization", $"Bearer {ApiKey?.Reveal()}", HoldsSecret: true));
                return Request(HttpMethod.Post, Url, headers, JsonSerializer.SerializeToUtf8Bytes(
                    new Dictionary<string, object> { ["query"] = query, ["max_results"] = count }));
            default:
                if (ApiKey is not null)
                {
                    // Some put it behind a door of their own.
                    headers.Add(new("authorization", $"Bearer {ApiKey.Reveal()}", HoldsSecret: true));
                }

                var address = Url.TrimEnd('/');
                address = address.EndsWith("/search", StringComparison.Ordinal) ? address : address + "/search";
                return Request(HttpMethod.Get, $"{address}?q={words}&format=json", headers, null);
        }
    }

    /// <exception cref="JsonException">It is none of this engine's answers.</exception>
    public IReadOnlyList<SearchHit> Read(ReadOnlyMemory<byte> answer, int count)
    {
        using var json = JsonDocument.Parse(answer);
        var list = Kind == "brave"
            ? JsonPointer(json.RootElement, "web", "results")
            : JsonPointer(json.RootElement, "results");
        if (list is not { ValueKind: JsonValueKind.Array } results)
        {
            // Brave leaves the member out when it found nothing.
            return Kind == "brave" && json.RootElement.ValueKind == JsonValueKind.Object ? [] : throw new JsonException("It has no list of results.");
        }

        var snippet = Kind == "brave" ? "description" : "content";
        return
        [
            .. results.EnumerateArray().Where(r => r.ValueKind == JsonValueKind.Object)
                .Select(r => new SearchHit(
                    Words(r, "title", LongestTitle), r.TryGetProperty("url", out var url) && url.ValueKind == JsonValueKind.String ? url.GetString()! : "",
                    Words(r, snippet, LongestSnippet)))
                .Where(hit => Uri.TryCreate(hit.Url, UriKind.Absolute, out var to) && to.Scheme is "http" or "https")
                .DistinctBy(hit => hit.Url).Take(count),
        ];
    }

    private static EgressRequest Request(HttpMethod method, string url, List<EgressHeader> headers, byte[]? body) =>
        new(method, EgressUrl.Read(url), headers, body, Timeout, MaxBytes) { ContentType = body is null ? null : "application/json" };

    private static JsonElement? JsonPointer(JsonElement value, params string[] names)
    {
        foreach (var name in names)
        {
            if (value.ValueKind != JsonValueKind.Object || !value.TryGetProperty(name, out value))
            {
                return null;
            }
        }

        return value;
    }

    /// <summary>Engines mark the words that were looked for, as HTML.</summary>
    private static string Words(JsonElement result, string name, int longest)
    {
        var text = result.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
        text = PageText.OneLine(WebUtility.HtmlDecode(Tag().Replace(text, "")));
        return text.Length <= longest ? text : text[..longest] + "…";
    }

    [GeneratedRegex("</?[A-Za-z][^>]{0,100}>")]
    private static partial Regex Tag();
}
