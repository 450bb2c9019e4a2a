using System.Globalization;
using System.Text.Json;
using Gateway.Admin.File;
using Gateway.Http;

namespace Gateway.Admin.Api;

/// <summary>A JSON body as the tree of nodes along which the file's rules are checked.</summary>
internal static class ApiBody
{
    /// <summary>Deepest nesting, so that what the API takes still fits into a file when it is exported.</summary>
    private const int MaxDepth = 24;

    private static readonly JsonDocumentOptions Options = new() { MaxDepth = MaxDepth, AllowDuplicateProperties = false };

    /// <summary>Reads a request's body.</summary>
    /// <returns>Either the object, or why it is refused.</returns>
    public static async Task<(YamlMap? Body, ApiError? Error)> ReadAsync(HttpContext http, BodyLimits limits, CancellationToken cancel)
    {
        var (bytes, refused) = await RequestBody.ReadJsonAsync(http, limits, cancel);
        if (bytes is null)
        {
            return (null, refused);
        }

        using (bytes)
        {
            if (!JsonBody.TryRead(bytes.Memory, null, out _, out var error))
            {
                return (null, error);
            }

            try
            {
                using var json = JsonDocument.Parse(bytes.Memory, Options);
                return ((YamlMap)Node(json.RootElement), null);
            }
            catch (JsonException wrong)
            {
                return (null, ApiError.InvalidJson(wrong.Message));
            }
            catch (FormatException wrong)
            {
                return (null, ApiError.InvalidJson(wrong.Message));
            }
        }
    }

    /// <exception cref="FormatException">A text that no database holds.</exception>
    public static YamlNode Node(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => new YamlMap(
            1, 1, 1, [.. value.EnumerateObject().Select(m => new YamlEntry(1, Storable(() => m.Name), Node(m.Value)))]),
        JsonValueKind.Array => new YamlList(1, 1, 1, [.. value.EnumerateArray().Select(Node)]),
        JsonValueKind.String => new YamlScalar(1, Storable(() => value.GetString()!), IsPlain: false),
        JsonValueKind.Null => new YamlScalar(1, "null", IsPlain: true),
        JsonValueKind.True => new YamlScalar(1, "true", IsPlain: true),
        JsonValueKind.False => new YamlScalar(1, "false", IsPlain: true),
        _ => new YamlScalar(1, value.GetRawText(), IsPlain: true),
    };

    public static bool IsNull(YamlNode node) => node is YamlScalar { IsPlain: true, Text: "null" };

    /// <summary>A member that is a text; null when it is absent, null or something else.</summary>
    public static string? Text(this YamlMap map, string name) =>
        map.Entries.FirstOrDefault(e => e.Key == name).Value is YamlScalar { IsPlain: false, Text: var text } ? text : null;

    public static YamlMap Without(this YamlMap map, Func<YamlEntry, bool> isLeftOut) =>
        map with { Entries = [.. map.Entries.Where(e => !isLeftOut(e))] };

    /// <summary>The map with one member's value changed, if it has that member.</summary>
    public static YamlMap With(this YamlMap map, string name, Func<YamlNode, YamlNode> change) =>
        map with { Entries = [.. map.Entries.Select(e => e.Key == name ? e with { Value = change(e.Value) } : e)] };

    /// <summary>Whether two trees say the same, numbers digit for digit.</summary>
    public static bool IsSame(YamlNode a, YamlNode b) => (a, b) switch
    {
        (YamlScalar first, YamlScalar second) => (first.Text, first.IsPlain) == (second.Text, second.IsPlain),
        (YamlList first, YamlList second) =>
            first.Items.Count == second.Items.Count && first.Items.Zip(second.Items).All(p => IsSame(p.First, p.Second)),
        (YamlMap first, YamlMap second) => first.Entries.Count == second.Entries.Count
            && first.Entries.All(e => second.Entries.Any(o => o.Key == e.Key && IsSame(e.Value, o.Value))),
        _ => false,
    };

    /// <summary>
    /// The object as it is to be: what a change does not name stays, a null takes a field away. Objects and maps of texts are
    /// changed member by member; lists and free JSON are replaced.
    /// </summary>
    public static YamlNode Merge(YamlNode? current, YamlNode change, FileShape shape)
    {
        switch (change, shape)
        {
            case (YamlList list, FileShape.List { Item: var item }):
                return list with { Items = [.. list.Items.Select(i => Merge(null, i, item))] };
            case (YamlMap budget, FileShape.Budget):
                return new YamlScalar(1, Budget(budget), IsPlain: false);
            case (YamlMap map, FileShape.Object or FileShape.TextMap):
                return Merge(current as YamlMap, map, shape);
            default:
                return change;
        }
    }

    private static YamlMap Merge(YamlMap? current, YamlMap change, FileShape shape)
    {
        var comparer = shape is FileShape.TextMap texts ? texts.Refused.Comparer : StringComparer.Ordinal;
        var entries = current?.Entries.ToList() ?? [];
        foreach (var entry in change.Entries)
        {
            var inner = shape is FileShape.Object o ? o.Fields.FirstOrDefault(f => f.Name == entry.Key)?.Shape : ((FileShape.TextMap)shape).Value;
            var at = entries.FindIndex(e => comparer.Equals(e.Key, entry.Key));
            if (IsNull(entry.Value) && inner is not null)
            {
                entries.RemoveRange(Math.Max(0, at), at < 0 ? 0 : 1);
                continue;
            }

            // A field that nobody knows goes on, so that it is refused by its name.
            var merged = entry with { Value = inner is null ? entry.Value : Merge(at < 0 ? null : entries[at].Value, entry.Value, inner) };
            if (at < 0)
            {
                entries.Add(merged);
            }
            else
            {
                entries[at] = merged;
            }
        }

        return change with { Entries = entries };
    }

    /// <summary><c>{"usd": 5, "per": "day"}</c>, as keys have it, in the file's form; what is none stays what no budget is.</summary>
    private static string Budget(YamlMap map)
    {
        var amount = map.Entries.SingleOrDefault(e => e.Key is "usd" or "tokens");
        return map.Entries.Count == 2 && amount.Value is YamlScalar { IsPlain: true } number && map.Text("per") is { } per
            && decimal.TryParse(number.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
            ? string.Create(CultureInfo.InvariantCulture, $"{value:0.##########}{amount.Key}/{per}")
            : "?";
    }

    private static string Storable(Func<string> read)
    {
        try
        {
            return read() is var text && YamlScalars.IsStorable(text) ? text : throw new FormatException("a text holds the character \\0.");
        }
        catch (InvalidOperationException)
        {
            // What the reader says of an escaped half of a surrogate pair.
            throw new FormatException("a string holds half of a surrogate pair.");
        }
    }
}
