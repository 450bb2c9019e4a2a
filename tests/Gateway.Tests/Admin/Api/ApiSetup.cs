using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.Data;
using Gateway.Tests.Support;
using Microsoft.EntityFrameworkCore;

namespace Gateway.Tests.Admin.Api;

/// <summary>What the management API answered.</summary>
/// <param name="Version">The ETag, quotes and all; null when there is none.</param>
internal sealed record ApiReply(int Status, string Text, string? Version)
{
    public JsonNode Json => JsonNode.Parse(Text)!;

    public string? Code => (string?)Json["error"]?["code"];

    public string? Param => (string?)Json["error"]?["param"];

    public string? Message => (string?)Json["error"]?["message"];
}

/// <summary>One gateway with a file's objects and room for the API's, shared by a class.</summary>
public sealed class ApiSetup(TestPostgres postgres) : IAsyncLifetime
{
    private const string Yaml = """
        providers:
          - { name: filed, baseUrl: "http://127.0.0.1:9/v1", apiKey: "hidden-file" }
        models:
          - { name: filed, deployments: [ { provider: filed } ] }
        workspaces:
          - name: filed
            bots: [ { id: helper, model: filed } ]
          - { name: alpha }
          - { name: beta }
        """;

    private string _connectionString = "";

    public GatewayProcess Gateway { get; private set; } = null!;

    internal HttpClient Admin { get; private set; } = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _connectionString = await postgres.CreateDatabaseAsync(cancel: Cancel);
        Gateway = await GatewayProcess.StartAsync(
            new GatewayLaunch
            {
                ConnectionString = _connectionString,
                Yaml = Yaml,
                Settings = new Dictionary<string, string>
                {
                    ["Gateway__EncryptionKey"] = Seed.EncryptionKey,
                },
            },
            Cancel);
        Admin = Gateway.Client(GatewayProcess.AdminKey);
    }

    public async ValueTask DisposeAsync()
    {
        Admin.Dispose();
        await Gateway.DisposeAsync();
    }

    internal Task<ApiReply> SendAsync(string method, string path, string? body = null, string? ifMatch = null) =>
        SendAsync(Admin, method, path, body, ifMatch);

    internal async Task<ApiReply> MakeAsync(string path, string body)
    {
        var reply = await SendAsync("POST", path, body);
        Assert.True(reply.Status == 200, $"POST {path}: {reply.Status} {reply.Text}");
        return reply;
    }

    /// <summary>Reads the database itself: what the API does not show.</summary>
    internal async Task<T> ReadAsync<T>(Func<GatewayDb, Task<T>> read)
    {
        await using var db = new GatewayDb(new DbContextOptionsBuilder<GatewayDb>().UseNpgsql(_connectionString).Options);
        return await read(db);
    }

    internal static async Task<ApiReply> SendAsync(HttpClient client, string method, string path, string? body = null, string? ifMatch = null)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path.StartsWith("/v1", StringComparison.Ordinal) ? path : $"/admin/v1{path}");
        if (body is not null)
        {
            request.Content = new StringContent(body, Encoding.UTF8, new MediaTypeHeaderValue("application/json"));
        }

        if (ifMatch is not null)
        {
            request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
        }

        using var reply = await client.SendAsync(request, Cancel);
        return new ApiReply((int)reply.StatusCode, await reply.Content.ReadAsStringAsync(Cancel), reply.Headers.ETag?.Tag);
    }
}

/// <summary>One object of each kind with everything in it, and one change of it.</summary>
internal sealed record ApiSample(string Kind, string Path, string Id, string Body, string Change, string Field, string Changed)
{
    /// <summary>In an order in which each finds what it uses; the names begin with a word of the caller's.</summary>
    public static IReadOnlyList<ApiSample> All(string word, string workspace) =>
    [
        new("provider", "/providers", $"{word}-p",
            $$"""{"name":"{{word}}-p","base_url":"http://127.0.0.1:9/v1","api_key":"hidden-key","headers":{"X-Team":"hidden-team"},"max_concurrency":5}""",
            """{"max_concurrency":null}""", "max_concurrency", "null"),
        new("model", "/models", $"{word}/big:1",
            $$"""
            {"name":"{{word}}/big:1","deployments":[{"provider":"{{word}}-p","model":"up","weight":3,"supports_prefill":true}],"timeouts":{"idle":"5s"},
             "retries":0,"breaker":{"failure_rate":0.25},"rescue":"off","drop_params":["logit_bias"],"context_tokens":128000,"default_output_tokens":4096,
             "price":{"input":2.5,"output":10},"workspaces":null}
            """,
            """{"timeouts":{"total":"1m"}}""", "timeouts",
            """{"connect":"3s","headers":"1m","first_content":"1m","idle":"5s","total":"1m"}"""),
        new("embedding_model", "/embedding_models", $"{word}-e",
            $$"""{"name":"{{word}}-e","provider":"{{word}}-p","dimensions":16,"price":{"input":0.02} }""",
            """{"price":null}""", "price", "null"),
        new("secret", $"/secrets?workspace={workspace}", "token", """{"name":"token","value":"hidden-value"}""", """{"value":"hidden-other"}""", "has_value", "true"),
        new("dataset", $"/datasets?workspace={workspace}", "handbook",
            $$"""{"name":"handbook","description":"How.","language":"english","embedding_model":"{{word}}-e","chunk_tokens":256,"search_min_score":0.25,"match_instruction":"Say."}""",
            """{"enabled":false,"description":null}""", "enabled", "false"),
        new("skillset", $"/skillsets?workspace={workspace}", "crm",
            """
            {"name":"crm","description":"Customers.","abilities":[
              {"name":"find","description":"Finds.","parameters":{"type":"object","properties":{"maxBytes":{"type":"string"}}},
               "http":{"method":"POST","url":"https://crm.test/a?b={maxBytes}","headers":{"authorization":"Bearer {secret:token}"},"body":"${NOT} {maxBytes}","timeout":"7s","max_bytes":1000,"pick":"/a"}},
              {"name":"docs","mcp":{"url":"https://mcp.test/mcp","tools":["search*"]}}]}
            """,
            """{"enabled":false}""", "enabled", "false"),
        new("bot", $"/bots?workspace={workspace}", "billing", $$"""{"id":"billing","model":"{{word}}/big:1"}""", """{"name":"Bills"}""", "name", "\"Bills\""),
        new("bot", $"/bots?workspace={workspace}", "support",
            $$"""
            {"id":"support","name":"Support","description":"First.","model":"{{word}}/big:1","backstory":"You are ${X}.\nBe kind.","parameters":{"temperature":0.2,"stop":["a",null]},
             "locked_parameters":["temperature"],"datasets":[{"name":"handbook","mode":"always"}],"skillsets":["crm"],"web_search":true,
             "client_tools":[{"type":"function","function":{"name":"paint","parameters":{"type":"object"} } }],"team":[{"bot":"billing","handoff":true}],
             "limits":{"rpm":10,"budget":{"usd":5,"per":"day"},"steps":4,"turn_budget":"0.5usd"},"expose_steps":true}
            """,
            """{"limits":{"budget":"7000tokens/month","steps":null}}""", "limits",
            """{"rpm":10,"tpm":null,"concurrent":null,"budget":{"tokens":7000,"per":"month"},"steps":null,"tool_calls":null,"depth":null,"seconds":null,"turn_budget":"0.5usd"}"""),
    ];

    /// <summary>The object's own path.</summary>
    public string Item => Path.Contains('?', StringComparison.Ordinal)
        ? Path.Replace("?", $"/{Uri.EscapeDataString(Id)}?", StringComparison.Ordinal)
        : $"{Path}/{Uri.EscapeDataString(Id)}";
}
