using System.Text.Json;

namespace Gateway.Simulator;

/// <summary>
/// Makes a small instance of a JSON Schema: the required members alone, the shortest arrays, the nearest numbers.
/// </summary>
/// <param name="root">The schema, where <c>$ref</c> is looked up.</param>
/// <param name="text">Goes into the first string that is free to hold it.</param>
/// <param name="fillsOptional">
/// When no required string takes the text, the first optional one is added for it: a tool's arguments should hold the
/// question.
/// </param>
internal sealed class SchemaInstance(JsonElement root, string text, bool fillsOptional = false)
{
    /// <summary>
    /// Past this depth a recursive schema's other branches are tried, past twice of it null is written.
    /// </summary>
    private const int DeepEnough = 12;

    private const int MaxItems = 1000;

    /// <summary>Schemas that refer to themselves from many members grow without bound otherwise.</summary>
    private const int MaxNodes = 10_000;

    private string? _text = text;
    private int _nodes;

    public string ToJson() => System.Text.Encoding.UTF8.GetString(JsonText.Write(json => Write(json, root, 0, 0)));

    /// <param name="variant">Which of several different values to write, where items must be unique.</param>
    private void Write(Utf8JsonWriter json, JsonElement schema, int depth, int variant)
    {
        if (++_nodes > MaxNodes || depth > 2 * DeepEnough || schema.ValueKind != JsonValueKind.Object)
        {
            json.WriteNullValue();
            return;
        }

        if (schema.TryGetProperty("const", out var only))
        {
            only.WriteTo(json);
            return;
        }

        if (schema.TryGetProperty("enum", out var values) && values.ValueKind == JsonValueKind.Array
            && values.GetArrayLength() > 0)
        {
            values[variant % values.GetArrayLength()].WriteTo(json);
            return;
        }

        if (Branch(schema, depth) is { } branch)
        {
            Write(json, branch, depth + 1, variant);
            return;
        }

        switch (TypeOf(schema, depth))
        {
            case "object":
                WriteObject(json, schema, depth);
                break;
            case "array":
                WriteArray(json, schema, depth);
                break;
            case "string":
                json.WriteStringValue(TextFor(schema, variant));
                break;
            case "integer":
                json.WriteNumberValue((long)SchemaValues.NumberFor(schema, isWhole: true) + variant);
                break;
            case "number":
                json.WriteNumberValue(SchemaValues.NumberFor(schema, isWhole: false) + variant);
                break;
            case "boolean":
                json.WriteBooleanValue(variant % 2 == 1);
                break;
            default:
                json.WriteNullValue();
                break;
        }
    }

    /// <summary>What the schema refers to, or the branch of it that is taken. Null: it speaks for itself.</summary>
    private JsonElement? Branch(JsonElement schema, int depth)
    {
        if (schema.TryGetProperty("$ref", out var reference) && reference.ValueKind == JsonValueKind.String)
        {
            return Resolve(reference.GetString()!);
        }

        foreach (var name in (string[])["anyOf", "oneOf"])
        {
            if (schema.TryGetProperty(name, out var branches) && branches.ValueKind == JsonValueKind.Array
                && branches.GetArrayLength() > 0)
            {
                return depth < DeepEnough ? branches[0] : branches[branches.GetArrayLength() - 1];
            }
        }

        // Parts that each say something about the same object are put together by WriteObject; a lone one is the
        // schema.
        return schema.TryGetProperty("allOf", out var all) && all.ValueKind == JsonValueKind.Array
            && all.GetArrayLength() == 1
            && !schema.TryGetProperty("properties", out _)
            ? all[0]
            : null;
    }

    private JsonElement? Resolve(string reference)
    {
        if (!reference.StartsWith('#'))
        {
            throw RefusalException.WrongValue("schema", $"the simulator cannot follow the reference '{reference}'.");
        }

        var at = root;
        foreach (var step in reference[1..].Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            var name = Uri.UnescapeDataString(step)
                .Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
            if (at.ValueKind != JsonValueKind.Object || !at.TryGetProperty(name, out at))
            {
                throw RefusalException.WrongValue("schema", $"the reference '{reference}' leads nowhere.");
            }
        }

        return at;
    }

    private static string TypeOf(JsonElement schema, int depth)
    {
        if (schema.TryGetProperty("type", out var type))
        {
            if (type.ValueKind == JsonValueKind.String)
            {
                return type.GetString()!;
            }

            if (type.ValueKind == JsonValueKind.Array)
            {
                var types = type.EnumerateArray().Select(t => t.ToString()).ToList();
                return depth >= DeepEnough && types.Contains("null") ? "null" : types.Find(t => t != "null") ?? "null";
            }
        }

        (string Keyword, string Type)[] hints =
        [
            ("properties", "object"), ("required", "object"), ("allOf", "object"), ("additionalProperties", "object"), ("items", "array"),
            ("prefixItems", "array"), ("minItems", "array"), ("minimum", "number"), ("maximum", "number"), ("multipleOf", "number"),
        ];
        foreach (var (keyword, hinted) in hints)
        {
            if (schema.TryGetProperty(keyword, out _))
            {
                return hinted;
            }
        }

        return "string";
    }

    private void WriteObject(Utf8JsonWriter json, JsonElement schema, int depth)
    {
        var properties = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        var required = new HashSet<string>(StringComparer.Ordinal);
        Gather(schema, properties, required, 0);

        json.WriteStartObject();
        foreach (var (name, property) in properties)
        {
            if (required.Remove(name))
            {
                json.WritePropertyName(name);
                Write(json, property, depth + 1, 0);
            }
        }

        foreach (var undescribed in required)
        {
            json.WriteString(undescribed, Take());
        }

        if (depth == 0 && fillsOptional && _text is not null)
        {
            foreach (var (name, property) in properties)
            {
                if (_text is not null && IsFree(property))
                {
                    json.WriteString(name, TextFor(property, 0));
                }
            }
        }

        json.WriteEndObject();
    }

    private void Gather(JsonElement schema, Dictionary<string, JsonElement> properties, HashSet<string> required, int depth)
    {
        if (++_nodes > MaxNodes || schema.ValueKind != JsonValueKind.Object || depth > DeepEnough)
        {
            return;
        }

        if (depth > 0 && Branch(schema, depth) is { } branch)
        {
            Gather(branch, properties, required, depth + 1);
        }

        foreach (var part in Items(schema, "allOf"))
        {
            Gather(part, properties, required, depth + 1);
        }

        if (schema.TryGetProperty("properties", out var own) && own.ValueKind == JsonValueKind.Object)
        {
            foreach (var property in own.EnumerateObject())
            {
                properties[property.Name] = property.Value;
            }
        }

        required.UnionWith(Items(schema, "required").Select(name => name.ToString()));
    }

    private void WriteArray(Utf8JsonWriter json, JsonElement schema, int depth)
    {
        var first = Items(schema, "prefixItems");
        var count = Math.Min(Math.Max((int)SchemaValues.Limit(schema, "minItems", 0), 0), MaxItems);
        json.WriteStartArray();
        for (var i = 0; i < Math.Max(count, first.Count); i++)
        {
            var item = i < first.Count ? first[i] : schema.TryGetProperty("items", out var each) ? each : default;
            Write(json, item, depth + 1, i < first.Count ? 0 : i);
        }

        json.WriteEndArray();
    }

    private string TextFor(JsonElement schema, int variant)
    {
        var pattern = schema.TryGetProperty("pattern", out var p) && p.ValueKind == JsonValueKind.String
            ? p.GetString()
            : null;
        var format = schema.TryGetProperty("format", out var f) ? SchemaValues.Formatted(f.ToString()) : null;
        if (format is not null && pattern is null)
        {
            return format;
        }

        var min = (int)Math.Clamp(SchemaValues.Limit(schema, "minLength", 0), 0, 100_000);
        var max = (int)Math.Clamp(SchemaValues.Limit(schema, "maxLength", int.MaxValue), 0, int.MaxValue);
        if (pattern is not null)
        {
            return SchemaValues.Sample(pattern, min, max);
        }

        var value = Take() + (variant > 0 ? variant : "");
        return value.Length > max ? value[..max] : value.PadRight(min, '.');
    }

    private string Take()
    {
        var taken = _text ?? "text";
        _text = null;
        return taken;
    }

    private static bool IsFree(JsonElement schema) =>
        schema.ValueKind == JsonValueKind.Object
        && schema.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.String
            && type.ValueEquals("string")
        && !schema.TryGetProperty("enum", out _) && !schema.TryGetProperty("const", out _)
        && !schema.TryGetProperty("format", out _) && !schema.TryGetProperty("pattern", out _);

    private static List<JsonElement> Items(JsonElement schema, string name) =>
        schema.TryGetProperty(name, out var items) && items.ValueKind == JsonValueKind.Array
            ? [.. items.EnumerateArray()]
            : [];
}
