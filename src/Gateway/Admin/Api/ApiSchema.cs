using System.Text.Json.Nodes;
using Gateway.Admin.File;

namespace Gateway.Admin.Api;

/// <summary>Shapes as JSON Schemas: of what a body may hold, and of what is shown.</summary>
internal static class ApiSchema
{
    /// <param name="isChange">Nothing is required, and a null gives a field its default.</param>
    public static JsonObject OfBody(FileShape.Object shape, bool isChange)
    {
        var schema = Object(shape.Fields, f => isChange || !f.IsRequired ? OrNull(OfBody(f.Shape, isChange)) : OfBody(f.Shape, isChange));
        schema["additionalProperties"] = false;
        if (!isChange && shape.Fields.Any(f => f.IsRequired))
        {
            schema["required"] = Texts(shape.Fields.Where(f => f.IsRequired).Select(f => f.Name));
        }

        return schema;
    }

    /// <summary>An object of the API, all of whose fields are there.</summary>
    /// <param name="hidden">Fields that are never shown.</param>
    /// <param name="besides">What is shown that no body has.</param>
    public static JsonObject OfShown(FileShape.Object shape, IReadOnlyCollection<string> hidden, IReadOnlyDictionary<string, JsonObject> besides)
    {
        var schema = Object(
            shape.Fields.Where(f => !hidden.Contains(f.Name)), f => f.IsRequired ? OfShown(f.Shape) : OrNull(OfShown(f.Shape)));
        var properties = (JsonObject)schema["properties"]!;
        foreach (var (name, value) in besides)
        {
            properties[name] = value.DeepClone();
        }

        schema["additionalProperties"] = false;
        schema["required"] = Texts(properties.Select(p => p.Key));
        return schema;
    }

    public static JsonObject OrNull(JsonObject schema) => new() { ["anyOf"] = new JsonArray(schema, new JsonObject { ["type"] = "null" }) };

    public static JsonObject Reference(string name) => new() { ["$ref"] = $"#/components/schemas/{name}" };

    public static JsonObject Type(string type) => new() { ["type"] = type };

    public static JsonArray Texts(IEnumerable<string> texts) => [.. texts.Select(t => JsonValue.Create(t))];

    private static JsonObject OfBody(FileShape shape, bool isChange) => shape switch
    {
        FileShape.Object o => OfBody(o, isChange),
        // What a list holds is given whole, whatever becomes of the rest.
        FileShape.List list => OfList(list, OfBody(list.Item, isChange: false)),
        FileShape.TextMap map => new JsonObject
        {
            ["type"] = "object",
            ["additionalProperties"] = isChange ? OrNull(OfScalar(map.Value)) : OfScalar(map.Value),
        },
        FileShape.Budget => new JsonObject
        {
            ["anyOf"] = new JsonArray(Reference("Budget"), new JsonObject { ["type"] = "string", ["pattern"] = FileBudget.Pattern }),
        },
        _ => OfScalar(shape),
    };

    private static JsonObject OfShown(FileShape shape) => shape switch
    {
        FileShape.Object o => Object(o.Fields.Where(f => f.Shape is not FileShape.Text { IsSecret: true }), f => OrNull(OfShown(f.Shape))),
        FileShape.List list => new JsonObject { ["type"] = "array", ["items"] = OfShown(list.Item) },
        FileShape.TextMap => new JsonObject { ["type"] = "object", ["additionalProperties"] = Type("string") },
        FileShape.Budget => Reference("Budget"),
        FileShape.Text => Type("string"),
        _ => OfScalar(shape),
    };

    private static JsonObject OfScalar(FileShape shape) => shape switch
    {
        FileShape.Text { OneOf: { } allowed } => new() { ["type"] = "string", ["enum"] = Texts(allowed) },
        FileShape.Text text => OfText(text),
        FileShape.Address => new() { ["type"] = "string", ["format"] = "uri" },
        FileShape.Duration => new() { ["type"] = "string", ["pattern"] = FileDuration.Pattern },
        FileShape.Money => new() { ["type"] = "string", ["pattern"] = FileBudget.MoneyPattern },
        FileShape.Number number => new()
        {
            ["type"] = number.IsWhole ? "integer" : "number",
            [number.IsAboveMin ? "exclusiveMinimum" : "minimum"] = number.Min,
            ["maximum"] = number.Max,
        },
        FileShape.Flag => Type("boolean"),
        FileShape.Json => Type("object"),
        _ => throw new InvalidOperationException($"{shape} has no schema."),
    };

    private static JsonObject OfText(FileShape.Text text)
    {
        var schema = new JsonObject { ["type"] = "string", ["minLength"] = text.MayBeEmpty ? 0 : 1, ["maxLength"] = text.MaxLength };
        if (text.Pattern is { } pattern)
        {
            schema["pattern"] = pattern;
        }

        if (text.IsSecret)
        {
            schema["writeOnly"] = true;
        }

        return schema;
    }

    private static JsonObject OfList(FileShape.List list, JsonObject item)
    {
        var schema = new JsonObject { ["type"] = "array", ["items"] = item };
        if (list.EmptyAdvice is not null)
        {
            schema["minItems"] = 1;
        }

        return schema;
    }

    private static JsonObject Object(IEnumerable<Field> fields, Func<Field, JsonObject> make)
    {
        var properties = new JsonObject();
        foreach (var field in fields)
        {
            var property = make(field);
            property["description"] = ApiShape.Words(field.Description);
            properties[field.Name] = property;
        }

        return new JsonObject { ["type"] = "object", ["properties"] = properties };
    }
}
