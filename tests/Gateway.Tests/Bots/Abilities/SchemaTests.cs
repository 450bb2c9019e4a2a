using System.Text.Json;
using Gateway.Bots.Abilities;

namespace Gateway.Tests.Bots.Abilities;

/// <summary>The part of JSON Schema that arguments are checked with.</summary>
public sealed class SchemaTests
{
    [Theory]
    // Types
    [InlineData("""{"type":"string"}""", "\"a\"", null)]
    [InlineData("""{"type":"string"}""", "1", "v: expected a string, got a number")]
    [InlineData("""{"type":"integer"}""", "1.0", null)]
    [InlineData("""{"type":"integer"}""", "1.5", "v: expected a whole number, got a number")]
    [InlineData("""{"type":"number"}""", "true", "v: expected a number, got a boolean")]
    [InlineData("""{"type":["string","null"]}""", "null", null)]
    [InlineData("""{"type":["string","null"]}""", "[]", "v: expected a string or null, got an array")]
    [InlineData("""{"type":"string","nullable":true}""", "null", null)]
    [InlineData("""{"type":"string"}""", "null", "v: expected a string, got null")]
    [InlineData("""{"type":"object"}""", "[]", "v: expected an object, got an array")]
    // Values
    [InlineData("""{"enum":["a",1,null]}""", "1", null)]
    [InlineData("""{"enum":["a",1,null]}""", "\"b\"", "v: expected one of [\"a\",1,null]")]
    [InlineData("""{"const":{"a":[1]}}""", """{"a":[1]}""", null)]
    [InlineData("""{"const":5}""", "6", "v: expected 5")]
    // Numbers
    [InlineData("""{"minimum":1,"maximum":3}""", "3", null)]
    [InlineData("""{"minimum":1}""", "0", "v: expected at least 1")]
    [InlineData("""{"maximum":3}""", "3.1", "v: expected at most 3")]
    [InlineData("""{"exclusiveMinimum":1}""", "1", "v: expected more than 1")]
    [InlineData("""{"exclusiveMaximum":1}""", "1", "v: expected less than 1")]
    [InlineData("""{"multipleOf":0.1}""", "0.3", null)]
    [InlineData("""{"multipleOf":5}""", "7", "v: expected a multiple of 5")]
    // Texts
    [InlineData("""{"minLength":2,"maxLength":2}""", "\"\\ud83d\\ude00x\"", null)]
    [InlineData("""{"maxLength":1}""", "\"ab\"", "v: expected at most 1 characters")]
    [InlineData("""{"minLength":1}""", "\"\"", "v: expected at least 1 characters")]
    [InlineData("""{"pattern":"^[A-Z]{2}-\\d+$"}""", "\"AB-12\"", null)]
    [InlineData("""{"pattern":"^[A-Z]{2}-\\d+$"}""", "\"ab-12\"", "v: expected a text that matches ^[A-Z]{2}-\\d+$")]
    [InlineData("""{"pattern":"^(a+)+$"}""", "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\"", "v: expected a text that matches")]
    [InlineData("""{"pattern":"^(?=(a+)+$)\\1x"}""", "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\"", "v: expected a text that matches")]
    [InlineData("""{"format":"date"}""", "\"2026-02-30\"", "v: expected the format 'date'")]
    [InlineData("""{"format":"date-time"}""", "\"2026-02-03T10:00:00Z\"", null)]
    [InlineData("""{"format":"email"}""", "\"anna.example.com\"", "v: expected the format 'email'")]
    [InlineData("""{"format":"uuid"}""", "\"nope\"", "v: expected the format 'uuid'")]
    [InlineData("""{"format":"anything-new"}""", "\"x\"", null)]
    // Lists
    [InlineData("""{"items":{"type":"string"},"minItems":1}""", "[\"a\",2]", "v[1]: expected a string, got a number")]
    [InlineData("""{"minItems":1}""", "[]", "v: expected at least 1 items")]
    [InlineData("""{"maxItems":1}""", "[1,2]", "v: expected at most 1 items")]
    [InlineData("""{"uniqueItems":true}""", "[1,1]", "v: expected no item twice")]
    // Objects
    [InlineData("""{"properties":{"a":{"type":"string"}},"required":["a"]}""", "{}", "v.a: is missing")]
    [InlineData("""{"properties":{"a":{"properties":{"b":{"type":"null"}}}}}""", """{"a":{"b":1}}""", "v.a.b: expected null, got a number")]
    [InlineData("""{"properties":{"a":{}},"additionalProperties":false}""", """{"b":1}""", "v.b: is not known; known are: a")]
    [InlineData("""{"additionalProperties":{"type":"integer"}}""", """{"b":"x"}""", "v.b: expected a whole number, got a string")]
    [InlineData("""{"minProperties":1}""", "{}", "v: expected at least 1 members")]
    // Combinations
    [InlineData("""{"anyOf":[{"type":"string"},{"type":"integer"}]}""", "1", null)]
    [InlineData("""{"anyOf":[{"type":"string"},{"type":"integer"}]}""", "true", "v: expected one of these")]
    [InlineData("""{"oneOf":[{"minimum":1},{"minimum":2}]}""", "3", "v: expected exactly one of these")]
    [InlineData("""{"oneOf":[{"minimum":1},{"minimum":2}]}""", "1", null)]
    [InlineData("""{"allOf":[{"minimum":1},{"maximum":2}]}""", "3", "v: expected at most 2")]
    [InlineData("false", "1", "v: nothing is allowed here")]
    public void Arguments_are_checked(string schema, string value, string? mistake)
    {
        var arguments = new ArgumentSchema(JsonElement.Parse($$$"""{"type":"object","properties":{"v":{{{schema}}}}}"""));

        var found = arguments.Mistakes(JsonElement.Parse($$"""{"v":{{value}}}"""));

        Assert.Equal(mistake is null, found is null);
        Assert.Contains(mistake ?? "", found ?? "", StringComparison.Ordinal);
    }

    [Fact]
    public void References_lead_to_definitions_and_never_in_circles_for_ever()
    {
        var tree = new ArgumentSchema(JsonElement.Parse("""
            {"type":"object","properties":{"root":{"$ref":"#/$defs/node"},"loop":{"$ref":"#/$defs/loop"}},
             "$defs":{"node":{"type":"object","properties":{"name":{"type":"string"},"children":{"type":"array","items":{"$ref":"#/$defs/node"}}},"required":["name"]},
                      "loop":{"anyOf":[{"$ref":"#/$defs/loop"},{"$ref":"#/$defs/loop"}]}}}
            """));

        Assert.Null(tree.Mistakes(JsonElement.Parse("""{"root":{"name":"a","children":[{"name":"b"}]}}""")));
        Assert.Contains("root.children[0].name: is missing", tree.Mistakes(JsonElement.Parse("""{"root":{"name":"a","children":[{}]}}""")), StringComparison.Ordinal);
        Assert.NotNull(tree.Mistakes(JsonElement.Parse("""{"loop":1}""")));
    }

    [Fact]
    public void A_mistake_is_told_with_the_shape_that_was_expected()
    {
        var schema = new ArgumentSchema(JsonElement.Parse("""{"properties":{"email":{"type":"string"}},"required":["email"]}"""));

        Assert.Equal(
            """
            Nothing was run: the arguments do not fit.
            - email: is missing
            Expected are arguments of this JSON Schema: {"properties":{"email":{"type":"string"}},"required":["email"]}
            """.ReplaceLineEndings("\n"),
            schema.Mistakes(JsonElement.Parse("{}")));
        Assert.Equal("""{"properties":{"email":{"type":"string"}},"required":["email"],"type":"object"}""", System.Text.Encoding.UTF8.GetString(schema.Json.Span));
        Assert.Contains("expected an object, got an array", schema.Mistakes(JsonElement.Parse("[]")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{}""", null)]
    [InlineData("""{"type":"object","properties":{"a":{"type":"string","description":"d","x-own":1}},"$defs":{"b":true}}""", null)]
    [InlineData("""[]""", "parameters: expected a JSON Schema of an object")]
    [InlineData("""{"type":"string"}""", "parameters.type: expected 'object'")]
    [InlineData("""{"properties":{"a":{"type":"text"}}}""", "parameters.properties.a.type: expected one of: object, array")]
    [InlineData("""{"properties":{"a":{"not":{}}}}""", "parameters.properties.a.not: not supported; supported are:")]
    [InlineData("""{"patternProperties":{}}""", "parameters.patternProperties: not supported")]
    [InlineData("""{"properties":{"a":{"pattern":"("}}}""", "parameters.properties.a.pattern: expected a regular expression")]
    [InlineData("""{"required":"a"}""", "parameters.required: expected an array of names")]
    [InlineData("""{"properties":{"a":{"$ref":"#/$defs/b"}}}""", "parameters.properties.a.$ref: expected a place in this schema")]
    [InlineData("""{"properties":{"a":{"$ref":"https://a.test/schema"}}}""", "parameters.properties.a.$ref: expected a place in this schema")]
    [InlineData("""{"properties":{"a":{"minLength":-1}}}""", "parameters.properties.a.minLength: expected a whole number")]
    [InlineData("""{"properties":{"a":{"multipleOf":0}}}""", "parameters.properties.a.multipleOf: expected a number above 0")]
    [InlineData("""{"properties":{"a":{"anyOf":[]}}}""", "parameters.properties.a.anyOf: expected an array of schemas")]
    [InlineData("""{"properties":{"a":{"items":[{}]}}}""", "parameters.properties.a.items: expected a schema")]
    public void A_schema_that_cannot_be_held_to_is_refused(string schema, string? mistake)
    {
        var found = new List<string>();
        SchemaRules.Check(JsonElement.Parse(schema), "parameters", (path, why) => found.Add($"{path}: {why}"));

        Assert.StartsWith(mistake ?? "", string.Join('\n', found), StringComparison.Ordinal);
        Assert.Equal(mistake is null, found.Count == 0);
    }
}
