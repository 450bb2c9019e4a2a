using System.Text.Json.Nodes;
using Gateway.Admin.File;
using static Gateway.Admin.Api.ApiSchema;

namespace Gateway.Admin.Api;

/// <summary>The schemas of the OpenAPI document: those of the file's kinds are made of its shapes, the few others are here.</summary>
internal static class OpenApiSchemas
{
    private static readonly Dictionary<string, JsonObject> Owned = new() { ["workspace"] = Type("string") };

    public static JsonObject All()
    {
        var schemas = new JsonObject
        {
            ["Error"] = Closed(("error", Closed(
                ("message", Type("string")), ("type", Type("string")), ("param", OrNull(Type("string"))), ("code", OrNull(Type("string")))))),
            ["Budget"] = new JsonObject
            {
                ["anyOf"] = new JsonArray(
                    Closed(("usd", Positive("number")), ("per", OneOf("day", "month"))),
                    Closed(("tokens", Positive("integer")), ("per", OneOf("day", "month")))),
            },
            ["Key"] = Key(),
            ["KeyBody"] = KeyBody(),
            ["AuditEntry"] = Closed(
                ("object", OneOf("audit_entry")), ("id", Id()), ("created_at", Type("integer")), ("workspace", OrNull(Type("string"))),
                ("actor", Type("string")), ("key_id", OrNull(Id())), ("action", OneOf("created", "updated", "deleted", "revoked")),
                ("kind", Type("string")), ("subject", Type("string")), ("fields", ListOf(Type("string")))),
            ["Deployment"] = Open(
                ("object", OneOf("deployment")), ("model", Type("string")), ("provider", Type("string")), ("weight", Type("integer")),
                ("supports_prefill", Type("boolean")), ("circuit", OneOf("closed", "half_open", "open"))),
        };
        foreach (var kind in ConfigKinds.All)
        {
            Add(schemas, Name(kind.Name), kind.Shape, OfShown(kind.Shape, Hidden(kind.Name), Besides(kind)), isSingle: kind.IsSingle, kind.IsGlobal);
        }

        var ability = ApiShape.Of(SkillsetShape.Ability);
        Add(schemas, "Ability", ability, OfShown(ability, [], AbilityBesides()), isSingle: false, isGlobal: true);
        ((JsonObject)schemas["Skillset"]!["properties"]!)["abilities"] = ListOf(Reference("Ability"));
        return schemas;
    }

    /// <summary><c>embedding_model</c> becomes <c>EmbeddingModel</c>.</summary>
    public static string Name(string kind) => string.Concat(kind.Split('_').Select(word => char.ToUpperInvariant(word[0]) + word[1..]));

    private static void Add(JsonObject schemas, string name, FileShape.Object shape, JsonObject shown, bool isSingle, bool isGlobal)
    {
        schemas[name] = shown;
        schemas[$"{name}Change"] = OpenForShown(OfBody(shape, isChange: true));
        if (!isSingle)
        {
            var body = OfBody(shape, isChange: false);
            if (!isGlobal)
            {
                ((JsonObject)body["properties"]!)["workspace"] = Type("string");
            }

            schemas[$"{name}Body"] = body;
        }
    }

    /// <summary>What was read can be sent back: what is only shown is taken if it is the same.</summary>
    private static JsonObject OpenForShown(JsonObject change)
    {
        change["additionalProperties"] = true;
        return change;
    }

    private static string[] Hidden(string kind) => kind switch
    {
        "provider" => ["api_key", "headers"],
        "secret" => ["value"],
        _ => [],
    };

    private static Dictionary<string, JsonObject> Besides(ConfigKind kind)
    {
        var besides = new Dictionary<string, JsonObject>(kind.IsGlobal ? [] : Owned)
        {
            ["object"] = OneOf(kind.Name),
            ["managed"] = OneOf("api", "file"),
        };
        switch (kind.Name)
        {
            case "provider":
                besides["has_api_key"] = Type("boolean");
                besides["header_names"] = ListOf(Type("string"));
                break;
            case "secret":
                besides["has_value"] = Type("boolean");
                break;
            case "workspace":
                besides["id"] = Id();
                break;
        }

        if (kind.Name is "workspace" or "model" or "dataset" or "skillset" or "bot")
        {
            besides["created_at"] = Type("integer");
        }

        return besides;
    }

    private static Dictionary<string, JsonObject> AbilityBesides() => new(Owned)
    {
        ["object"] = OneOf("ability"),
        ["id"] = Id(),
        ["skillset"] = Type("string"),
        ["managed"] = OneOf("api", "file"),
    };

    private static JsonObject Key()
    {
        var schema = Open(
            ("object", OneOf("key")), ("id", Id()), ("workspace", Type("string")), ("name", Type("string")),
            ("scopes", ListOf(OneOf("chat", "admin"))), ("selectors", ListOf(Type("string"))), ("ending", Type("string")),
            ("created_at", Type("integer")));
        var properties = (JsonObject)schema["properties"]!;
        properties["key"] = new JsonObject { ["type"] = "string", ["description"] = "The key itself, in the answer that made it alone." };
        properties["budget"] = Reference("Budget");
        foreach (var name in new[] { "rpm", "tpm", "concurrent", "expires_at", "revoked_at" })
        {
            properties[name] = Type("integer");
        }

        return schema;
    }

    private static JsonObject KeyBody()
    {
        var schema = Open(("name", Type("string")));
        var properties = (JsonObject)schema["properties"]!;
        schema["additionalProperties"] = false;
        properties["workspace"] = Type("string");
        properties["scopes"] = ListOf(OneOf("chat", "admin"));
        properties["selectors"] = ListOf(Type("string"));
        properties["budget"] = Reference("Budget");
        properties["expires_at"] = new JsonObject { ["type"] = Texts(["integer", "string"]) };
        foreach (var name in new[] { "rpm", "tpm", "concurrent" })
        {
            properties[name] = Positive("integer");
        }

        return schema;
    }

    private static JsonObject Closed(params (string Name, JsonObject Schema)[] members)
    {
        var schema = Open(members);
        schema["additionalProperties"] = false;
        return schema;
    }

    private static JsonObject Open(params (string Name, JsonObject Schema)[] members) => new()
    {
        ["type"] = "object",
        ["properties"] = new JsonObject(members.Select(m => KeyValuePair.Create<string, JsonNode?>(m.Name, m.Schema))),
        ["required"] = Texts(members.Select(m => m.Name)),
    };

    private static JsonObject OneOf(params string[] texts) => new() { ["type"] = "string", ["enum"] = Texts(texts) };

    private static JsonObject ListOf(JsonObject item) => new() { ["type"] = "array", ["items"] = item };

    private static JsonObject Id() => new() { ["type"] = "string", ["format"] = "uuid" };

    private static JsonObject Positive(string type) => new() { ["type"] = type, ["exclusiveMinimum"] = 0 };
}
