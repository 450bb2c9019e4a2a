using System.Net;
using System.Text;
using Gateway.Tests.Support;

namespace Gateway.Tests.Observability;

/// <summary><c>/metrics</c> of a gateway as an operator runs it: who may read it, and what it tells of a few requests.</summary>
public sealed class MetricsEndpointTests(TestPostgres postgres)
{
    private const string Prompt = "canary-prompt-7431";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task On_the_common_address_it_takes_the_global_admin_key_and_counts_what_happened()
    {
        // Arrange
        await using var upstream = await FakeUpstream.StartAsync();
        upstream.Answers(Answer.Json(Replies.Completion("priced", "canary-reply-7431")));
        await using var gateway = await StartAsync(upstream, []);
        var key = await gateway.CreateKeyAsync(cancel: Cancel);
        var workspaceAdmin = await gateway.CreateKeyAsync(scopes: ["admin"], cancel: Cancel);

        // Act
        Assert.Equal(HttpStatusCode.OK, await AskAsync(gateway, key.Text, "model/name=priced"));
        Assert.Equal(HttpStatusCode.NotFound, await AskAsync(gateway, key.Text, "model/name=canary-name-7431"));
        Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(gateway, "sk-gw-canary-key-7431", "model/name=priced"));
        Assert.Equal(HttpStatusCode.NotFound, (await GetAsync(gateway.BaseUrl, "/canary-path-7431", key.Text)).Status);

        // Assert
        var codes = new List<HttpStatusCode>();
        foreach (var asking in new[] { null, key.Text, workspaceAdmin.Text, "sk-gw-nobodys" })
        {
            codes.Add((await GetAsync(gateway.BaseUrl, "/metrics", asking)).Status);
        }

        Assert.Equal(
            [HttpStatusCode.Unauthorized, HttpStatusCode.Forbidden, HttpStatusCode.Forbidden, HttpStatusCode.Unauthorized], codes);
        var (status, type, text) = await GetAsync(gateway.BaseUrl, "/metrics", GatewayProcess.AdminKey);
        Assert.Equal((HttpStatusCode.OK, "text/plain; version=0.0.4; charset=utf-8"), (status, type));
        var page = new Exposition(text);
        Assert.Equal(1, page["gateway_requests_total{end=\"ok\",route=\"/v1/chat/completions\",status=\"200\"}"]);
        Assert.Equal(1, page["gateway_requests_total{end=\"model_not_found\",route=\"/v1/chat/completions\",status=\"404\"}"]);
        Assert.Equal(1, page["gateway_requests_total{end=\"invalid_api_key\",route=\"/v1/chat/completions\",status=\"401\"}"]);
        Assert.Equal(1, page["gateway_requests_total{end=\"unknown_url\",route=\"(no route)\",status=\"404\"}"]);
        Assert.Equal(3, page["gateway_request_duration_seconds_count{route=\"/v1/chat/completions\"}"]);
        Assert.Equal(1, page["gateway_first_content_seconds_count{kind=\"model\"}"]);
        Assert.Equal(1, page["gateway_requests_in_flight"]);
        Assert.Equal(1, page["gateway_attempts_total{model=\"priced\",outcome=\"ok\",provider=\"scripted\"}"]);
        Assert.True(page["gateway_tokens_total{kind=\"output\",model=\"priced\"}"] > 0);
        Assert.True(page["gateway_cost_usd_total{model=\"priced\"}"] > 0);
        Assert.Equal(1, page["gateway_database_up"]);
        Assert.InRange(page["gateway_config_age_seconds"]!.Value, 0, 60);
        // The simulator answers in the same process, and has nothing to do with the gateway's own server.
        Assert.Single(page.Samples, s => s.Key.StartsWith("kestrel_active_connections", StringComparison.Ordinal));
        Assert.Contains("dotnet_process_memory_working_set_bytes", page.Samples.Keys);
        Assert.DoesNotContain("7431", text, StringComparison.Ordinal);
        Assert.DoesNotContain(key.Text, text, StringComparison.Ordinal);
        Assert.DoesNotContain(key.Id, text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task On_an_address_of_its_own_it_needs_no_key_and_the_public_one_does_not_have_it()
    {
        // Arrange
        var adminUrl = $"http://127.0.0.1:{FreePort.Next()}";
        await using var upstream = await FakeUpstream.StartAsync();
        await using var gateway = await StartAsync(upstream, new() { ["Gateway__AdminUrls"] = adminUrl });

        // Act
        var scraped = await GetAsync(adminUrl, "/metrics", key: null);

        // Assert
        Assert.Equal(HttpStatusCode.OK, scraped.Status);
        Assert.Contains("gateway_requests_in_flight", new Exposition(scraped.Text).Samples.Keys);
        Assert.Equal(HttpStatusCode.NotFound, (await GetAsync(gateway.BaseUrl, "/metrics", GatewayProcess.AdminKey)).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await GetAsync(adminUrl, "/admin/v1/keys", key: null)).Status);
    }

    private async Task<GatewayProcess> StartAsync(FakeUpstream upstream, Dictionary<string, string> settings) =>
        await GatewayProcess.StartAsync(
            new GatewayLaunch
            {
                ConnectionString = await postgres.CreateDatabaseAsync(cancel: Cancel),
                Settings = settings,
                Yaml =
                    $$"""
                    providers: [ { name: scripted, baseUrl: "{{upstream.BaseUrl}}" } ]
                    models: [ { name: priced, deployments: [ { provider: scripted } ], price: { input: 1, output: 2 } } ]
                    """,
            },
            Cancel);

    private static async Task<HttpStatusCode> AskAsync(GatewayProcess gateway, string key, string model)
    {
        using var client = gateway.Client(key);
        using var reply = await client.PostAsync(
            "/v1/chat/completions",
            new StringContent($$"""{"model":"{{model}}","messages":[{"role":"user","content":"{{Prompt}}"}]}""", Encoding.UTF8, "application/json"),
            Cancel);
        return reply.StatusCode;
    }

    private static async Task<(HttpStatusCode Status, string? Type, string Text)> GetAsync(string url, string path, string? key)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        using var request = new HttpRequestMessage(HttpMethod.Get, url + path);
        request.Headers.Authorization = key is null ? null : new("Bearer", key);
        using var reply = await client.SendAsync(request, Cancel);
        return (reply.StatusCode, reply.Content.Headers.ContentType?.ToString(), await reply.Content.ReadAsStringAsync(Cancel));
    }
}
