using System.Text.Json.Nodes;

namespace Gateway.Tests.ChatKit;

/// <summary>What a message may ask for with <c>inference_options</c>.</summary>
[Collection(ScriptedChatTestsShareOneGateway.Name)]
public sealed class WishTests(ScriptedChatFixture fixture, ChatKitContract contract)
{
    private readonly ScriptedChat _chat = fixture.Chat;

    [Fact]
    public async Task Another_model_that_the_session_allows_answers_for_the_same_bot()
    {
        Script();
        using var page = await OpenAsync("chooser", "model/name=other");

        var events = await page.StreamAsync("threads.create", Wish(new JsonObject { ["model"] = "model/name=other" }));
        await page.SayAsync((string)events[0]["thread"]!["id"]!, "And now?");

        Assert.Equal("Yes.", ChatPage.TextOf(events));
        Assert.Equal(["other-upstream", "fake"], _chat.Upstream.Requests.Select(request => request.Model));
        Assert.All(_chat.Upstream.Requests, request =>
            Assert.Contains("You help.", (string)request.Json["messages"]![0]!["content"]!, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("""{"model":"model/name=fake"}""", 404, "model_not_found", "model")]
    [InlineData("""{"model":"bot/id=page"}""", 404, "model_not_found", "model")]
    [InlineData("""{"model":"gpt-4o"}""", 400, "invalid_model_selector", "model")]
    [InlineData("""{"model":""}""", 400, "invalid_model_selector", "model")]
    [InlineData("""{"tool_choice":{"id":"no_such_tool"}}""", 400, "invalid_value", "tool_choice.id")]
    [InlineData("""{"model":"bot/id=support","tool_choice":{"id":"pick_color"}}""", 400, "invalid_value", "tool_choice.id")]
    public async Task What_it_may_not_have_is_refused_before_anything_is_kept(string wish, int status, string code, string member)
    {
        Script();
        using var page = await OpenAsync("wisher", "model/name=other");
        var (thread, _) = await page.CreateAsync("Who is there?");
        var threads = (await page.AskAsync("threads.list", []))["data"]!.AsArray().Count;

        var first = await page.PostAsync("threads.create", Wish(JsonNode.Parse(wish)!));
        var message = Wish(JsonNode.Parse(wish)!);
        message["thread_id"] = thread;
        var next = await page.PostAsync("threads.add_user_message", message);

        foreach (var refused in new[] { first, next })
        {
            var error = JsonNode.Parse(refused.Text)!["error"]!;
            Assert.Equal(
                (status, code, $"params.input.inference_options.{member}"), (refused.Status, (string)error["code"]!, (string?)error["param"]));
        }

        Assert.Equal(threads, (await page.AskAsync("threads.list", []))["data"]!.AsArray().Count);
        Assert.Equal(2, (await _chat.StoredAsync(thread)).Count);
        Assert.Single(_chat.Upstream.Requests);
        Assert.Equal(status, (await _chat.UsageAsync(next.Headers["x-request-id"])).Status);
    }

    [Fact]
    public async Task A_tool_of_the_bot_that_the_message_names_may_be_chosen()
    {
        Script();
        using var page = await OpenAsync("picker", "bot/id=page");

        await page.StreamAsync("threads.create", Wish(new JsonObject { ["model"] = "bot/id=page", ["tool_choice"] = new JsonObject { ["id"] = "pick_color" } }));

        Assert.Equal("pick_color", (string?)Assert.Single(_chat.Upstream.Requests).Json["tool_choice"]!["function"]!["name"]);
    }

    private void Script()
    {
        _chat.Upstream.Reset();
        _chat.Upstream.Answers(ScriptedChat.Says("Yes", "."));
    }

    private Task<ChatPage> OpenAsync(string user, string allowed) => ChatPage.OpenAsync(
        _chat.Gateway, _chat.Key.Text, contract, user,
        session: $$$$"""{"allowed_models":["{{{{allowed}}}}"],"chatkit_configuration":{"automatic_thread_titling":{"enabled":false}}}""");

    private static JsonObject Wish(JsonNode options)
    {
        var message = ChatPage.Message("May I?");
        message["inference_options"] = options;
        return new JsonObject { ["input"] = message };
    }
}
