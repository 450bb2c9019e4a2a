using System.Diagnostics;
using System.Net;
using System.Text.Json.Nodes;
using Gateway.Data;
using Gateway.Tests.Chat;
using Gateway.Tests.Support;
using Microsoft.EntityFrameworkCore;

namespace Gateway.Tests.Http;

/// <summary>How a gateway stops: nobody is cut off in silence, and those who come late are told to go elsewhere.</summary>
public sealed class DrainTests(TestPostgres postgres) : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly TaskCompletionSource _held = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private FakeUpstream _upstream = null!;
    private GatewayProcess _gateway = null!;
    private HttpClient _client = null!;
    private string _key = null!;
    private string _database = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task After_SIGTERM_it_serves_on_for_a_while_then_refuses_while_running_streams_finish()
    {
        // Arrange: one stream that waits for us, and a connection that is kept.
        await StartAsync(delay: "00:00:06", drain: "00:05:00");
        var stream = ChatAsync("model/name=held", stream: true);
        await _upstream.NextRequestAsync(Cancel);
        using var kept = await RawConnection.OpenAsync(_gateway.BaseUrl, Cancel);
        Assert.False((await AskAsync(kept)).Headers.ContainsKey("Connection"));
        using var late = await RawConnection.OpenAsync(_gateway.BaseUrl, Cancel);
        await AskAsync(late);

        // Act
        var clock = Stopwatch.StartNew();
        _gateway.AskToEnd();
        await UntilAsync(async () => (await GetAsync("/health/ready")).Status == 503);

        // Assert: not ready, and all are served; connections are let go.
        Assert.Equal("stopping", (string?)JsonNode.Parse((await GetAsync("/health/ready")).Body)!["status"]);
        AssertServedAndLetGo(await AskAsync(kept));
        AssertServedAndLetGo(await ChatAsync("model/name=quick"));
        await Assert.ThrowsAnyAsync<Exception>(() => AskAsync(kept));

        // Then new requests are refused, on new connections and on those that were kept.
        await UntilAsync(async () => (await ChatAsync("model/name=quick")).Status == 503);
        Assert.True(clock.Elapsed > TimeSpan.FromSeconds(5), $"It refused after {clock.Elapsed}.");
        AssertRefused(await ChatAsync("model/name=quick", stream: true));
        AssertRefused(await AskAsync(late));
        AssertRefused(await GetAsync("/admin/v1/keys"));
        Assert.Equal(200, (await GetAsync("/health/live")).Status);
        Assert.False(stream.IsCompleted);

        // And what runs, runs to its end, and so does the process.
        _held.SetResult();
        var whole = await stream;
        Assert.Equal(StreamEnding.Done, whole.Ending);
        Assert.Equal("Hello, world.", Transcript.ContentOf(whole.Body));
        Assert.Equal(0, await _gateway.WaitForEndAsync(Cancel));
        Assert.Contains("requests running", _gateway.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SIGINT_skips_the_while_in_which_it_serves_on()
    {
        await StartAsync(delay: "00:05:00", drain: "00:05:00");
        var stream = ChatAsync("model/name=held", stream: true);
        await _upstream.NextRequestAsync(Cancel);

        _gateway.PressControlC();
        await UntilAsync(async () => (await ChatAsync("model/name=quick")).Status == 503);
        _held.SetResult();

        Assert.Equal(StreamEnding.Done, (await stream).Ending);
        Assert.Equal(0, await _gateway.WaitForEndAsync(Cancel));
    }

    [Fact]
    public async Task What_outlasts_the_drain_is_ended_with_a_word()
    {
        // Arrange: streams that have begun, plain requests that wait, an upload that is not all there.
        await StartAsync(delay: "00:00:00", drain: "00:00:02");
        Task<RawReply>[] streams = [ChatAsync("model/name=held", stream: true), ChatAsync("bot/id=held", stream: true)];
        Task<RawReply>[] plain =
        [
            ChatAsync("model/name=silent"), ChatAsync("model/name=silent", stream: true), ChatAsync("bot/id=silent"),
            RawReply.PostAsync(_client, "/v1/embeddings", """{"model":"model/name=silent","input":"a"}""", Cancel),
        ];
        var seen = new List<UpstreamRequest>();
        while (seen.Count < streams.Length + plain.Length)
        {
            seen.Add(await _upstream.NextRequestAsync(Cancel));
        }

        using var upload = await RawConnection.OpenAsync(_gateway.BaseUrl, Cancel);
        await upload.WriteAsync(
            RawConnection.Head($"POST /v1/chat/completions HTTP/1.1\nAuthorization: Bearer {_key}\nContent-Type: application/json\nContent-Length: 100000"),
            Cancel);
        await upload.WriteAsync(new byte[60_000], Cancel);

        // Act
        _gateway.AskToEnd();

        // Assert
        AssertRefused(await upload.ReadReplyAsync(false, Cancel));
        foreach (var reply in await Task.WhenAll(plain))
        {
            AssertRefused(reply);
        }

        foreach (var reply in await Task.WhenAll(streams))
        {
            Assert.True(reply.Ending == StreamEnding.ErrorThenAbort, $"{reply.Ending} {reply.Text}");
            Assert.Equal("Hello, ", Transcript.ContentOf(reply.Body));
            Assert.Contains("\"code\":\"shutting_down\"", Transcript.Events(reply.Body, mayBeCut: true)[^1], StringComparison.Ordinal);
        }

        // Its upstreams were let go, and the log says of each what ended it.
        await Task.WhenAll(seen.Select(request => request.Disconnected)).WaitAsync(Limit, Cancel);
        Assert.Equal(0, await _gateway.WaitForEndAsync(Cancel));
        Assert.DoesNotContain("caller_left", _gateway.Output, StringComparison.Ordinal);
        foreach (var reply in (await Task.WhenAll(plain)).Concat(await Task.WhenAll(streams)))
        {
            Assert.Contains(_gateway.Output.Split('\n'), line =>
                line.Contains(reply.Headers["x-request-id"], StringComparison.Ordinal) && line.Contains("shutdown", StringComparison.Ordinal));
        }

        await using var db = new GatewayDb(new DbContextOptionsBuilder<GatewayDb>().UseNpgsql(_database).Options);
        var rows = await db.Usage.Where(u => u.EndReason == "shutdown" && u.Attempts != "[]").ToListAsync(Cancel);
        Assert.Equal(streams.Length + plain.Length, rows.Count);
        Assert.All(rows, row => Assert.Equal("shutdown", (string?)JsonNode.Parse(row.Attempts)![0]!["outcome"]));
    }

    [Fact]
    public async Task A_second_signal_ends_the_drain()
    {
        await StartAsync(delay: "00:05:00", drain: "00:30:00");
        var stream = ChatAsync("model/name=held", stream: true);
        await _upstream.NextRequestAsync(Cancel);

        _gateway.AskToEnd();
        await UntilAsync(async () => (await GetAsync("/health/ready")).Status == 503);
        _gateway.AskToEnd();

        // A refusal where the first word had not come through yet.
        var reply = await stream;
        Assert.True(reply.Ending == StreamEnding.ErrorThenAbort || reply.Status == 503, $"{reply.Status} {reply.Ending}: {reply.Text}");
        Assert.Equal(0, await _gateway.WaitForEndAsync(Cancel));
    }

    public async ValueTask DisposeAsync()
    {
        _held.TrySetResult();
        _client?.Dispose();
        if (_gateway is not null)
        {
            await _gateway.DisposeAsync();
        }

        if (_upstream is not null)
        {
            await _upstream.DisposeAsync();
        }
    }

    private async Task StartAsync(string delay, string drain)
    {
        _upstream = await FakeUpstream.StartAsync();
        _database = await postgres.CreateDatabaseAsync(cancel: Cancel);
        _upstream.Answers(Answer.ByModel(model => model switch
        {
            "held" => Answer.By(HoldAsync),
            "silent" => Answer.By(http => Task.Delay(Timeout.InfiniteTimeSpan, http.RequestAborted)),
            _ => Answer.Json(Replies.Completion(model, "Yes.")),
        }));
        _gateway = await GatewayProcess.StartAsync(
            new GatewayLaunch
            {
                ConnectionString = _database,
                Yaml = $$"""
                    providers: [ { name: fake, baseUrl: "{{_upstream.BaseUrl}}" } ]
                    models: [ { name: held, deployments: [ { provider: fake } ] }, { name: silent, deployments: [ { provider: fake } ] },
                              { name: quick, deployments: [ { provider: fake } ] } ]
                    workspaces: [ { name: acme, bots: [ { id: held, model: held, backstory: Hello. }, { id: silent, model: silent, backstory: Hello. } ] } ]
                    """,
                Settings = new Dictionary<string, string> { ["Gateway__ShutdownDelay"] = delay, ["Gateway__DrainTimeout"] = drain },
            },
            Cancel);
        _key = (await _gateway.CreateKeyAsync("acme", cancel: Cancel)).Text;
        _client = _gateway.Client(_key);
    }

    private async Task HoldAsync(Microsoft.AspNetCore.Http.HttpContext http)
    {
        http.Response.ContentType = "text/event-stream";
        await WriteAsync(Wire.Role() + Wire.Text("Hello, "));
        await _held.Task.WaitAsync(http.RequestAborted);
        await WriteAsync(Wire.Text("world.") + Wire.Finish() + Wire.Done);

        async Task WriteAsync(string events)
        {
            await http.Response.Body.WriteAsync(Wire.Bytes(events), http.RequestAborted);
            await http.Response.Body.FlushAsync(http.RequestAborted);
        }
    }

    private Task<RawReply> ChatAsync(string selector, bool stream = false) =>
        RawReply.PostAsync(_client, "/v1/chat/completions", Wire.Ask(selector, stream), Cancel);

    private async Task<RawReply> GetAsync(string path)
    {
        using var client = _gateway.Client(GatewayProcess.AdminKey);
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        return await RawReply.ReadAsync(client, request, Cancel);
    }

    private async Task<RawReply> AskAsync(RawConnection connection)
    {
        await connection.WriteAsync(RawConnection.Head($"GET /v1/models HTTP/1.1\nAuthorization: Bearer {_key}"), Cancel);
        return await connection.ReadReplyAsync(false, Cancel);
    }

    private static void AssertServedAndLetGo(RawReply reply)
    {
        Assert.True(reply.Status == (int)HttpStatusCode.OK, $"{reply.Status} {reply.Text}");
        Assert.Equal("close", reply.Headers["Connection"]);
    }

    private static void AssertRefused(RawReply reply)
    {
        Assert.True(reply.Status == 503, $"{reply.Status} {reply.Text}");
        Assert.False(reply.Broken);
        Assert.Equal("shutting_down", (string?)JsonNode.Parse(reply.Body)!["error"]!["code"]);
        Assert.Equal("close", reply.Headers["Connection"]);
        Assert.True(reply.Headers.ContainsKey("Retry-After"));
        Assert.True(reply.Headers.ContainsKey("x-request-id"));
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        var clock = Stopwatch.StartNew();
        while (!await condition())
        {
            Assert.True(clock.Elapsed < Limit, $"It did not come true within {Limit.TotalSeconds} s.");
            await Task.Delay(20, Cancel);
        }
    }
}
