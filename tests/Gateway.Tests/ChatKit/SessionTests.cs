using System.Text.Json.Nodes;
using Gateway.Tests.Support;

namespace Gateway.Tests.ChatKit;

/// <summary><c>/v1/chatkit/sessions</c>.</summary>
[Collection(ChatKitTestsShareOneGateway.Name)]
public sealed class SessionTests(ChatKitSetup setup)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_official_client_creates_and_cancels()
    {
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();

        var seen = await Node.RunScriptAsync(
            Path.Combine("sdk", "chatkit-sessions.mjs"),
            new Dictionary<string, string>
            {
                ["BASE_URL"] = setup.Gateway.BaseUrl + "/v1",
                ["API_KEY"] = setup.Key.Text,
                ["MODEL"] = ChatKitSetup.Bot,
            },
            Cancel);

        var made = seen[0];
        Assert.Equal(("chatkit.session", "active", "ada", ChatKitSetup.Bot), (Text(made["object"]), Text(made["status"]), Text(made["user"]), Text(made["workflow"]!["id"])));
        Assert.StartsWith("cksess_", Text(made["id"]), StringComparison.Ordinal);
        Assert.StartsWith("ek_gw-", Text(made["client_secret"]), StringComparison.Ordinal);
        Assert.InRange(made["expires_at"]!.GetValue<long>(), now + 590, now + 660);
        Assert.Equal(10, made["rate_limits"]!["max_requests_per_1_minute"]!.GetValue<int>());
        Assert.Equal(
            """{"automatic_thread_titling":{"enabled":true},"file_upload":{"enabled":false,"max_files":10,"max_file_size":64},"history":{"enabled":true,"recent_threads":null}}""",
            made["chatkit_configuration"]!.ToJsonString());
        Assert.Equal((Text(made["id"]), "cancelled"), (Text(seen[1]["id"]), Text(seen[1]["status"])));

        Assert.Equal(
            """{"automatic_thread_titling":{"enabled":false},"file_upload":{"enabled":true,"max_files":2,"max_file_size":1},"history":{"enabled":true,"recent_threads":4}}""",
            seen[2]["chatkit_configuration"]!.ToJsonString());
        Assert.Equal("""{"plan":"gold","seats":3,"trial":false}""", seen[2]["workflow"]!["state_variables"]!.ToJsonString());
        Assert.Equal(3, seen[2]["max_requests_per_1_minute"]!.GetValue<int>());

        Assert.Equal(("NotFoundError", "workflow.id"), (Text(seen[3]["error"]), Text(seen[3]["param"])));
        Assert.Equal("NotFoundError", Text(seen[4]["error"]));
    }

    [Theory]
    [InlineData("""{}""", "user")]
    [InlineData("""{"user":"","workflow":{"id":"bot/id=support"}}""", "user")]
    [InlineData("""{"user":7,"workflow":{"id":"bot/id=support"}}""", "user")]
    [InlineData("""{"user":"a\u0000b","workflow":{"id":"bot/id=support"}}""", "user")]
    [InlineData("""{"user":"\ud800","workflow":{"id":"bot/id=support"}}""", "user")]
    [InlineData("""{"user":"ada"}""", "workflow")]
    [InlineData("""{"user":"ada","workflow":"bot/id=support"}""", "workflow")]
    [InlineData("""{"user":"ada","workflow":{}}""", "workflow.id")]
    [InlineData("""{"user":"ada","workflow":{"id":"support"}}""", "workflow.id")]
    [InlineData("""{"user":"ada","workflow":{"id":"model/name=demo"}}""", "workflow.id")]
    [InlineData("""{"user":"ada","workflow":{"id":"bot/id=support","version":"2"}}""", "workflow.version")]
    [InlineData("""{"user":"ada","workflow":{"id":"bot/id=support","state_variables":{"a":{}}}}""", "workflow.state_variables.a")]
    [InlineData("""{"user":"ada","workflow":{"id":"bot/id=support"},"expires_after":{"anchor":"created_at","seconds":0}}""", "expires_after.seconds")]
    [InlineData("""{"user":"ada","workflow":{"id":"bot/id=support"},"expires_after":{"anchor":"now","seconds":60}}""", "expires_after.anchor")]
    [InlineData("""{"user":"ada","workflow":{"id":"bot/id=support"},"rate_limits":{"max_requests_per_1_minute":1.5}}""", "rate_limits.max_requests_per_1_minute")]
    [InlineData("""{"user":"ada","workflow":{"id":"bot/id=support"},"chatkit_configuration":{"history":{"enabled":"yes"}}}""", "chatkit_configuration.history.enabled")]
    [InlineData("""{"user":"ada","workflow":{"id":"bot/id=support"},"allowed_origins":["app.example.com"]}""", "allowed_origins")]
    [InlineData("""{"user":"ada","workflow":{"id":"bot/id=support"},"allowed_models":["gpt-4o"]}""", "allowed_models")]
    public async Task What_is_wrong_is_named(string body, string param)
    {
        using var client = setup.Gateway.Client(setup.Key.Text);

        var reply = await RawReply.PostAsync(client, "/v1/chatkit/sessions", body, Cancel);

        var error = JsonNode.Parse(reply.Text)!["error"]!;
        Assert.Equal((400, "invalid_request_error", param), (reply.Status, Text(error["type"]), Text(error["param"])));
    }

    [Fact]
    public async Task A_session_is_its_workspace_s_alone()
    {
        using var client = setup.Gateway.Client(setup.Key.Text);
        using var other = setup.Gateway.Client(setup.OtherKey.Text);
        var made = JsonNode.Parse((await RawReply.PostAsync(
            client, "/v1/chatkit/sessions", """{"user":"ada","workflow":{"id":"bot/id=support"}}""", Cancel)).Text)!;

        var cancelled = await RawReply.PostAsync(other, $"/v1/chatkit/sessions/{made["id"]}/cancel", "{}", Cancel);
        var unknownBot = await RawReply.PostAsync(other, "/v1/chatkit/sessions", """{"user":"ada","workflow":{"id":"bot/id=sales"}}""", Cancel);

        Assert.Equal((404, 404), (cancelled.Status, unknownBot.Status));
    }

    private static string Text(JsonNode? node) => node!.GetValue<string>();
}
