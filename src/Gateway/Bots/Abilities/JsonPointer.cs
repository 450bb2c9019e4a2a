using System.Text.Json;

namespace Gateway.Bots.Abilities;

/// <summary>RFC 6901: <c>/customer/0/name</c> in a JSON value. Pure.</summary>
internal static class JsonPointer
{
    /// <summary>Whether a text is a pointer; an empty one is the whole value.</summary>
    public static bool IsPointer(string text) => text.Length == 0 || text[0] == '/';

    /// <summary>Null when there is nothing there.</summary>
    public static JsonElement? Find(JsonElement value, string pointer)
    {
        foreach (var part in pointer.Length == 0 ? [] : pointer[1..].Split('/'))
        {
            var name = part.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
            if (value.ValueKind == JsonValueKind.Object && value.TryGetProperty(name, out var member))
            {
                value = member;
            }
            else if (value.ValueKind == JsonValueKind.Array
                && int.TryParse(name, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var index)
                && index < value.GetArrayLength())
            {
                value = value[index];
            }
            else
            {
                return null;
            }
        }

        return value;
    }
}

/// <summary><c>$ref</c> within one schema.</summary>
internal static class SchemaReference
{
    /// <summary>Null when the reference leads out of the schema or to nothing.</summary>
    public static JsonElement? Find(JsonElement root, string reference) =>
        reference.StartsWith('#') && JsonPointer.IsPointer(reference[1..])
            ? JsonPointer.Find(root, Uri.UnescapeDataString(reference[1..]))
            : null;
}
