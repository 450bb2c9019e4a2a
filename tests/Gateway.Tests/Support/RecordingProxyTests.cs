using System.Text;

namespace Gateway.Tests.Support;

/// <summary>The proxy between SDK and gateway must be as good as not there.</summary>
public sealed class RecordingProxyTests(SchemaValidator schemas) : IAsyncLifetime
{
    private FakeUpstream _behind = null!;
    private RecordingProxy _proxy = null!;
    private HttpClient _client = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _behind = await FakeUpstream.StartAsync();
        _proxy = await RecordingProxy.StartAsync(_behind.BaseUrl[..^"/v1".Length]);
        _client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new Uri(_proxy.BaseUrl) };
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _proxy.DisposeAsync();
        await _behind.DisposeAsync();
    }

    [Fact]
    public async Task Request_and_reply_pass_unchanged_and_are_kept()
    {
        _behind.Answers(Answer.Fixed("[1]"u8.ToArray(), System.Net.HttpStatusCode.Conflict, headers: new Dictionary<string, string> { ["x-a"] = "b" }));

        var reply = await RawReply.PostAsync(_client, "/v1/models/model%2Fname%3Dx?q=%20", "{\"ä\":1}", Cancel);

        Assert.Equal((409, "[1]", "b"), (reply.Status, reply.Text, reply.Headers["x-a"]));
        Assert.Equal("/v1/models/model%2Fname%3Dx?q=%20", _behind.Requests[0].Target);
        Assert.Equal("{\"ä\":1}", Encoding.UTF8.GetString(_behind.LastBody));
        var exchange = Assert.Single(await _proxy.ExchangesAsync(Cancel));
        Assert.Equal((409, "[1]", false), (exchange.Reply!.Status, exchange.Reply.Text, exchange.Reply.Broken));
    }

    [Fact]
    public async Task A_break_behind_it_reaches_the_caller_with_all_bytes_before()
    {
        _behind.Answers(Answer.Stream(Piece.Of("data: {}\n\n"), Piece.Of("data: {\"error\":{}}\n\n"), Piece.Wait(TimeSpan.FromMilliseconds(50)), Piece.Abort));

        var reply = await RawReply.PostAsync(_client, "/v1/chat/completions", "{}", Cancel);

        Assert.Equal(StreamEnding.ErrorThenAbort, reply.Ending);
        Assert.Equal(StreamEnding.ErrorThenAbort, Assert.Single(await _proxy.ExchangesAsync(Cancel)).Reply!.Ending);
    }

    [Fact]
    public async Task A_caller_who_leaves_is_gone_behind_it_too()
    {
        _behind.Answers(Answer.Stream(Piece.Of("data: {}\n\n"), Piece.Stall));
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions") { Content = new StringContent("{}") };
        var reply = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancel);

        reply.Dispose();

        await (await _behind.NextRequestAsync(Cancel)).Disconnected.WaitAsync(TimeSpan.FromSeconds(5), Cancel);
        Assert.True(Assert.Single(await _proxy.ExchangesAsync(Cancel)).CallerLeft);
    }

    [Theory]
    [InlineData("valid", true)]
    [InlineData("no request id", false)]
    [InlineData("not the envelope", false)]
    [InlineData("cut without an error", false)]
    [InlineData("stream without done", false)]
    public async Task Replies_that_break_the_contract_are_found(string kind, bool isValid)
    {
        _behind.Answers(Reply(kind));
        await RawReply.PostAsync(_client, "/v1/chat/completions", """{"stream_options":{"include_usage":true}}""", Cancel);

        var broken = await Record.ExceptionAsync(() => ReplyContract.AssertAllValidAsync(_proxy, schemas, Cancel));

        Assert.Equal(isValid, broken is null);
    }

    private static UpstreamAnswer Reply(string kind)
    {
        var id = new Dictionary<string, string> { ["x-request-id"] = "r" };
        var events = Replies.WordEvents("m", ["a"]).Select(Piece.Of).ToArray();
        return kind switch
        {
            "valid" => Answer.Stream(new AnswerHead(Headers: id), events),
            "no request id" => Answer.Stream(events),
            "not the envelope" => Answer.Fixed("""{"message":"no"}"""u8.ToArray(), System.Net.HttpStatusCode.NotFound, headers: id),
            "cut without an error" => Answer.Stream(new AnswerHead(Headers: id), [.. events[..2], Piece.Abort]),
            "stream without done" => Answer.Stream(new AnswerHead(Headers: id), events[..^1]),
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
        };
    }
}
