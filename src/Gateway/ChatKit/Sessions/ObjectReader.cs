using System.Text.Json;
using Gateway.Http;

namespace Gateway.ChatKit.Sessions;

/// <summary>
/// Reads the members of a JSON object and keeps the first thing that is wrong, so that reading code needs no branch for each.
/// A member that is missing or null has its default. Unknown members are passed over, as at OpenAI.
/// </summary>
internal sealed class ObjectReader(JsonElement value, string path = "", ObjectReader? root = null)
{
    private ApiError? _error;

    /// <summary>The first thing that is wrong, here or below.</summary>
    public ApiError? Error => root is null ? _error : root.Error;

    /// <summary>An object below; an empty one where there is none.</summary>
    public ObjectReader Object(string name) => Find(name, JsonValueKind.Object, "an object") is { } found
        ? new ObjectReader(found, Path(name), root ?? this)
        : new ObjectReader(default, Path(name), root ?? this);

    public bool Has(string name) => Get(name) is not null;

    public string? Text(string name, int most)
    {
        if (Find(name, JsonValueKind.String, "a string") is not { } found)
        {
            return null;
        }

        return Storable(name, () => found.GetString()!, most);
    }

    public string RequiredText(string name, int most)
    {
        if (Get(name) is null)
        {
            Fail(ApiError.MissingParameter(Path(name)));
            return "";
        }

        var text = Text(name, most);
        if (text is { Length: 0 })
        {
            Fail(ApiError.InvalidValue(Path(name), "it is empty."));
        }

        return text ?? "";
    }

    public int? Number(string name, int least, int most)
    {
        if (Find(name, JsonValueKind.Number, "an integer") is not { } found)
        {
            return null;
        }

        if (!found.TryGetInt32(out var number))
        {
            Fail(ApiError.InvalidType(Path(name), "an integer", found.GetRawText()));
            return null;
        }

        if (number < least || number > most)
        {
            Fail(ApiError.InvalidValue(Path(name), $"expected {least} to {most}, got {number}."));
            return null;
        }

        return number;
    }

    public bool? Flag(string name)
    {
        var found = Get(name);
        if (found is { ValueKind: not (JsonValueKind.True or JsonValueKind.False) } wrong)
        {
            Fail(ApiError.InvalidType(Path(name), "a boolean", Kind(wrong)));
            return null;
        }

        return found?.GetBoolean();
    }

    /// <summary>Texts; empty when there are none.</summary>
    public IReadOnlyList<string> Texts(string name, int mostItems, int most)
    {
        if (Find(name, JsonValueKind.Array, "an array of strings") is not { } found)
        {
            return [];
        }

        if (found.GetArrayLength() > mostItems)
        {
            Fail(ApiError.InvalidValue(Path(name), $"expected {mostItems} items at the most."));
            return [];
        }

        var texts = new List<string>();
        foreach (var item in found.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.String)
            {
                Fail(ApiError.InvalidType($"{Path(name)}[{texts.Count}]", "a string", Kind(item)));
                return [];
            }

            texts.Add(Storable($"{name}[{texts.Count}]", () => item.GetString()!, most));
        }

        return texts;
    }

    /// <summary>Texts, numbers and booleans by name.</summary>
    public IReadOnlyDictionary<string, JsonElement> Primitives(string name, int mostItems, int mostName, int most)
    {
        var found = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        if (Find(name, JsonValueKind.Object, "an object") is not { } values)
        {
            return found;
        }

        foreach (var member in values.EnumerateObject())
        {
            var key = Storable(name, () => member.Name, mostName);
            if (member.Value.ValueKind is not (JsonValueKind.String or JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False))
            {
                Fail(ApiError.InvalidType($"{Path(name)}.{key}", "a string, a number or a boolean", Kind(member.Value)));
            }
            else if (member.Value.ValueKind == JsonValueKind.String)
            {
                Storable($"{name}.{key}", () => member.Value.GetString()!, most);
            }

            found[key] = member.Value.Clone();
        }

        if (found.Count > mostItems)
        {
            Fail(ApiError.InvalidValue(Path(name), $"expected {mostItems} members at the most."));
        }

        return found;
    }

    public void Fail(ApiError error)
    {
        if (root is null)
        {
            _error ??= error;
        }
        else
        {
            root.Fail(error);
        }
    }

    public string Path(string name) => path.Length == 0 ? name : $"{path}.{name}";

    private JsonElement? Get(string name) =>
        value.ValueKind == JsonValueKind.Object && value.TryGetProperty(name, out var found) && found.ValueKind != JsonValueKind.Null
            ? found
            : null;

    private JsonElement? Find(string name, JsonValueKind kind, string expected)
    {
        var found = Get(name);
        if (found is { } wrong && wrong.ValueKind != kind)
        {
            Fail(ApiError.InvalidType(Path(name), expected, Kind(wrong)));
            return null;
        }

        return found;
    }

    /// <summary>A text that the database holds: whole characters, and no U+0000.</summary>
    private string Storable(string name, Func<string> read, int most)
    {
        try
        {
            var text = read();
            if (text.Length > most)
            {
                Fail(ApiError.InvalidValue(Path(name), $"expected {most} characters at the most, got {text.Length}."));
            }
            else if (text.Contains('\0', StringComparison.Ordinal))
            {
                Fail(ApiError.InvalidValue(Path(name), "it holds the character U+0000."));
            }

            return text;
        }
        catch (InvalidOperationException)
        {
            Fail(ApiError.InvalidValue(Path(name), "it holds half a character."));
            return "";
        }
    }

    private static string Kind(JsonElement wrong) => wrong.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => "a number",
        _ => "a boolean",
    };
}
