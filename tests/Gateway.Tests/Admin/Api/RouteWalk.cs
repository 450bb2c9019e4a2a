using System.Text.Json.Nodes;

namespace Gateway.Tests.Admin.Api;

/// <summary>One operation of the OpenAPI document.</summary>
internal sealed record WalkedRoute(string Method, string Path, JsonObject Operation)
{
    public bool IsAdmin => Path.StartsWith("/admin/v1/", StringComparison.Ordinal);

    public static IReadOnlyList<WalkedRoute> Of(JsonNode document) =>
    [
        .. document["paths"]!.AsObject().SelectMany(path => path.Value!.AsObject().Select(operation =>
            new WalkedRoute(operation.Key.ToUpperInvariant(), path.Key, operation.Value!.AsObject()))),
    ];

    /// <summary>The path with its parameters filled in.</summary>
    /// <param name="values">By the path's begin and the parameter, such as <c>/admin/v1/bots/{id}</c>.</param>
    /// <exception cref="InvalidOperationException">Nobody has said how to fill one: a new route that must be walked too.</exception>
    public string Fill(IReadOnlyDictionary<string, string> values)
    {
        var filled = Path;
        for (var open = Path.IndexOf('{', StringComparison.Ordinal); open >= 0; open = Path.IndexOf('{', open + 1))
        {
            var end = Path.IndexOf('}', open) + 1;
            var value = values.GetValueOrDefault(Path[..end]) ?? throw new InvalidOperationException(
                $"'{Path[..end]}' is a parameter that this walk cannot fill: add it, with one of the other workspace's, to RouteWalkTests.");
            filled = filled.Replace(Path[open..end], Uri.EscapeDataString(value), StringComparison.Ordinal);
        }

        return filled;
    }
}
