using System.Text.Json.Nodes;
using Gateway.Tests.Support;

namespace Gateway.Tests.ChatKit;

/// <summary>Users see their own threads only; sessions hold for what they were made for.</summary>
[Collection(ChatKitTestsShareOneGateway.Name)]
public sealed class OwnershipTests(ChatKitSetup setup, ChatKitContract contract)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Another_user_bot_or_workspace_gets_404_everywhere()
    {
        using var page = await OpenAsync("owner", session: """{"chatkit_configuration":{"file_upload":{"enabled":true}}}""");
        var (thread, _) = await page.CreateAsync("say:Mine.");
        var item = (string)(await page.ItemsAsync(thread))[0]["id"]!;
        var file = (string)(await page.AskAsync(
            "attachments.create", new JsonObject { ["name"] = "mine.txt", ["size"] = 3, ["mime_type"] = "text/plain" }))["id"]!;
        using var otherUser = await OpenAsync("somebody else");
        using var otherBot = await OpenAsync("owner", "bot/id=sales");
        using var otherWorkspace = await ChatPage.OpenAsync(setup.Gateway, setup.OtherKey.Text, contract, "owner");

        foreach (var other in new[] { otherUser, otherBot, otherWorkspace })
        {
            foreach (var (type, parameters) in All(thread, item, file))
            {
                var reply = await other.PostAsync(type, parameters);
                Assert.True(reply.Status == 404, $"{type}: {reply.Status} {reply.Text}");
            }

            Assert.Empty((await other.AskAsync("threads.list", []))["data"]!.AsArray());
        }

        using var server = setup.Gateway.Client(setup.OtherKey.Text);
        Assert.Equal(404, (int)(await server.GetAsync($"/v1/chatkit/threads/{thread}", Cancel)).StatusCode);
        Assert.Equal(404, (int)(await server.GetAsync($"/v1/chatkit/threads/{thread}/items", Cancel)).StatusCode);
        Assert.Equal(404, (int)(await server.DeleteAsync($"/v1/chatkit/threads/{thread}", Cancel)).StatusCode);
        Assert.Equal(2, (await page.ItemsAsync(thread)).Count);
        await page.AskAsync("attachments.delete", new JsonObject { ["attachment_id"] = file });
        await page.AskAsync("threads.delete", new JsonObject { ["thread_id"] = thread });
        Assert.Equal(404, (await page.PostAsync("threads.delete", new JsonObject { ["thread_id"] = thread })).Status);
    }

    [Fact]
    public async Task A_cancelled_or_expired_session_and_a_made_up_secret_are_refused()
    {
        using var server = setup.Gateway.Client(setup.Key.Text);
        var made = JsonNode.Parse((await RawReply.PostAsync(
            server, "/v1/chatkit/sessions", """{"user":"ada","workflow":{"id":"bot/id=support"}}""", Cancel)).Text)!;
        var brief = JsonNode.Parse((await RawReply.PostAsync(
            server, "/v1/chatkit/sessions",
            """{"user":"ada","workflow":{"id":"bot/id=support"},"expires_after":{"anchor":"created_at","seconds":1}}""", Cancel)).Text)!;
        var secret = (string)made["client_secret"]!;
        using var page = ChatPage.With(setup.Gateway.BaseUrl, secret, contract);
        await page.AskAsync("threads.list", []);

        await RawReply.PostAsync(server, $"/v1/chatkit/sessions/{made["id"]}/cancel", "{}", Cancel);
        await Task.Delay(TimeSpan.FromSeconds(1.1), Cancel);

        foreach (var wrong in new[] { secret, (string)brief["client_secret"]!, secret[..^4] + "AAAA", "ek_gw-x", setup.Key.Text })
        {
            using var other = ChatPage.With(setup.Gateway.BaseUrl, wrong, contract);
            var reply = await other.PostAsync("threads.list", []);
            Assert.Equal((401, "invalid_client_secret"), (reply.Status, (string)JsonNode.Parse(reply.Text)!["error"]!["code"]!));
        }
    }

    [Fact]
    public async Task A_client_secret_opens_nothing_but_the_chat()
    {
        using var page = await OpenAsync("ada");

        var reply = await RawReply.PostAsync(
            page.Client, "/v1/chat/completions", """{"model":"bot/id=support","messages":[{"role":"user","content":"hi"}]}""", Cancel);

        Assert.Equal(401, reply.Status);
    }

    [Fact]
    public async Task A_session_of_a_revoked_key_is_refused()
    {
        var key = await setup.Gateway.CreateKeyAsync("acme", cancel: Cancel);
        using var page = await ChatPage.OpenAsync(setup.Gateway, key.Text, contract);
        await page.AskAsync("threads.list", []);
        using var admin = setup.Gateway.Client(GatewayProcess.AdminKey);
        Assert.True((await admin.DeleteAsync($"/admin/v1/keys/{key.Id}", Cancel)).IsSuccessStatusCode);

        RawReply reply;
        do
        {
            reply = await page.PostAsync("threads.list", []);
        }
        while (reply.Status == 200 && !Cancel.IsCancellationRequested);

        Assert.Equal(401, reply.Status);
    }

    [Fact]
    public async Task Only_the_pages_that_a_session_names_may_use_it()
    {
        using var page = await OpenAsync("ada", session: """{"allowed_origins":["https://app.example.com"]}""");

        var without = await page.PostAsync("threads.list", []);
        page.Client.DefaultRequestHeaders.Add("Origin", "https://app.example.com");
        var from = await page.PostAsync("threads.list", []);
        page.Client.DefaultRequestHeaders.Remove("Origin");
        page.Client.DefaultRequestHeaders.Add("Origin", "https://evil.example.com");
        var elsewhere = await page.PostAsync("threads.list", []);

        Assert.Equal((403, 200, 403), (without.Status, from.Status, elsewhere.Status));
    }

    [Fact]
    public async Task A_session_begins_as_many_turns_in_a_minute_as_it_may()
    {
        using var page = await OpenAsync("ada", session: """{"rate_limits":{"max_requests_per_1_minute":2}}""");
        var parameters = new JsonObject { ["input"] = ChatPage.Message("say:Hi.") };

        var replies = new List<RawReply>();
        // The minute may change once in between.
        for (var i = 0; i < 5; i++)
        {
            replies.Add(await page.PostAsync("threads.create", parameters));
        }

        var refused = replies.First(reply => reply.Status == 429);
        Assert.InRange(replies.Count(reply => reply.Status == 200), 2, 4);
        Assert.True(refused.Headers.ContainsKey("Retry-After"));
        Assert.Equal(200, (await page.PostAsync("threads.list", [])).Status);
    }

    [Fact]
    public async Task A_session_without_history_lists_no_earlier_thread()
    {
        using var before = await OpenAsync("forgetful");
        var (old, _) = await before.CreateAsync("say:Old.");
        using var page = await OpenAsync("forgetful", session: """{"chatkit_configuration":{"history":{"enabled":false}}}""");

        var (thread, _) = await page.CreateAsync("say:New.");

        Assert.Equal(thread, (string)Assert.Single((await page.AskAsync("threads.list", []))["data"]!.AsArray())!["id"]!);
        // A page that has its id goes on with it, also when its secret was renewed.
        Assert.Equal("On.", ChatPage.TextOf(await page.SayAsync(old, "say:On.")));
    }

    [Fact]
    public async Task A_session_lists_as_many_of_the_newest_threads_as_it_says()
    {
        using var page = await OpenAsync("collector", session: """{"chatkit_configuration":{"history":{"enabled":true,"recent_threads":2}}}""");
        var (oldest, _) = await page.CreateAsync("say:One.");
        var (older, _) = await page.CreateAsync("say:Two.");
        var (newest, _) = await page.CreateAsync("say:Three.");

        var all = await page.AskAsync("threads.list", []);
        var first = await page.AskAsync("threads.list", new JsonObject { ["limit"] = 1 });
        var rest = await page.AskAsync("threads.list", new JsonObject { ["limit"] = 5, ["after"] = (string)first["after"]! });

        Assert.Equal([newest, older], all["data"]!.AsArray().Select(thread => (string)thread!["id"]!));
        Assert.Equal((false, older, false), ((bool)all["has_more"]!, (string)Assert.Single(rest["data"]!.AsArray())!["id"]!, (bool)rest["has_more"]!));
        // A page that has its id goes on with it.
        Assert.Equal("On.", ChatPage.TextOf(await page.SayAsync(oldest, "say:On.")));
    }

    [Fact]
    public async Task A_message_may_ask_for_a_model_that_its_session_allows()
    {
        using var page = await OpenAsync("ada", session: """{"allowed_models":["bot/id=sales"],"chatkit_configuration":{"automatic_thread_titling":{"enabled":false}}}""");
        var wish = ChatPage.Message("Do you sell?");
        wish["inference_options"] = new JsonObject { ["model"] = "bot/id=sales" };
        var other = ChatPage.Message("Do you sell?");
        other["inference_options"] = new JsonObject { ["model"] = "bot/id=open" };

        var allowed = await page.StreamAsync("threads.create", new JsonObject { ["input"] = wish });
        var refused = await page.PostAsync("threads.create", new JsonObject { ["input"] = other });

        Assert.Contains("sell", ChatPage.TextOf(allowed), StringComparison.OrdinalIgnoreCase);
        Assert.Equal(404, refused.Status);
    }

    private static IEnumerable<(string Type, JsonObject Parameters)> All(string thread, string item, string file)
    {
        JsonObject Of(params (string Name, JsonNode? Value)[] members)
        {
            var parameters = new JsonObject { ["thread_id"] = thread };
            foreach (var (name, value) in members)
            {
                parameters[name] = value;
            }

            return parameters;
        }

        yield return ("threads.get_by_id", Of());
        yield return ("threads.update", Of(("title", "Stolen")));
        yield return ("threads.add_user_message", Of(("input", ChatPage.Message("say:No."))));
        yield return ("threads.add_client_tool_output", Of(("result", null)));
        yield return ("threads.retry_after_item", Of(("item_id", item)));
        yield return ("threads.custom_action", Of(("item_id", item), ("action", new JsonObject { ["type"] = "x" })));
        yield return ("threads.sync_custom_action", Of(("item_id", item), ("action", new JsonObject { ["type"] = "x" })));
        yield return ("threads.add_structured_input", Of(("item_id", item), ("input", new JsonObject())));
        yield return ("threads.delete", Of());
        yield return ("attachments.delete", new JsonObject { ["attachment_id"] = file });
        yield return ("items.list", Of());
        yield return ("items.feedback", Of(("item_ids", new JsonArray(item)), ("kind", "positive")));
    }

    private Task<ChatPage> OpenAsync(string user, string bot = ChatKitSetup.Bot, string session = "{}") =>
        ChatPage.OpenAsync(setup.Gateway, setup.Key.Text, contract, user, bot, session);
}
