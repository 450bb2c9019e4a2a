using System.Text.Json.Nodes;
using Gateway.Tests.Support;

namespace ChatKit.Tests.Support;

/// <summary>Makes documents out of the schema: with all members of a definition set, and with each value that a member may have.</summary>
internal static class SchemaExamples
{
    private static readonly JsonObject Definitions = JsonNode.Parse(
        File.ReadAllText(Repository.PathOf("tests", "Contracts", "chatkit-schema.json")))!["$defs"]!.AsObject();

    /// <summary>The names of the members that a definition has.</summary>
    public static IReadOnlyList<string> MembersOf(string definition) => [.. Definitions[definition]!["properties"]!.AsObject().Select(member => member.Key)];

    /// <summary>Definitions of widget nodes: <c>W</c> and the name of the node.</summary>
    public static IEnumerable<string> Nodes =>
        Definitions.Select(definition => definition.Key).Where(IsNode);

    /// <summary>
    /// The first document has all members set; in each further one, one member has another of its values. Nodes inside
    /// nodes are a text.
    /// </summary>
    public static IEnumerable<JsonObject> Of(string definition) => ObjectsOf(Definitions[definition]!.AsObject());

    private static bool IsNode(string definition) => definition[0] == 'W' && char.IsUpper(definition[1]);

    private static IEnumerable<JsonObject> ObjectsOf(JsonObject schema)
    {
        var members = (schema["properties"] as JsonObject ?? []).Select(member => (Name: member.Key, Values: ValuesOf(member.Value!.AsObject()).ToList())).ToList();
        JsonObject Full() => new(members.Select(member => KeyValuePair.Create<string, JsonNode?>(member.Name, member.Values[0].DeepClone())));

        yield return Full();
        foreach (var (name, values) in members)
        {
            foreach (var value in values.Skip(1))
            {
                var other = Full();
                other[name] = value.DeepClone();
                yield return other;
            }
        }
    }

    private static IEnumerable<JsonNode> ValuesOf(JsonObject schema)
    {
        if ((string?)schema["$ref"] is { } reference)
        {
            var name = reference.Split('/')[^1] switch { "WidgetComponent" => "WText", "WidgetRoot" => "WCard", var other => other };
            var values = ValuesOf(Definitions[name]!.AsObject());
            // Nodes have examples of their own; all of them at each place would be millions.
            return IsNode(name) ? values.Take(1) : values;
        }

        if (schema["const"] is { } constant)
        {
            return [constant];
        }

        if (schema["enum"] is JsonArray listed)
        {
            return listed.Select(value => value!);
        }

        if ((schema["anyOf"] ?? schema["oneOf"]) is JsonArray choices)
        {
            return choices.SelectMany(choice => ValuesOf(choice!.AsObject()));
        }

        return schema["type"] is JsonArray types ? types.SelectMany(type => OfType((string)type!, schema)) : OfType((string?)schema["type"], schema);
    }

    private static IEnumerable<JsonNode> OfType(string? type, JsonObject schema) => type switch
    {
        "string" => [TextFor((string?)schema["pattern"])],
        "number" => [1.5],
        "integer" => [2],
        "boolean" => [true, false],
        "array" => ValuesOf(schema["items"]!.AsObject()).Select(value => new JsonArray(value.DeepClone())),
        "object" when schema["additionalProperties"] is JsonObject values =>
            [new JsonObject(ValuesOf(values).Select((value, i) => KeyValuePair.Create<string, JsonNode?>($"k{i}", value.DeepClone())))],
        "object" => ObjectsOf(schema),
        _ => [new JsonObject { ["any"] = new JsonArray(1, "ü") }],
    };

    private static string TextFor(string? pattern) => pattern switch
    {
        null => "text",
        "^vendor:" => "vendor:x",
        "^lucide:" => "lucide:x",
        _ => "2026-01-31T10:00:00",
    };
}
