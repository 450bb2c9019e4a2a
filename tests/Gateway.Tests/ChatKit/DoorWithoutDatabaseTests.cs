using System.Text.Json.Nodes;
using Gateway.Data;
using Gateway.Tests.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using static Gateway.Tests.Data.Trouble;

namespace Gateway.Tests.ChatKit;

/// <summary>A database that goes away while pages talk to their bots.</summary>
public sealed class DoorWithoutDatabaseTests(TestPostgres postgres, ChatKitContract contract) : IAsyncLifetime
{
    private readonly TaskCompletionSource _goOn = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private string _database = "";
    private FakeUpstream _upstream = null!;
    private DatabaseRelay _relay = null!;
    private GatewayProcess _gateway = null!;
    private GatewayKey _key = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _upstream = await FakeUpstream.StartAsync();
        _database = await postgres.CreateDatabaseAsync(cancel: Cancel);
        _relay = new DatabaseRelay(_database);
        _gateway = await GatewayProcess.StartAsync(
            new GatewayLaunch
            {
                ConnectionString = _relay.ConnectionString,
                Yaml = $$"""
                    providers: [ { name: fake, baseUrl: "{{_upstream.BaseUrl}}" } ]
                    models: [ { name: fake, retries: 0, rescue: "off", breaker: { minimum: 1000000 }, deployments: [ { provider: fake } ] } ]
                    workspaces: [ { name: acme, bots: [ { id: support, model: fake, backstory: You help. } ] } ]
                    """,
            },
            Cancel);
        _key = await _gateway.CreateKeyAsync("acme", cancel: Cancel);
        await ChatKitSetup.WarmAsync(_gateway, _key.Text, "support");
    }

    [Fact]
    public async Task Requests_get_503_a_running_answer_ends_with_an_error_and_all_recovers_by_itself()
    {
        // Arrange: one thread that is done, and one whose answer has its first word.
        using var page = await ChatPage.OpenAsync(_gateway, _key.Text, contract, session: ScriptedChat.Session);
        using var server = ChatPage.OfServer(_gateway, _key.Text, "ada", "support", contract);
        _upstream.Answers(ScriptedChat.Says("Yes", "."));
        var (thread, _) = await page.CreateAsync("Who is there?");
        _upstream.Reset();
        _upstream.Answers(Answer.By(SlowAsync));
        using var open = await OpenChat.OpenAsync(page, "threads.create", new JsonObject { ["input"] = ChatPage.Message("And then?") });
        Assert.Equal("Hello, ", await open.UntilTextAsync());

        // Act
        _relay.Cut();

        // Assert: nothing is taken that could not be kept.
        foreach (var chat in new[] { page, server })
        {
            AssertUnavailable(await chat.PostAsync("threads.list", []));
            AssertUnavailable(await chat.PostAsync("threads.create", new JsonObject { ["input"] = ChatPage.Message("Is anybody there?") }));
            AssertUnavailable(await chat.PostAsync(
                "threads.add_user_message", new JsonObject { ["thread_id"] = thread, ["input"] = ChatPage.Message("Is anybody there?") }));
        }

        _goOn.SetResult();
        var events = await open.ToEndAsync();
        Assert.Equal("Hello, world.", string.Concat(events.Select(e => (string?)e["update"]?["delta"])));
        Assert.Equal(("error", "stream.error", true), (ChatPage.Type(events[^1]), (string)events[^1]["code"]!, (bool)events[^1]["allow_retry"]!));
        Assert.DoesNotContain(events, e => ChatPage.Kinds([e])[0] == "thread.item.done assistant_message");

        // The same secret is good again, the question is there, and no half an answer.
        _relay.Restore();
        await UntilAsync(async () => (await page.PostAsync("threads.list", [])).Status == 200);
        Assert.Equal(["user_message"], (await page.ItemsAsync(open.Thread)).Select(ChatPage.Type));
        Assert.Equal(2, (await page.ItemsAsync(thread)).Count);
        Assert.Equal(2, (await page.AskAsync("threads.list", []))["data"]!.AsArray().Count);
        await using var db = new GatewayDb(new DbContextOptionsBuilder<GatewayDb>().UseNpgsql(_database).Options);
        await UntilAsync(() => db.Usage.AnyAsync(row => row.RequestId == open.RequestId && row.OutputTokens > 0, Cancel));
        _upstream.Reset();
        _upstream.Answers(ScriptedChat.Says("Yes", "."));
        Assert.Equal("Yes.", ChatPage.TextOf((await page.CreateAsync("Still there?")).Events));
    }

    public async ValueTask DisposeAsync()
    {
        if (_gateway is not null)
        {
            await _gateway.DisposeAsync();
        }

        if (_relay is not null)
        {
            await _relay.DisposeAsync();
        }

        if (_upstream is not null)
        {
            await _upstream.DisposeAsync();
        }
    }

    /// <summary>The first word, and the rest when the test says so.</summary>
    private async Task SlowAsync(HttpContext http)
    {
        http.Response.ContentType = "text/event-stream";
        foreach (var (number, happened) in Replies.WordEvents("fake", ["Hello, ", "world", "."]).Index())
        {
            if (number == 2)
            {
                await _goOn.Task.WaitAsync(http.RequestAborted);
            }

            await http.Response.WriteAsync(happened, http.RequestAborted);
            await http.Response.Body.FlushAsync(http.RequestAborted);
        }
    }

    private static void AssertUnavailable(RawReply reply)
    {
        Assert.True(reply.Status == 503, $"{reply.Status} {reply.Text}");
        Assert.Equal("database_unavailable", (string?)JsonNode.Parse(reply.Text)!["error"]!["code"]);
        Assert.True(reply.Headers.ContainsKey("Retry-After"));
    }
}
