using System.Text.Json;

namespace Gateway.Bots.Abilities;

/// <summary>Finds what is wrong in a schema that an owner wrote, so that no rule of it is quietly left unchecked. Pure.</summary>
internal sealed class SchemaRules
{
    private const int MostDepth = 32;

    private readonly JsonElement _root;
    private readonly Action<string, string> _wrong;

    private SchemaRules(JsonElement root, Action<string, string> wrong) => (_root, _wrong) = (root, wrong);

    /// <param name="path">Where the schema stands, for messages.</param>
    /// <param name="wrong">Is told of each mistake: its path, and what is wrong.</param>
    public static void Check(JsonElement schema, string path, Action<string, string> wrong)
    {
        if (schema.ValueKind != JsonValueKind.Object)
        {
            wrong(path, "expected a JSON Schema of an object, such as { type: object, properties: { … } }.");
            return;
        }

        if (schema.TryGetProperty("type", out var type) && !(type.ValueKind == JsonValueKind.String && type.ValueEquals("object")))
        {
            wrong($"{path}.type", "expected 'object': arguments are an object.");
            return;
        }

        new SchemaRules(schema, wrong).Check(schema, path, 0);
    }

    private void Check(JsonElement schema, string path, int depth)
    {
        if (schema.ValueKind is JsonValueKind.True or JsonValueKind.False)
        {
            return;
        }

        if (schema.ValueKind != JsonValueKind.Object || depth > MostDepth)
        {
            _wrong(path, depth > MostDepth ? $"nested deeper than {MostDepth}." : "expected a schema: an object, true or false.");
            return;
        }

        foreach (var member in schema.EnumerateObject())
        {
            CheckKeyword(member.Name, member.Value, $"{path}.{member.Name}", depth);
        }
    }

    private void CheckKeyword(string keyword, JsonElement value, string path, int depth)
    {
        if (!SchemaKeywords.Checked.Contains(keyword))
        {
            if (!SchemaKeywords.Ignored.Contains(keyword) && !keyword.StartsWith("x-", StringComparison.Ordinal))
            {
                _wrong(path, $"not supported; supported are: {string.Join(", ", SchemaKeywords.Checked)}.");
            }
        }
        else if (SchemaKeywords.SchemasAlone.Contains(keyword))
        {
            Check(value, path, depth + 1);
        }
        else if (SchemaKeywords.SchemasByName.Contains(keyword))
        {
            CheckMembers(value, path, depth);
        }
        else if (SchemaKeywords.SchemaLists.Contains(keyword))
        {
            CheckList(value, path, depth);
        }
        else if (Mistake(keyword, value) is { } mistake)
        {
            _wrong(path, mistake);
        }
    }

    private void CheckMembers(JsonElement value, string path, int depth)
    {
        if (value.ValueKind != JsonValueKind.Object)
        {
            _wrong(path, "expected an object of schemas.");
            return;
        }

        foreach (var member in value.EnumerateObject())
        {
            Check(member.Value, $"{path}.{member.Name}", depth + 1);
        }
    }

    private void CheckList(JsonElement value, string path, int depth)
    {
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() == 0)
        {
            _wrong(path, "expected an array of schemas.");
            return;
        }

        var index = 0;
        foreach (var schema in value.EnumerateArray())
        {
            Check(schema, $"{path}[{index++}]", depth + 1);
        }
    }

    private string? Mistake(string keyword, JsonElement value) => keyword switch
    {
        "type" when !IsType(value) => $"expected one of: {string.Join(", ", SchemaKeywords.Types)}; or an array of these.",
        "enum" when value.ValueKind != JsonValueKind.Array || value.GetArrayLength() == 0 => "expected an array of values.",
        "required" when !IsTexts(value) => "expected an array of names.",
        "pattern" when value.ValueKind != JsonValueKind.String || SchemaPattern.Read(value.GetString()!) is null => "expected a regular expression.",
        "format" when value.ValueKind != JsonValueKind.String => "expected a string.",
        "nullable" or "uniqueItems" when value.ValueKind is not (JsonValueKind.True or JsonValueKind.False) => "expected true or false.",
        "$ref" when value.ValueKind != JsonValueKind.String || SchemaReference.Find(_root, value.GetString()!) is null =>
            "expected a place in this schema, such as #/$defs/address.",
        _ when SchemaKeywords.Counts.Contains(keyword) && !(value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var count) && count >= 0) =>
            "expected a whole number, 0 or more.",
        _ when SchemaKeywords.Numbers.Contains(keyword) && !(value.ValueKind == JsonValueKind.Number && IsUsable(keyword, value)) =>
            keyword == "multipleOf" ? "expected a number above 0." : "expected a number.",
        _ => null,
    };

    private static bool IsUsable(string keyword, JsonElement number) => keyword != "multipleOf" || number.GetDouble() > 0;

    private static bool IsType(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => SchemaKeywords.Types.Contains(value.GetString()),
        JsonValueKind.Array => value.GetArrayLength() > 0 && value.EnumerateArray().All(t => t.ValueKind == JsonValueKind.String && IsType(t)),
        _ => false,
    };

    private static bool IsTexts(JsonElement value) =>
        value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(t => t.ValueKind == JsonValueKind.String);
}
