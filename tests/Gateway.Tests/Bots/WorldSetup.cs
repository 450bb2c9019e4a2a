using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Simulator;
using Gateway.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace Gateway.Tests.Bots;

[CollectionDefinition(Name)]
public sealed class WorldTestsShareOneGateway : ICollectionFixture<WorldSetup>
{
    public const string Name = "Bots with a world outside";
}

/// <summary>
/// One gateway and the world around its bots, all over loopback sockets: a search engine, pages and an HTTP API at one server,
/// the protocol's reference MCP server, the simulator as model <c>sim</c>, and a scripted upstream as model <c>script</c>. Two
/// workspaces have the same bots, datasets, skillsets and secrets by name; what is in them differs by the workspace's name.
/// </summary>
public sealed class WorldSetup(TestPostgres postgres, SchemaValidator schemas) : IAsyncLifetime
{
    private readonly McpEverything _mcp = new();
    private readonly Dictionary<string, HttpClient> _clients = [];
    private SimulatorServer _simulator = null!;
    private GatewayProcess _gateway = null!;

    public static string[] Workspaces { get; } = ["alpha", "beta"];

    public SchemaValidator Schemas { get; } = schemas;

    public FakeUpstream Script { get; private set; } = null!;

    public OutsideServer Outside { get; private set; } = null!;

    public string McpUrl => _mcp.Url;

    public GatewayProcess Gateway => _gateway;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _simulator = await SimulatorServer.StartAsync(new SimulatorOptions(), Cancel);
        Script = await FakeUpstream.StartAsync();
        Outside = await OutsideServer.StartAsync(AnswerAsync);
        await _mcp.InitializeAsync();
        _gateway = await GatewayProcess.StartAsync(
            new GatewayLaunch { ConnectionString = await postgres.CreateDatabaseAsync(cancel: Cancel), Yaml = Yaml() }, Cancel);
        using var admin = _gateway.Client(GatewayProcess.AdminKey);
        foreach (var workspace in Workspaces)
        {
            _clients[workspace] = _gateway.Client((await _gateway.CreateKeyAsync(workspace, cancel: Cancel)).Text);
            foreach (var dataset in new[] { "handbook", "dear" })
            {
                using var made = await admin.PostAsJsonAsync(
                    $"/admin/v1/datasets/{dataset}/records?workspace={workspace}",
                    new { text = $"The shop of {workspace} opens at nine.", source = $"Hours of {workspace}" }, Cancel);
                Assert.True(made.IsSuccessStatusCode, await made.Content.ReadAsStringAsync(Cancel));
            }

            foreach (var bot in new[] { "desk", "plain", "scribe", "saver", "mate" })
            {
                await ReadBotAsync(workspace, bot);
            }
        }
    }

    /// <summary>Asks a bot of a workspace with that workspace's key.</summary>
    public Task<RawReply> AskAsync(string workspace, string bot, string question, bool stream, string more = "") => RawReply.PostAsync(
        _clients[workspace], "/v1/chat/completions",
        $$"""{"model":"bot/id={{bot}}","messages":[{"role":"user","content":{{JsonSerializer.Serialize(question)}}}]{{(stream ? ",\"stream\":true" : "")}}{{more}}}""",
        Cancel);

    public Task<RawReply> PostAsync(string workspace, string body) =>
        RawReply.PostAsync(_clients[workspace], "/v1/chat/completions", body, Cancel);

    /// <summary>The text of an answer and its annotations, put together as a client does.</summary>
    public static (string Text, IReadOnlyList<JsonNode> Annotations) Read(RawReply reply, bool stream)
    {
        Assert.True(reply.Status == 200, reply.Text);
        if (!stream)
        {
            var message = JsonNode.Parse(reply.Body)!["choices"]![0]!["message"]!;
            return ((string)message["content"]!, [.. message["annotations"]!.AsArray().OfType<JsonNode>()]);
        }

        return (
            Transcript.ContentOf(reply.Body),
            [.. Transcript.Events(reply.Body).SkipLast(1)
                .SelectMany(e => JsonNode.Parse(e)!["choices"]!.AsArray())
                .SelectMany(c => c!["delta"]!["annotations"]?.AsArray() ?? []).OfType<JsonNode>()]);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients.Values)
        {
            client.Dispose();
        }

        foreach (var part in new IAsyncDisposable?[] { _gateway, _mcp, Outside, Script, _simulator })
        {
            if (part is not null)
            {
                await part.DisposeAsync();
            }
        }
    }

    /// <summary>A bot's first use waits for the database, on a busy machine for too long; what is refused has read it all the same.</summary>
    public async Task ReadBotAsync(string workspace, string bot)
    {
        for (var status = 0; status != 400;)
        {
            status = (await AskAsync(workspace, bot, "", false, ",\"n\":2")).Status;
            Assert.Contains(status, (int[])[400, 401, 404, 503]);
        }
    }

    private Task AnswerAsync(HttpContext http)
    {
        http.Response.ContentType = "text/html; charset=utf-8";
        return http.Request.Path.Value switch
        {
            "/search" => http.Response.WriteAsJsonAsync(
                new
                {
                    query = "q",
                    results = new[]
                    {
                        new { url = $"{Outside.Url}/night", title = "The night carrier", content = "A carrier for nights and Sundays." },
                        new { url = $"{Outside.Url}/day", title = "The day carrier", content = "A carrier for working days." },
                    },
                },
                Cancel),
            "/night" => http.Response.WriteAsync(
                "<html><head><title>Night</title></head><body><p>On Sundays the night carrier brings parcels until noon.</p></body></html>", Cancel),
            "/late" => http.Response.WriteAsync("<html><head><title>Late</title></head><body><p>And late.</p></body></html>", Cancel),
            "/customers" => http.Response.WriteAsync("<p>Nothing is known.</p>", Cancel),
            _ => Task.Run(() => http.Response.StatusCode = (int)HttpStatusCode.NotFound, Cancel),
        };
    }

    private string Yaml() =>
        $$"""
        providers:
          - { name: sim, baseUrl: "{{_simulator.Address}}v1" }
          - { name: script, baseUrl: "{{Script.BaseUrl}}" }
        models:
          - { name: sim, deployments: [ { provider: sim } ] }
          - { name: script, deployments: [ { provider: script } ], price: { input: 1, output: 1 } }
        embeddingModels: [ { name: dear, provider: sim, dimensions: 384, price: { input: 1000000 } } ]
        web: { search: { kind: searxng, url: "{{Outside.Url}}" }, fetch: true }
        egress: { allow: ["127.0.0.1"] }
        workspaces:
        {{string.Concat(Workspaces.Select(Workspace))}}
        """;

    private string Workspace(string name) =>
        $$"""

          - name: {{name}}
            secrets: [ { name: token, value: "token-of-{{name}}" } ]
            datasets:
              - { name: handbook, description: How things are done. }
              - { name: dear, description: What is dear to look up., embeddingModel: dear }
            skillsets:
              - name: crm
                abilities:
                  - name: find_customer
                    description: Finds a customer.
                    parameters: { type: object, properties: { of: { type: string } }, required: [of] }
                    http: { method: GET, url: "{{Outside.Url}}/customers?of={of}", headers: { authorization: "Bearer {secret:token}" } }
              - name: everything
                abilities:
                  - { name: everything, mcp: { url: "{{_mcp.Url}}", headers: { authorization: "Bearer {secret:token}" }, tools: [echo, get-sum] } }
            bots:
              - { id: desk, model: sim, backstory: "You are the desk of {{name}}.", skillsets: [everything], webSearch: true }
              - { id: plain, model: sim, backstory: "You are the plain bot of {{name}}." }
              - id: scribe
                model: script
                backstory: "You are the scribe of {{name}}."
                datasets: [ { name: handbook, mode: tool } ]
                skillsets: [crm]
                webSearch: true
                team: [ { bot: mate, description: Knows more. } ]
              - { id: saver, model: script, backstory: "You are the saver of {{name}}.", datasets: [ { name: dear } ], limits: { turnBudget: 0.50usd } }
              - { id: mate, model: script, backstory: "You are the mate of {{name}}." }

        """;
}
