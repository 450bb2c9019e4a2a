namespace Gateway.Bots.Abilities;

/// <summary>The part of JSON Schema that arguments are checked with; see README.md.</summary>
internal static class SchemaKeywords
{
    public static readonly string[] Types = ["object", "array", "string", "number", "integer", "boolean", "null"];

    /// <summary>Those that say what a value may be.</summary>
    public static readonly HashSet<string> Checked =
    [
        "type", "nullable", "enum", "const", "properties", "required", "additionalProperties", "minProperties", "maxProperties",
        "items", "minItems", "maxItems", "uniqueItems", "minLength", "maxLength", "pattern", "format", "minimum", "maximum",
        "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "anyOf", "oneOf", "allOf", "$ref", "$defs", "definitions",
    ];

    /// <summary>Those that say something to people and models alone.</summary>
    public static readonly HashSet<string> Ignored =
    [
        "title", "description", "default", "examples", "example", "deprecated", "readOnly", "writeOnly", "$schema", "$id", "$comment",
        "contentMediaType", "contentEncoding",
    ];

    /// <summary>Those whose value is a schema for each member.</summary>
    public static readonly string[] SchemasByName = ["properties", "$defs", "definitions"];

    public static readonly string[] SchemaLists = ["anyOf", "oneOf", "allOf"];

    public static readonly string[] SchemasAlone = ["items", "additionalProperties"];

    public static readonly string[] Counts =
        ["minProperties", "maxProperties", "minItems", "maxItems", "minLength", "maxLength"];

    public static readonly string[] Numbers = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"];
}
