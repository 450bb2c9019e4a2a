using System.Text.Json.Nodes;
using Gateway.Tests.Support;

namespace Gateway.Tests.Admin.Api;

/// <summary><c>/admin/v1/openapi.json</c>: all that is mapped, and what is answered is what it says.</summary>
public sealed class OpenApiTests(ApiSetup setup, TestPostgres postgres) : IClassFixture<ApiSetup>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_document_has_every_mapped_route_and_no_other()
    {
        var document = (await setup.SendAsync("GET", "/openapi.json")).Json;

        var mapped = await MappedRoutes.ReadAsync(postgres, Cancel);

        Assert.Equal(mapped.Order(StringComparer.Ordinal), WalkedRoute.Of(document).Select(r => $"{r.Method} {r.Path}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Every_operation_names_its_parameters_and_every_reference_leads_somewhere()
    {
        var document = (await setup.SendAsync("GET", "/openapi.json")).Json;
        var routes = WalkedRoute.Of(document);

        Assert.Equal("3.1.0", (string?)document["openapi"]);
        Assert.Equal(routes.Count, routes.Select(r => (string?)r.Operation["operationId"]).Distinct().Count());
        foreach (var route in routes)
        {
            var named = route.Operation["parameters"]!.AsArray().Where(p => (string?)p!["in"] == "path").Select(p => $"{{{p!["name"]}}}");
            Assert.Equal(route.Path.Split('/').Where(s => s.StartsWith('{')), named);
            Assert.NotEmpty((string?)route.Operation["summary"] ?? "");
        }

        var schemas = document["components"]!["schemas"]!.AsObject();
        Assert.All(References(document), r => Assert.True(schemas.ContainsKey(r["#/components/schemas/".Length..]), r));
    }

    [Fact]
    public async Task Versions_of_records_and_files_are_documented()
    {
        var paths = (await setup.SendAsync("GET", "/openapi.json")).Json["paths"]!;
        const string Records = "/admin/v1/datasets/{dataset}/records";
        const string Files = "/admin/v1/datasets/{dataset}/files";

        foreach (var operation in new[] { paths[$"{Records}/{{id}}"]!["patch"], paths[$"{Records}/{{id}}"]!["delete"], paths[$"{Files}/{{id}}"]!["delete"], paths[Files]!["post"] })
        {
            Assert.Contains(operation!["parameters"]!.AsArray(), p => ((string?)p!["name"], (string?)p["in"]) == ("If-Match", "header"));
        }

        foreach (var operation in new[] { paths[Records]!["post"], paths[$"{Records}/{{id}}"]!["get"], paths[$"{Records}/{{id}}"]!["patch"], paths[Files]!["post"], paths[$"{Files}/{{id}}"]!["get"] })
        {
            Assert.NotNull(operation!["responses"]!["200"]!["headers"]!["ETag"]);
        }
    }

    [Fact]
    public async Task What_is_sent_and_answered_follows_its_schemas()
    {
        var document = (await setup.SendAsync("GET", "/openapi.json")).Json;
        await setup.MakeAsync("/workspaces", """{"name":"schemas","limits":{"rpm":60,"budget":{"usd":5,"per":"day"}}}""");
        var checks = new JsonArray();
        void Check(string schema, string json) => checks.Add(new JsonObject { ["schema"] = schema, ["value"] = JsonNode.Parse(json) });
        foreach (var sample in ApiSample.All("schemas", "schemas"))
        {
            var name = string.Concat(sample.Kind.Split('_').Select(w => char.ToUpperInvariant(w[0]) + w[1..]));
            Check($"{name}Body", sample.Body);
            Check($"{name}Change", sample.Change);
            Check(name, (await setup.MakeAsync(sample.Path, sample.Body)).Text);
            Check(name, (await setup.SendAsync("PATCH", sample.Item, sample.Change)).Text);
        }

        Check("Workspace", (await setup.SendAsync("GET", "/workspaces/schemas")).Text);
        Check("Web", (await setup.SendAsync("GET", "/web")).Text);
        Check("Egress", (await setup.SendAsync("GET", "/egress")).Text);
        Check("Key", (await setup.SendAsync("POST", "/keys", """{"workspace":"schemas","name":"n","rpm":5,"budget":{"usd":5,"per":"day"}}""")).Text);
        Check("AuditEntry", (await setup.SendAsync("GET", "/audit?limit=1")).Json["data"]![0]!.ToJsonString());
        Check("Error", (await setup.SendAsync("GET", "/bots/none?workspace=schemas")).Text);

        Assert.Empty(await ErrorsAsync(document, checks));
        checks.Clear();
        Check("BotBody", """{"id":"x","model":"m","unknown":1}""");
        Check("ProviderBody", """{"name":"x"}""");
        Assert.Equal(2, (await ErrorsAsync(document, checks)).Count);
    }

    private static async Task<IReadOnlyList<string>> ErrorsAsync(JsonNode document, JsonArray checks)
    {
        await Node.EnsureReadyAsync(Cancel);
        var file = Path.GetTempFileName();
        try
        {
            await System.IO.File.WriteAllTextAsync(
                file, new JsonObject { ["document"] = document.DeepClone(), ["checks"] = checks.DeepClone() }.ToJsonString(), Cancel);
            var run = await ChildProcess.RunAsync("node", ["openapi.mjs", file], TimeSpan.FromMinutes(1), null, Node.Folder, Cancel);
            Assert.True(run.ExitCode == 0, run.ToString());
            return [.. JsonNode.Parse(run.Output)!.AsArray().Select(e => (string)e!)];
        }
        finally
        {
            System.IO.File.Delete(file);
        }
    }

    private static IEnumerable<string> References(JsonNode? node) => node switch
    {
        JsonObject o => o.SelectMany(m => m is { Key: "$ref", Value: JsonValue text } ? [(string)text!] : References(m.Value)),
        JsonArray array => array.SelectMany(References),
        _ => [],
    };
}
