using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Gateway.Bots.Abilities;

/// <summary>
/// One check of one value by a schema. A keyword that makes no sense counts as not there: schemas of MCP servers are not ours
/// to mend, and the servers check for themselves.
/// </summary>
internal sealed class SchemaCheck(JsonElement root, ConcurrentDictionary<string, Regex?> patterns)
{
    private const int MostDepth = 64;
    private const int MostMistakes = 8;

    /// <summary>Schemas that refer to themselves in several ways could take for ever.</summary>
    private const int MostWork = 20_000;

    private List<string> _mistakes = [];
    private int _work;
    private int _depth;

    public IReadOnlyList<string> Mistakes => _mistakes;

    /// <param name="path">Of the value, such as <c>customer.tags[0]</c>; empty: the arguments themselves.</param>
    public void Check(JsonElement schema, JsonElement value, string path)
    {
        if (schema.ValueKind == JsonValueKind.False)
        {
            Wrong(path, "nothing is allowed here");
        }

        if (schema.ValueKind != JsonValueKind.Object)
        {
            return;
        }

        if (++_work > MostWork || _depth >= MostDepth)
        {
            Wrong(path, "too deep or too complex to be checked");
            return;
        }

        _depth++;
        CheckObject(schema, value, path);
        _depth--;
    }

    private void CheckObject(JsonElement schema, JsonElement value, string path)
    {
        if (value.ValueKind == JsonValueKind.Null && Has(schema, "nullable", JsonValueKind.True, out _))
        {
            return;
        }

        if (Has(schema, "$ref", JsonValueKind.String, out var reference) && SchemaReference.Find(root, reference.GetString()!) is { } target)
        {
            Check(target, value, path);
        }

        if (schema.TryGetProperty("type", out var type) && !SchemaTypes.Fits(type, value))
        {
            Wrong(path, $"expected {SchemaTypes.Describe(type)}, got {SchemaTypes.Name(value)}");
            return;
        }

        CheckValues(schema, value, path);
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                CheckMembers(schema, value, path);
                break;
            case JsonValueKind.Array:
                CheckItems(schema, value, path);
                break;
            case JsonValueKind.String:
                CheckText(schema, value.GetString()!, path);
                break;
            case JsonValueKind.Number:
                CheckNumber(schema, value.GetDouble(), path);
                break;
        }

        CheckCombinations(schema, value, path);
    }

    private void CheckValues(JsonElement schema, JsonElement value, string path)
    {
        if (Has(schema, "enum", JsonValueKind.Array, out var allowed) && !allowed.EnumerateArray().Any(a => JsonElement.DeepEquals(a, value)))
        {
            Wrong(path, $"expected one of {Shown(allowed)}");
        }

        if (schema.TryGetProperty("const", out var only) && !JsonElement.DeepEquals(only, value))
        {
            Wrong(path, $"expected {Shown(only)}");
        }
    }

    private void CheckMembers(JsonElement schema, JsonElement value, string path)
    {
        var known = Has(schema, "properties", JsonValueKind.Object, out var properties);
        if (Has(schema, "required", JsonValueKind.Array, out var required))
        {
            foreach (var name in required.EnumerateArray())
            {
                if (name.ValueKind == JsonValueKind.String && !value.TryGetProperty(name.GetString()!, out _))
                {
                    Wrong(Below(path, name.GetString()!), "is missing");
                }
            }
        }

        var hasOthers = schema.TryGetProperty("additionalProperties", out var others);
        var count = 0;
        foreach (var member in value.EnumerateObject())
        {
            count++;
            if (known && properties.TryGetProperty(member.Name, out var property))
            {
                Check(property, member.Value, Below(path, member.Name));
            }
            else if (hasOthers && others.ValueKind == JsonValueKind.False)
            {
                Wrong(Below(path, member.Name), known ? $"is not known; known are: {Names(properties)}" : "is not known");
            }
            else if (hasOthers)
            {
                Check(others, member.Value, Below(path, member.Name));
            }
        }

        CheckCount(schema, "minProperties", "maxProperties", count, path, "members");
    }

    private void CheckItems(JsonElement schema, JsonElement value, string path)
    {
        var items = value.EnumerateArray().ToList();
        CheckCount(schema, "minItems", "maxItems", items.Count, path, "items");
        if (schema.TryGetProperty("items", out var each))
        {
            for (var i = 0; i < items.Count; i++)
            {
                Check(each, items[i], string.Create(CultureInfo.InvariantCulture, $"{path}[{i}]"));
            }
        }

        if (Has(schema, "uniqueItems", JsonValueKind.True, out _))
        {
            // By their text first, so that a long list is not compared with itself.
            var seen = new HashSet<string>(StringComparer.Ordinal);
            if (!items.TrueForAll(item => seen.Add(item.GetRawText())))
            {
                Wrong(path, "expected no item twice");
            }
        }
    }

    private void CheckText(JsonElement schema, string text, string path)
    {
        if (schema.TryGetProperty("minLength", out _) || schema.TryGetProperty("maxLength", out _))
        {
            CheckCount(schema, "minLength", "maxLength", text.EnumerateRunes().Count(), path, "characters");
        }

        if (Has(schema, "pattern", JsonValueKind.String, out var written)
            && patterns.GetOrAdd(written.GetString()!, SchemaPattern.Read) is { } pattern
            && SchemaPattern.Matches(pattern, text) != true)
        {
            Wrong(path, $"expected a text that matches {written.GetString()}");
        }

        if (Has(schema, "format", JsonValueKind.String, out var format) && !SchemaTypes.FitsFormat(format.GetString()!, text))
        {
            Wrong(path, $"expected the format '{format.GetString()}'");
        }
    }

    private void CheckNumber(JsonElement schema, double number, string path)
    {
        Bound("minimum", limit => number >= limit, "at least");
        Bound("maximum", limit => number <= limit, "at most");
        Bound("exclusiveMinimum", limit => number > limit, "more than");
        Bound("exclusiveMaximum", limit => number < limit, "less than");
        Bound("multipleOf", step => step <= 0 || IsMultiple(number, step), "a multiple of");

        void Bound(string keyword, Func<double, bool> holds, string words)
        {
            if (Has(schema, keyword, JsonValueKind.Number, out var limit) && !holds(limit.GetDouble()))
            {
                Wrong(path, $"expected {words} {limit.GetRawText()}");
            }
        }
    }

    /// <summary>Decimal fractions, such as 0.1, are none to a double: as near as it can tell.</summary>
    private static bool IsMultiple(double number, double step)
    {
        var times = number / step;
        return Math.Abs(times - Math.Round(times)) <= 1e-9 * Math.Max(1, Math.Abs(times));
    }

    private void CheckCombinations(JsonElement schema, JsonElement value, string path)
    {
        foreach (var part in List(schema, "allOf"))
        {
            Check(part, value, path);
        }

        if (Has(schema, "anyOf", JsonValueKind.Array, out var any) && !any.EnumerateArray().Any(part => Fits(part, value, path)))
        {
            Wrong(path, $"expected one of these: {Shown(any)}");
        }

        if (Has(schema, "oneOf", JsonValueKind.Array, out var one) && one.EnumerateArray().Count(part => Fits(part, value, path)) != 1)
        {
            Wrong(path, $"expected exactly one of these: {Shown(one)}");
        }
    }

    private bool Fits(JsonElement schema, JsonElement value, string path)
    {
        var outer = _mistakes;
        _mistakes = [];
        Check(schema, value, path);
        var fits = _mistakes.Count == 0;
        _mistakes = outer;
        return fits;
    }

    private void CheckCount(JsonElement schema, string least, string most, int count, string path, string what)
    {
        if (Has(schema, least, JsonValueKind.Number, out var low) && count < low.GetDouble())
        {
            Wrong(path, $"expected at least {low.GetRawText()} {what}");
        }

        if (Has(schema, most, JsonValueKind.Number, out var high) && count > high.GetDouble())
        {
            Wrong(path, $"expected at most {high.GetRawText()} {what}");
        }
    }

    private void Wrong(string path, string why)
    {
        if (_mistakes.Count < MostMistakes)
        {
            _mistakes.Add($"{(path.Length == 0 ? "the arguments" : path)}: {why}");
        }
    }

    private static JsonElement.ArrayEnumerator List(JsonElement schema, string keyword) =>
        Has(schema, keyword, JsonValueKind.Array, out var list) ? list.EnumerateArray() : default;

    private static bool Has(JsonElement schema, string keyword, JsonValueKind kind, out JsonElement value) =>
        schema.TryGetProperty(keyword, out value) && value.ValueKind == kind;

    private static string Below(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";

    private static string Names(JsonElement properties) => string.Join(", ", properties.EnumerateObject().Take(30).Select(p => p.Name));

    private static string Shown(JsonElement json)
    {
        var text = json.GetRawText();
        return text.Length <= 300 ? text : text[..300] + "…";
    }
}
