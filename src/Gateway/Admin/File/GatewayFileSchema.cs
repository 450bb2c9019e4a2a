using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Gateway.Admin.File;

/// <summary>The shape as a JSON Schema for editors: what this version accepts.</summary>
internal static class GatewayFileSchema
{
    // Wherever a value is checked, a ${VARIABLE} may stand instead, which an editor cannot see through.
    private const string OrVariable = @"|\$\{";

    private const string AddressPattern = @"^https?://[^\s?#@/\\]+(/[^\s?#\\]*)?$";

    private static readonly JsonSerializerOptions Options = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Draft 2020-12, indented, ending in a line break: <c>deploy/gateway.schema.json</c>.</summary>
    public static string ToJson()
    {
        var schema = new JsonObject
        {
            ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
            ["title"] = "gateway.yaml",
            ["description"] =
                "What `gateway apply` makes the database match. \"${VARIABLE}\" is taken from the environment.",
        };
        foreach (var (name, value) in Of(GatewayFileShape.Root))
        {
            schema[name] = value?.DeepClone();
        }

        return schema.ToJsonString(Options) + "\n";
    }

    internal static JsonObject Of(FileShape shape) => shape switch
    {
        FileShape.Text { OneOf: { } allowed } => OrText(OneOf(allowed)),
        FileShape.Text text => OfText(text),
        FileShape.Address => new() { ["type"] = "string", ["pattern"] = AddressPattern + OrVariable },
        FileShape.Duration => new() { ["type"] = "string", ["pattern"] = FileDuration.Pattern + OrVariable },
        FileShape.Budget => new() { ["type"] = "string", ["pattern"] = FileBudget.Pattern + OrVariable },
        FileShape.Money => new() { ["type"] = "string", ["pattern"] = FileBudget.MoneyPattern + OrVariable },
        FileShape.Number number => OrText(new()
        {
            ["type"] = number.IsWhole ? "integer" : "number",
            [number.IsAboveMin ? "exclusiveMinimum" : "minimum"] = number.Min,
            ["maximum"] = number.Max,
        }),
        FileShape.Flag => OrText(new() { ["type"] = "boolean" }),
        FileShape.List list => OfList(list),
        FileShape.TextMap map => new()
        {
            ["type"] = "object",
            ["propertyNames"] = new JsonObject
            {
                ["pattern"] = map.Key.Pattern,
                ["not"] = OneOf(map.Refused.Reasons.Keys),
            },
            ["additionalProperties"] = Of(map.Value),
        },
        FileShape.Json { Refused.Reasons.Count: 0 } => new() { ["type"] = "object" },
        FileShape.Json json => new()
        {
            ["type"] = "object",
            ["propertyNames"] = new JsonObject { ["not"] = OneOf(json.Refused.Reasons.Keys) },
        },
        FileShape.Object o => OfObject(o),
        _ => throw new InvalidOperationException($"{shape} has no schema."),
    };

    private static JsonObject OfText(FileShape.Text text)
    {
        var schema = new JsonObject { ["type"] = "string", ["minLength"] = text.MayBeEmpty ? 0 : 1, ["maxLength"] = text.MaxLength };
        if (text.Pattern is { } pattern)
        {
            schema["pattern"] = pattern + OrVariable;
        }

        return schema;
    }

    private static JsonObject OfList(FileShape.List list)
    {
        var schema = new JsonObject { ["type"] = "array", ["items"] = Of(list.Item) };
        if (list.EmptyAdvice is not null)
        {
            schema["minItems"] = 1;
        }

        if (list.UniqueBy is "")
        {
            schema["uniqueItems"] = true;
        }

        return schema;
    }

    private static JsonObject OfObject(FileShape.Object shape)
    {
        var properties = new JsonObject();
        foreach (var field in shape.Fields)
        {
            var property = new JsonObject { ["description"] = field.Description };
            foreach (var (name, value) in Of(field.Shape))
            {
                property[name] = value?.DeepClone();
            }

            if (field.Default is { } fallback)
            {
                property["default"] = field.Shape switch
                {
                    FileShape.Number => decimal.Parse(fallback, CultureInfo.InvariantCulture),
                    FileShape.Flag => fallback == "true",
                    _ => fallback,
                };
            }

            properties[field.Name] = property;
        }

        var schema = new JsonObject
        {
            ["type"] = "object",
            ["properties"] = properties,
            ["additionalProperties"] = false,
        };
        if (Array(shape.Fields.Where(f => f.IsRequired).Select(f => f.Name)) is { Count: > 0 } required)
        {
            schema["required"] = required;
        }

        return schema;
    }

    private static JsonObject OrText(JsonObject schema) => new()
    {
        ["anyOf"] = new JsonArray(schema, new JsonObject { ["type"] = "string", ["pattern"] = @"\$\{" }),
    };

    private static JsonObject OneOf(IEnumerable<string> names) => new() { ["enum"] = Array(names) };

    private static JsonArray Array(IEnumerable<string> texts) =>
        [.. texts.Order(StringComparer.Ordinal).Select(text => JsonValue.Create(text))];
}
