using System.Text.Json.Nodes;
using Gateway.Admin.File;

namespace Gateway.Tests.Admin.File;

public sealed class GatewayFileSchemaTests
{
    private const string Committed = "deploy/gateway.schema.json";

    // Set this variable to write the file anew after a change of the shape.
    private const string Rewrite = "GATEWAY_WRITE_SCHEMA";

    [Fact]
    public void The_committed_schema_is_the_generated_one()
    {
        if (Environment.GetEnvironmentVariable(Rewrite) == "1")
        {
            System.IO.File.WriteAllText(Path.Combine(Repository.Root, Committed), GatewayFileSchema.ToJson());
        }

        Assert.True(
            GatewayFileSchema.ToJson() == Repository.Read(Committed),
            $"{Committed} is not what the shape says; run this test with {Rewrite}=1 and commit the file.");
    }

    [Fact]
    public void The_schema_has_every_field_with_its_description_and_no_other() =>
        AssertSame(GatewayFileShape.Root, JsonNode.Parse(GatewayFileSchema.ToJson())!);

    [Fact]
    public void The_schema_wants_at_least_one_deployment_and_allows_any_number()
    {
        var deployments = JsonNode.Parse(GatewayFileSchema.ToJson())!["properties"]!["models"]!["items"]!["properties"]!["deployments"]!;

        Assert.Equal((1, null), ((int)deployments["minItems"]!, deployments["maxItems"]));
    }

    [Fact]
    public void A_number_and_a_flag_may_be_a_variable_in_the_editor()
    {
        var whole = GatewayFileSchema.Of(new FileShape.Number(0, 5, IsWhole: true));
        var choice = GatewayFileSchema.Of(new FileShape.Text(OneOf: ["off", "prefill"]));

        Assert.Equal("""{"anyOf":[{"type":"integer","minimum":0,"maximum":5},{"type":"string","pattern":"\\$\\{"}]}""", whole.ToJsonString());
        var above = GatewayFileSchema.Of(new FileShape.Number(0, 1, IsWhole: false, IsAboveMin: true));

        Assert.Equal("""{"anyOf":[{"type":"number","exclusiveMinimum":0,"maximum":1},{"type":"string","pattern":"\\$\\{"}]}""", above.ToJsonString());
        Assert.Equal("""{"anyOf":[{"enum":["off","prefill"]},{"type":"string","pattern":"\\$\\{"}]}""", choice.ToJsonString());
    }

    [Fact]
    public void The_defaults_that_editors_see_are_those_of_the_reader()
    {
        var model = JsonNode.Parse(GatewayFileSchema.ToJson())!["properties"]!["models"]!["items"]!["properties"]!;
        var timeouts = model["timeouts"]!["properties"]!;
        var breaker = model["breaker"]!["properties"]!;

        Assert.Equal(
            ["3s", "1m", "1m", "1m", "10m"],
            new[] { "connect", "headers", "firstContent", "idle", "total" }.Select(name => (string?)timeouts[name]!["default"]));
        Assert.Equal(
            ["0.5", "4", "\"30s\"", "\"10s\""],
            new[] { "failureRate", "minimum", "window", "open" }.Select(name => breaker[name]!["default"]!.ToJsonString()));
        Assert.Equal((2, "prefill"), ((int)model["retries"]!["default"]!, (string?)model["rescue"]!["default"]));
    }

    private static void AssertSame(FileShape shape, JsonNode schema)
    {
        if (shape is FileShape.List list)
        {
            AssertSame(list.Item, schema["items"]!);
        }
        else if (shape is FileShape.Object o)
        {
            Assert.False((bool)schema["additionalProperties"]!);
            Assert.Equal(o.Fields.Select(f => f.Name), schema["properties"]!.AsObject().Select(p => p.Key));
            Assert.All(o.Fields, f => Assert.Equal(f.Description, (string?)schema["properties"]![f.Name]!["description"]));
            Assert.All(o.Fields, f => AssertSame(f.Shape, schema["properties"]![f.Name]!));
        }
    }
}
