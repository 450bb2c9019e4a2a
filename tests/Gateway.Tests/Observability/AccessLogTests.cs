using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.Tests.Support;

namespace Gateway.Tests.Observability;

/// <summary>The log as other programs read it: one JSON object a line, one line a request.</summary>
public sealed class AccessLogTests(TestPostgres postgres)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_request_is_one_line_of_JSON_without_prompt_reply_or_secret()
    {
        // Arrange
        await using var upstream = await FakeUpstream.StartAsync();
        upstream.Answers(Answer.Json(Replies.Completion("told-model", "canary-reply-7431")));
        await using var gateway = await GatewayProcess.StartAsync(
            new GatewayLaunch
            {
                ConnectionString = await postgres.CreateDatabaseAsync(cancel: Cancel),
                Settings = new Dictionary<string, string> { ["Gateway__LogFormat"] = "json" },
                Yaml =
                    $$"""
                    providers: [ { name: scripted, baseUrl: "{{upstream.BaseUrl}}", apiKey: sk-canary-7431 } ]
                    models: [ { name: logged, deployments: [ { provider: scripted, model: asked-model } ] } ]
                    """,
            },
            Cancel);
        var key = await gateway.CreateKeyAsync(cancel: Cancel);

        // Act
        await AskAsync(gateway, key.Text, "log-answered", "model/name=logged");
        await AskAsync(gateway, key.Text, "log-refused", "model/name=nobody");
        await AskAsync(gateway, "sk-gw-canary-key-7431", "log-unknown", "model/name=logged");

        // Assert
        var answered = await LineAsync(gateway, "log-answered");
        Assert.Equal(
            ["time", "level", "event", "method", "route", "status", "request_id", "milliseconds", "end", "workspace", "key_id",
                "selector", "deployment", "attempts", "input_tokens", "output_tokens", "first_content_ms", "source"],
            answered.Select(p => p.Key));
        Assert.Equal(
            ("info", "request", "POST", "/v1/chat/completions", 200, "ok", "default", key.Id, "model/name=logged", "scripted/asked-model", 1),
            ((string)answered["level"]!, (string)answered["event"]!, (string)answered["method"]!, (string)answered["route"]!,
                (int)answered["status"]!, (string)answered["end"]!, (string)answered["workspace"]!, (string)answered["key_id"]!,
                (string)answered["selector"]!, (string)answered["deployment"]!, (int)answered["attempts"]!));
        Assert.True((double)answered["milliseconds"]! > 0 && (double)answered["first_content_ms"]! > 0 && (long)answered["output_tokens"]! > 0);
        Assert.Equal(DateTimeKind.Utc, DateTime.Parse((string)answered["time"]!, null, System.Globalization.DateTimeStyles.RoundtripKind).Kind);

        var refused = await LineAsync(gateway, "log-refused");
        Assert.Equal((404, "model_not_found"), ((int)refused["status"]!, (string)refused["end"]!));
        var unknown = await LineAsync(gateway, "log-unknown");
        Assert.Equal((401, "invalid_api_key", false), ((int)unknown["status"]!, (string)unknown["end"]!, unknown.ContainsKey("key_id")));

        // The start lines are for a person; behind them every line is an object.
        var lines = gateway.Output.Split('\n').SkipWhile(l => !l.StartsWith('{')).Where(l => l.StartsWith('{') || l.Contains("request", StringComparison.Ordinal));
        Assert.All(lines, line => Assert.NotNull(JsonNode.Parse(line)!["time"]));
        Assert.DoesNotContain("7431", gateway.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(key.Text, gateway.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refusal_by_the_admin_door_is_logged_by_its_code_and_what_fails_upstream_by_its_request()
    {
        // Arrange
        await using var upstream = await FakeUpstream.StartAsync();
        upstream.Answers(Answer.ByModel(model => model == "cut"
            ? Replies.Stream(Replies.WordEvents("m", ["one", "two", "three"]).Take(3))
            : Answer.Refusal(500)));
        await using var gateway = await GatewayProcess.StartAsync(
            new GatewayLaunch
            {
                ConnectionString = await postgres.CreateDatabaseAsync(cancel: Cancel),
                Settings = new Dictionary<string, string> { ["Gateway__LogFormat"] = "json" },
                Yaml =
                    $$"""
                    providers: [ { name: scripted, baseUrl: "{{upstream.BaseUrl}}" } ]
                    models:
                      - { name: failing, retries: 0, deployments: [ { provider: scripted, model: asked } ] }
                      - { name: cut, retries: 0, deployments: [ { provider: scripted } ] }
                    """,
            },
            Cancel);
        var key = await gateway.CreateKeyAsync(cancel: Cancel);
        using var admin = gateway.Client(GatewayProcess.AdminKey);
        using var wrong = new HttpRequestMessage(HttpMethod.Get, "/admin/v1/usage?group_by=nothing");
        wrong.Headers.Add("x-request-id", "log-wrong");

        // Act
        using var refused = await admin.SendAsync(wrong, Cancel);
        await AskAsync(gateway, key.Text, "log-failed", "model/name=failing");
        await AskAsync(gateway, key.Text, "log-cut", "model/name=cut", isStream: true);

        // Assert
        var line = await LineAsync(gateway, "log-wrong");
        Assert.Equal((400, "invalid_value"), ((int)line["status"]!, (string)line["end"]!));
        var attempt = await LineAsync(gateway, "log-failed", "attempt_failed");
        Assert.Equal("scripted/asked failed with 500: the provider's own failure; request log-failed", (string)attempt["message"]!);
        Assert.Equal(("500", "log-failed"), ((string)attempt["outcome"]!, (string)attempt["request_id"]!));
        var broken = await LineAsync(gateway, "log-cut", "stream_broken");
        Assert.Equal("scripted/cut broke off a stream after content was sent: cut; request log-cut", (string)broken["message"]!);
    }

    [Fact]
    public async Task A_format_that_there_is_not_refuses_the_start()
    {
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(async () => await GatewayProcess.StartAsync(
            new GatewayLaunch
            {
                ConnectionString = await postgres.CreateDatabaseAsync(cancel: Cancel),
                Settings = new Dictionary<string, string> { ["Gateway__LogFormat"] = "xml" },
            },
            Cancel));

        Assert.Contains("Setting Gateway__LogFormat: Expected json or text.", refused.Message, StringComparison.Ordinal);
    }

    private static async Task AskAsync(GatewayProcess gateway, string key, string id, string model, bool isStream = false)
    {
        using var client = gateway.Client(key);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions?canary-query-7431");
        request.Headers.Add("x-request-id", id);
        request.Headers.Add("User-Agent", "canary-agent-7431");
        request.Content = new StringContent(
            $$"""{"model":"{{model}}","stream":{{(isStream ? "true" : "false")}},"messages":[{"role":"user","content":"canary-prompt-7431"}]}""", Encoding.UTF8, "application/json");
        // A stream may be broken on purpose: its head is enough.
        using var reply = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancel);
        if (!isStream)
        {
            await reply.Content.LoadIntoBufferAsync(Cancel);
        }
    }

    /// <summary>The log is written behind the request's back, so it may come a little later.</summary>
    private static async Task<JsonObject> LineAsync(GatewayProcess gateway, string id, string name = "request")
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            var found = gateway.Output.Split('\n').Where(l => l.Contains($"\"{id}\"", StringComparison.Ordinal)
                && l.Contains($"\"event\":\"{name}\"", StringComparison.Ordinal) && l.EndsWith('}')).ToList();
            if (found.Count > 0)
            {
                return JsonNode.Parse(Assert.Single(found))!.AsObject();
            }

            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(30), $"No line of {id}.\n{gateway.LastWords}");
            await Task.Delay(20, Cancel);
        }
    }
}
