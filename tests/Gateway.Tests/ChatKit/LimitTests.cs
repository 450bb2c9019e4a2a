using System.Diagnostics;
using System.Text.Json.Nodes;
using Gateway.Data;
using Gateway.Tests.Limits;
using Gateway.Tests.Support;

namespace Gateway.Tests.ChatKit;

/// <summary>Limits of keys and sessions at the door: what a page is told, what is counted, and that no message is lost or doubled.</summary>
[Collection(ScriptedChatTestsShareOneGateway.Name)]
public sealed class LimitTests(ScriptedChatFixture fixture, ChatKitContract contract)
{
    private readonly ScriptedChat _chat = fixture.Chat;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_key_s_rate_ends_the_stream_with_an_error_to_retry_and_the_question_is_there_once()
    {
        _chat.Upstream.Reset();
        _chat.Upstream.Answers(ScriptedChat.Says("Yes", "."));
        var (key, page) = await OpenAsync(limits => limits.Rpm = 1);
        using var _ = page;

        // The minute may change in between, so there may be two that are answered.
        var (reply, events) = await UntilRefusedAsync(page, "Too many messages are sent at the moment.");

        var error = events[^1];
        Assert.Equal(("error", "custom", true), (ChatPage.Type(error), (string)error["code"]!, (bool)error["allow_retry"]!));
        Assert.Matches(@"^Too many messages are sent at the moment\. Please try again in \d+ seconds?\. \(Reference: [^ )]+\)$", (string)error["message"]!);
        await AssertReferenceAsync(reply, error);
        await AssertKeptAndRetriedAsync(key, page, events, reply, "rate_limit_exceeded");
    }

    [Fact]
    public async Task A_spent_budget_ends_the_stream_with_an_error_for_good_and_the_question_is_there_once()
    {
        _chat.Upstream.Reset();
        _chat.Upstream.Answers(ScriptedChat.Says("Yes", "."));
        var (key, page) = await OpenAsync(limits => (limits.BudgetTokens, limits.BudgetPer) = (1, BudgetPer.Day));
        using var _ = page;

        var (reply, events) = await UntilRefusedAsync(page, "This chat has used up");

        var error = events[^1];
        Assert.Equal(("error", "custom", false), (ChatPage.Type(error), (string)error["code"]!, (bool)error["allow_retry"]!));
        Assert.StartsWith("This chat has used up what it may use for now. Please come back later. (", (string)error["message"]!, StringComparison.Ordinal);
        await AssertReferenceAsync(reply, error);
        await AssertKeptAndRetriedAsync(key, page, events, reply, "insufficient_quota");
    }

    [Fact]
    public async Task A_session_s_rate_refuses_with_429_before_anything_is_kept_and_is_recorded()
    {
        _chat.Upstream.Reset();
        _chat.Upstream.Answers(ScriptedChat.Says("Yes", "."));
        using var page = await ChatPage.OpenAsync(
            _chat.Gateway, _chat.Key.Text, contract, "hurried", "bot/id=page",
            session: """{"rate_limits":{"max_requests_per_1_minute":1},"chatkit_configuration":{"automatic_thread_titling":{"enabled":false}}}""");
        var message = new JsonObject { ["input"] = ChatPage.Message("May I?") };

        var answered = 0;
        var reply = await page.PostAsync("threads.create", message);
        for (; reply.Status == 200; answered++)
        {
            reply = await page.PostAsync("threads.create", message);
        }

        var error = JsonNode.Parse(reply.Text)!["error"]!;
        Assert.Equal((429, "requests", "rate_limit_exceeded"), (reply.Status, (string)error["type"]!, (string)error["code"]!));
        Assert.InRange(int.Parse(reply.Headers["Retry-After"], System.Globalization.CultureInfo.InvariantCulture), 1, 60);
        Assert.Equal(answered, (await page.AskAsync("threads.list", []))["data"]!.AsArray().Count);
        Assert.Equal(answered, _chat.Upstream.Requests.Count);
        var row = await _chat.UsageAsync(reply.Headers["x-request-id"]);
        Assert.Equal((429, "rate_limit_exceeded", "page", 0), (row.Status, row.EndReason, row.Bot, row.Steps));

        // What the page sends again, with a new secret, is there once.
        using var again = await ChatPage.OpenAsync(_chat.Gateway, _chat.Key.Text, contract, "hurried", "bot/id=page", ScriptedChat.Session);
        var (thread, _) = await again.CreateAsync("May I?");
        Assert.Equal(["user_message", "assistant_message"], (await _chat.StoredAsync(thread)).Select(ChatPage.Type));
    }

    private async Task<(GatewayKey Key, ChatPage Page)> OpenAsync(Action<LimitColumns> limit)
    {
        var key = await _chat.Gateway.CreateLimitedKeyAsync(_chat.Database, limit, Cancel, "acme");
        return (key, await ChatPage.OpenAsync(_chat.Gateway, key.Text, contract, $"user of {key.Id}", session: ScriptedChat.Session));
    }

    /// <summary>New threads until one is refused in these words: the gateway may not know of the limit yet, or not reach it in time.</summary>
    private static async Task<(RawReply Reply, IReadOnlyList<JsonNode> Events)> UntilRefusedAsync(ChatPage page, string words)
    {
        while (true)
        {
            var reply = await page.PostAsync("threads.create", new JsonObject { ["input"] = ChatPage.Message("May I?") });
            Assert.True(reply.Status == 200, reply.Text);
            var events = await page.EventsAsync(reply.Text);
            if (((string?)events[^1]["message"])?.Contains(words, StringComparison.Ordinal) == true)
            {
                return (reply, events);
            }
        }
    }

    /// <summary>By which the operator finds in the log what the user is not told: whose limit it is, and how much is left.</summary>
    private async Task AssertReferenceAsync(RawReply reply, JsonNode error)
    {
        var id = reply.Headers["x-request-id"];
        Assert.EndsWith($" (Reference: {id})", (string)error["message"]!, StringComparison.Ordinal);
        var clock = Stopwatch.StartNew();
        while (!_chat.Gateway.Output.Split('\n').Any(line => line.Contains(id, StringComparison.Ordinal) && line.Contains("key '", StringComparison.Ordinal)))
        {
            Assert.True(clock.Elapsed < TimeSpan.FromMinutes(1), $"The log does not say what happened to {id}.");
            await Task.Delay(50, Cancel);
        }
    }

    /// <summary>The question alone is kept, the refusal is recorded, and once the limit is gone a retry answers that question.</summary>
    private async Task AssertKeptAndRetriedAsync(GatewayKey key, ChatPage page, IReadOnlyList<JsonNode> events, RawReply reply, string code)
    {
        var thread = (string)events[0]["thread"]!["id"]!;
        var question = Assert.Single(await _chat.StoredAsync(thread));
        Assert.Equal("user_message", ChatPage.Type(question));
        var row = await _chat.UsageAsync(reply.Headers["x-request-id"]);
        Assert.Equal((200, code, "[]", 0, 0), (row.Status, row.EndReason, row.Attempts, row.InputTokens, row.OutputTokens));

        await LimitedGateway.LimitAsync(_chat.Database, db => db.Keys.Single(k => k.Id == Guid.Parse(key.Id)).Limits, limits => limits.Set(null), Cancel);
        var retry = new JsonObject { ["thread_id"] = thread, ["item_id"] = (string)question["id"]! };
        IReadOnlyList<JsonNode> answered;
        do
        {
            answered = await page.StreamAsync("threads.retry_after_item", retry);
        }
        while (ChatPage.Type(answered[^1]) == "error");

        Assert.Equal("Yes.", ChatPage.TextOf(answered));
        var stored = await _chat.StoredAsync(thread);
        Assert.Equal(["user_message", "assistant_message"], stored.Select(ChatPage.Type));
        Assert.Equal((string)question["id"]!, (string)stored[0]["id"]!);
    }
}
