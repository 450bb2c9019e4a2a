using System.Text.Json.Nodes;
using Gateway.Tests.Support;

namespace Gateway.Tests.ChatKit;

/// <summary>A gateway that stops while a page reads an answer, and has no time to wait for all of it.</summary>
public sealed class StoppingTests(TestPostgres postgres, ChatKitContract contract) : IAsyncLifetime
{
    private ScriptedChat _chat = null!;
    private volatile bool _holds = true;

    public async ValueTask InitializeAsync()
    {
        _chat = await ScriptedChat.StartAsync(postgres, drain: "00:00:03");
        _chat.Upstream.Answers(Answer.ByRequest(_ => _holds ? ScriptedChat.Begins("Hello, ") : ScriptedChat.Says("Hello, ", "world", ".")));
    }

    [Fact]
    public async Task A_page_is_told_to_try_again_and_what_it_was_shown_is_kept()
    {
        // Arrange
        var cancel = TestContext.Current.CancellationToken;
        using var page = await ChatPage.OpenAsync(_chat.Gateway, _chat.Key.Text, contract, session: ScriptedChat.Session);
        using var open = await OpenChat.OpenAsync(page, "threads.create", new JsonObject { ["input"] = ChatPage.Message("Who is there?") });
        Assert.Equal("Hello, ", await open.UntilTextAsync());

        // Act
        _chat.Gateway.AskToEnd();
        RawReply refused;
        do
        {
            refused = await page.PostAsync("threads.list", []);
        }
        while (refused.Status == 200);
        var late = await page.PostAsync("threads.create", new JsonObject { ["input"] = ChatPage.Message("Too late?") });
        var events = await open.ToEndAsync();
        Assert.Equal(0, await _chat.Gateway.WaitForEndAsync(cancel));

        // Assert: new requests go elsewhere, the open one ends with a word.
        foreach (var reply in new[] { refused, late })
        {
            Assert.Equal((503, "shutting_down"), (reply.Status, (string)JsonNode.Parse(reply.Text)!["error"]!["code"]!));
            Assert.Equal("1", reply.Headers["Retry-After"]);
        }

        Assert.Equal(("error", "stream.error", true), (ChatPage.Type(events[^1]), (string)events[^1]["code"]!, (bool)events[^1]["allow_retry"]!));
        await contract.AssertValidAsync("StreamEvent", System.Text.Encoding.UTF8.GetBytes(events[^1].ToJsonString()), cancel);
        var stored = await _chat.StoredAsync(open.Thread);
        Assert.Equal(["user_message", "assistant_message", "sdk_hidden_context"], stored.Select(ChatPage.Type));
        Assert.Equal("Hello, ", (string)stored[1]["content"]![0]!["text"]!);
        Assert.Equal("shutdown", (await _chat.UsageAsync(open.RequestId)).EndReason);

        // The next message goes on where it was cut, and the model knows; a retry gives the whole answer in its place.
        _holds = false;
        await _chat.Gateway.StartAgainAsync(cancel);
        await _chat.WarmAsync(_chat.Gateway);
        await page.SayAsync(open.Thread, "Go on.");
        var asked = _chat.Upstream.Requests[^1].Json["messages"]!.AsArray().Select(message => message!.ToJsonString()).ToList();
        Assert.Contains("cut off by the server", string.Concat(asked), StringComparison.Ordinal);
        Assert.Contains(asked, message => message.Contains("assistant", StringComparison.Ordinal) && message.Contains("Hello, ", StringComparison.Ordinal));
        await page.StreamAsync(
            "threads.retry_after_item", new JsonObject { ["thread_id"] = open.Thread, ["item_id"] = (string)stored[0]["id"]! });
        Assert.Equal(["Who is there?", "Hello, world."], (await _chat.StoredAsync(open.Thread)).Select(item => (string)item["content"]![0]!["text"]!));
        Assert.DoesNotContain("assistant", _chat.Upstream.Requests[^1].Json["messages"]!.ToJsonString(), StringComparison.Ordinal);
        Assert.Single((await page.AskAsync("threads.list", []))["data"]!.AsArray());
    }

    public ValueTask DisposeAsync() => _chat.DisposeAsync();
}
