using System.Text.Json.Nodes;
using Gateway.Tests.Support;
using Microsoft.EntityFrameworkCore;

namespace Gateway.Tests.ChatKit;

/// <summary><c>kill -9</c> when a page has the first words of an answer: what is left, and how it goes on.</summary>
public sealed class KillTests(TestPostgres postgres, ChatKitContract contract) : IAsyncLifetime
{
    private ScriptedChat _chat = null!;
    private volatile bool _holds;

    public async ValueTask InitializeAsync()
    {
        _chat = await ScriptedChat.StartAsync(postgres);
        _chat.Upstream.Answers(Answer.ByRequest(_ => _holds ? ScriptedChat.Begins("Hello, ") : ScriptedChat.Says("Hello, ", "world", ".")));
    }

    [Fact]
    public async Task A_question_is_left_once_and_no_half_an_answer_and_a_retry_gives_the_whole()
    {
        // Arrange: a turn that is done, and two that have their first words.
        var cancel = TestContext.Current.CancellationToken;
        using var page = await ChatPage.OpenAsync(_chat.Gateway, _chat.Key.Text, contract, session: ScriptedChat.Session);
        var done = await page.PostAsync("threads.create", new JsonObject { ["input"] = ChatPage.Message("Who is there?") });
        var thread = (string)(await page.EventsAsync(done.Text))[0]["thread"]!["id"]!;
        _holds = true;
        using var first = await OpenChat.OpenAsync(
            page, "threads.add_user_message", new JsonObject { ["thread_id"] = thread, ["input"] = ChatPage.Message("And then?") });
        using var second = await OpenChat.OpenAsync(page, "threads.create", new JsonObject { ["input"] = ChatPage.Message("What now?") });
        Assert.Equal("Hello, ", await first.UntilTextAsync());
        Assert.Equal("Hello, ", await second.UntilTextAsync());

        // Act
        await _chat.Gateway.KillAsync();
        await Assert.ThrowsAnyAsync<Exception>(first.ToEndAsync);
        _holds = false;

        // Assert: the questions are there, the threads are taken for ten seconds at the most.
        Assert.Equal(["user_message", "assistant_message", "user_message"], (await _chat.StoredAsync(thread)).Select(ChatPage.Type));
        Assert.Equal(["user_message"], (await _chat.StoredAsync(second.Thread)).Select(ChatPage.Type));
        await using (var db = _chat.Db())
        {
            var left = await db.Database.SqlQuery<double>($"""SELECT extract(epoch FROM lease_until - now())::float8 AS "Value" FROM chatkit_threads""").ToListAsync(cancel);
            Assert.Equal(2, left.Count);
            Assert.All(left, seconds => Assert.InRange(seconds, double.MinValue, 10));
        }

        // Another gateway goes on with the one thread, the same one with the other when it is back.
        var another = await _chat.StartAnotherAsync();
        var retries = new List<RawReply> { await GoOnAsync(another, page, thread, "And then?", ["Who is there?", "Hello, world."]) };
        await _chat.Gateway.StartAgainAsync(cancel);
        await _chat.WarmAsync(_chat.Gateway);
        retries.Add(await GoOnAsync(_chat.Gateway, page, second.Thread, "What now?", []));

        // Each turn was asked of the model once and counted once; those that were killed, too. A retry that came while the thread
        // was not free yet asked nobody, and has a row of its own.
        Assert.Equal(5, _chat.Upstream.Requests.Count);
        Assert.Equal(0, await another.StopAsync(cancel));
        Assert.Equal(0, await _chat.Gateway.StopAsync(cancel));
        await using var usage = _chat.Db();
        var rows = await usage.Usage.AsNoTracking().Where(u => u.Attempts != "[]").ToListAsync(cancel);
        string[] expected =
        [
            $"{done.Headers["x-request-id"]} done", $"{first.RequestId} lost", $"{second.RequestId} lost",
            .. retries.Select(retry => $"{retry.Headers["x-request-id"]} done"),
        ];
        Assert.Equal(expected.Order(), (await usage.Usage.AsNoTracking().Where(u => u.Route == "/chatkit" && u.EndReason != "thread_busy").ToListAsync(cancel)).Select(u => $"{u.RequestId} {u.EndReason}").Order());
        Assert.Equal(3, rows.Count(row => row is { EndReason: "done", InputTokens: 7, OutputTokens: 5, IsEstimated: false }));
    }

    /// <summary>Loads a thread as a page does, and has its last question answered again as soon as the thread is free.</summary>
    private async Task<RawReply> GoOnAsync(GatewayProcess gateway, ChatPage of, string thread, string question, string[] before)
    {
        using var page = ChatPage.With(gateway.BaseUrl, of.Client.DefaultRequestHeaders.Authorization!.Parameter!, contract);
        var items = await page.ItemsAsync(thread);
        Assert.Equal([.. before, question], items.Select(TextOf));
        Assert.NotNull(await page.AskAsync("threads.get_by_id", new JsonObject { ["thread_id"] = thread }));
        RawReply reply;
        do
        {
            reply = await page.PostAsync("threads.retry_after_item", new JsonObject { ["thread_id"] = thread, ["item_id"] = (string)items[^1]["id"]! });
        }
        while (reply.Status == 409);

        Assert.True(reply.Status == 200, reply.Text);
        Assert.Equal("Hello, world.", ChatPage.TextOf(await page.EventsAsync(reply.Text)));
        var after = await page.ItemsAsync(thread);
        Assert.Equal([.. before, question, "Hello, world."], after.Select(TextOf));
        Assert.Equal(items.Select(item => (string)item["id"]!), after.SkipLast(1).Select(item => (string)item["id"]!));
        return reply;
    }

    public ValueTask DisposeAsync() => _chat.DisposeAsync();

    private static string TextOf(JsonNode item) => (string)item["content"]![0]!["text"]!;
}
