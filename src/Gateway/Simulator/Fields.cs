using System.Globalization;
using System.Text.Json;

namespace Gateway.Simulator;

/// <summary>
/// Typed reading of a request's members. Null counts as absent; a wrong type is a 400 that names the path.
/// </summary>
internal static class Fields
{
    public static JsonElement? Member(this JsonElement owner, string name) =>
        owner.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    public static string? Text(this JsonElement owner, string name, string path = "") =>
        owner.Member(name) switch
        {
            null => null,
            { ValueKind: JsonValueKind.String } text => text.GetString(),
            { } other => throw RefusalException.WrongType(path + name, "a string", other.ValueKind),
        };

    public static string RequiredText(this JsonElement owner, string name, string path = "") =>
        owner.Text(name, path) ?? throw RefusalException.Missing(path + name);

    public static bool Flag(this JsonElement owner, string name, string path = "") =>
        owner.Member(name) switch
        {
            null or { ValueKind: JsonValueKind.False } => false,
            { ValueKind: JsonValueKind.True } => true,
            { } other => throw RefusalException.WrongType(path + name, "a boolean", other.ValueKind),
        };

    public static int? Whole(this JsonElement owner, string name, int min, int max)
    {
        if (owner.Member(name) is not { } value)
        {
            return null;
        }

        if (value.ValueKind != JsonValueKind.Number)
        {
            throw RefusalException.WrongType(name, "an integer", value.ValueKind);
        }

        if (!value.TryGetInt32(out var number))
        {
            throw RefusalException.WrongValue(name, "expected a 32-bit integer.");
        }

        return number >= min && number <= max ? number : throw OutOfRange(name, number < min, min, max);
    }

    public static void CheckNumber(this JsonElement owner, string name, double min, double max)
    {
        if (owner.Member(name) is not { } value)
        {
            return;
        }

        if (value.ValueKind != JsonValueKind.Number)
        {
            throw RefusalException.WrongType(name, "a number", value.ValueKind);
        }

        // Infinity is what "1e999" reads as, and the comparison refuses it.
        if (!value.TryGetDouble(out var number) || !(number >= min && number <= max))
        {
            throw OutOfRange(name, number < min, min, max);
        }
    }

    public static JsonElement? Object(this JsonElement owner, string name, string path = "") =>
        owner.Member(name) switch
        {
            null => null,
            { ValueKind: JsonValueKind.Object } found => found,
            { } other => throw RefusalException.WrongType(path + name, "an object", other.ValueKind),
        };

    public static JsonElement? Array(this JsonElement owner, string name, string path = "") =>
        owner.Member(name) switch
        {
            null => null,
            { ValueKind: JsonValueKind.Array } found => found,
            { } other => throw RefusalException.WrongType(path + name, "an array", other.ValueKind),
        };

    /// <summary>Refuses an element that is not an object, where an array of objects was expected.</summary>
    public static JsonElement AsObject(this JsonElement value, string path) =>
        value.ValueKind == JsonValueKind.Object
            ? value
            : throw RefusalException.WrongType(path, "an object", value.ValueKind);

    private static RefusalException OutOfRange(string name, bool isBelow, double min, double max) =>
        RefusalException.Invalid(
            name,
            string.Create(CultureInfo.InvariantCulture, $"Invalid '{name}': expected a value from {min} to {max}."),
            isBelow ? "integer_below_min_value" : "decimal_above_max_value");
}
