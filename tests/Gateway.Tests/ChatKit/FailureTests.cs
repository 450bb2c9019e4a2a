using System.Text;
using System.Text.Json.Nodes;
using Gateway.Tests.Support;

namespace Gateway.Tests.ChatKit;

/// <summary>Replies that fail when something of them was shown: what is left of them, and what the page's user reads.</summary>
[Collection(ScriptedChatTestsShareOneGateway.Name)]
public sealed class FailureTests(ScriptedChatFixture fixture, ChatKitContract contract)
{
    private const string Secret = "Account 4711 of ACME has no access to fake-large.";

    private readonly ScriptedChat _chat = fixture.Chat;

    /// <summary>A message that is done, since a step followed it, reads like a whole answer; one that was open does when the page is loaded again.</summary>
    [Theory]
    [InlineData(400, false)]
    [InlineData(500, true)]
    public async Task A_reply_that_fails_behind_a_step_is_taken_back(int status, bool mayRetry)
    {
        using var page = await OpenAsync(Looks("I will look that up for you."), Answer.Refusal(status, Secret), ScriptedChat.Says("Mauve", "."));

        var reply = await page.PostAsync("threads.create", new JsonObject { ["input"] = ChatPage.Message("Which colours?") });
        var events = await page.EventsAsync(reply.Text);

        Assert.Equal("I will look that up for you.", ChatPage.TextOf(events));
        Assert.Equal(["thread.item.removed", "error"], ChatPage.Kinds(events).TakeLast(2));
        await AssertTakenBackAsync(page, events);
        var error = events[^1];
        Assert.Equal(("custom", mayRetry), ((string)error["code"]!, (bool)error["allow_retry"]!));
        Assert.EndsWith($" (Reference: {reply.Headers["x-request-id"]})", (string)error["message"]!, StringComparison.Ordinal);
        Assert.DoesNotContain("4711", reply.Text, StringComparison.Ordinal);

        // The model is not told of it either when the user goes on.
        Assert.Equal("Mauve.", ChatPage.TextOf(await page.SayAsync((string)events[0]["thread"]!["id"]!, "And now?")));
        Assert.DoesNotContain("look that up", Encoding.UTF8.GetString(_chat.Upstream.LastBody), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_reply_that_breaks_off_in_a_message_is_taken_back()
    {
        using var page = await OpenAsync(Looks("I look."), Answer.Stream([.. Replies.WordEvents("fake", ["It", " is"]).Take(3).Select(Piece.Of)]));

        var (_, events) = await page.CreateAsync("Which colours?");

        Assert.Equal(["thread.item.removed", "thread.item.removed", "error"], ChatPage.Kinds(events).TakeLast(3));
        await AssertTakenBackAsync(page, events);
    }

    /// <summary>Neither a page that followed the stream has anything left of the reply, nor the thread.</summary>
    private async Task AssertTakenBackAsync(ChatPage page, IReadOnlyList<JsonNode> events)
    {
        var begun = events.Where(e => ChatPage.Type(e) == "thread.item.added").Select(e => (string)e["item"]!["id"]!).ToList();
        Assert.NotEmpty(begun);
        Assert.Equal(begun, events.Where(e => ChatPage.Type(e) == "thread.item.removed").Select(e => (string)e["item_id"]!));
        var thread = (string)events[0]["thread"]!["id"]!;
        Assert.Equal(["user_message"], (await _chat.StoredAsync(thread)).Select(ChatPage.Type));
        Assert.Single(await page.ItemsAsync(thread));
    }

    private async Task<ChatPage> OpenAsync(params UpstreamAnswer[] answers)
    {
        _chat.Upstream.Reset();
        _chat.Upstream.Answers(answers);
        return await ChatPage.OpenAsync(_chat.Gateway, _chat.Key.Text, contract, bot: "bot/id=both", session: ScriptedChat.Session);
    }

    /// <summary>A stream that says something and calls a tool of the bot's.</summary>
    private static UpstreamAnswer Looks(string text)
    {
        var says = Replies.WordEvents("fake", [text]);
        var calls = Replies.ToolCallEvents("fake", "search_handbook", """{"query":"colours"}""");
        return Replies.Stream([says[0], says[1], .. calls.Skip(1)]);
    }
}
