using System.Diagnostics;
using System.Text;

namespace Gateway.Tests.Support;

/// <summary>The fake misbehaves exactly as told, or every test that stands on it proves nothing.</summary>
public sealed class FakeUpstreamTests : IAsyncLifetime
{
    private readonly HttpClient _client = new(new SocketsHttpHandler { UseProxy = false });
    private FakeUpstream _upstream = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _upstream = await FakeUpstream.StartAsync();

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _upstream.DisposeAsync();
    }

    [Fact]
    public async Task Scripted_answers_come_in_order_and_the_last_repeats()
    {
        _upstream.Answers(Answer.Refusal(429, retryAfter: "7"), Answer.Json("""{"a":1}"""));

        var replies = new[] { await AskAsync(), await AskAsync(), await AskAsync() };

        Assert.Equal([429, 200, 200], replies.Select(r => r.Status));
        Assert.Equal("7", replies[0].Headers["Retry-After"]);
        Assert.Equal("""{"a":1}""", replies[2].Text);
    }

    [Fact]
    public async Task Requests_are_recorded_as_they_were_sent()
    {
        _upstream.Answers(Answer.Json("{}"));

        await AskAsync("""{"model":"m","x":"ä"}""");

        var request = await _upstream.NextRequestAsync(Cancel);
        Assert.Equal("/v1/chat/completions", request.Target);
        Assert.Equal("""{"model":"m","x":"ä"}""", Encoding.UTF8.GetString(_upstream.LastBody));
        Assert.Equal("m", request.Model);
        Assert.StartsWith("application/json", request.Headers["content-type"], StringComparison.Ordinal);
        await request.Answered.WaitAsync(TimeSpan.FromSeconds(5), Cancel);
    }

    [Fact]
    public async Task Pieces_arrive_one_by_one_even_when_an_event_is_cut_in_half()
    {
        _upstream.Answers(Answer.Stream(Piece.Of("data: {\"a\""), Piece.Wait(TimeSpan.FromMilliseconds(200)), Piece.Of(":1}\n\n")));
        using var reply = await _client.SendAsync(Request(), HttpCompletionOption.ResponseHeadersRead, Cancel);
        await using var body = await reply.Content.ReadAsStreamAsync(Cancel);
        var buffer = new byte[100];

        var first = await body.ReadAsync(buffer, Cancel);
        var clock = Stopwatch.StartNew();
        var second = await body.ReadAsync(buffer, Cancel);

        Assert.Equal("data: {\"a\"".Length, first);
        Assert.Equal(":1}\n\n".Length, second);
        Assert.InRange(clock.ElapsedMilliseconds, 100, 5_000);
    }

    [Fact]
    public async Task Abort_breaks_the_connection_behind_the_bytes_before_it()
    {
        _upstream.Answers(Answer.Stream(Piece.Of("data: 1\n\n"), Piece.Abort, Piece.Of("data: never\n\n")));

        var reply = await AskAsync();

        Assert.True(reply.Broken);
        Assert.Equal("data: 1\n\n", reply.Text);
        Assert.False(_upstream.Requests[0].Disconnected.IsCompleted);
    }

    [Fact]
    public async Task Stall_lasts_until_the_caller_leaves_and_that_is_seen()
    {
        _upstream.Answers(Answer.Stream(Piece.Of("data: 1\n\n"), Piece.Stall));
        var reply = await _client.SendAsync(Request(), HttpCompletionOption.ResponseHeadersRead, Cancel);
        var request = await _upstream.NextRequestAsync(Cancel);
        Assert.False(request.Disconnected.IsCompleted);

        reply.Dispose();

        await request.Disconnected.WaitAsync(TimeSpan.FromSeconds(5), Cancel);
        Assert.False(request.Answered.IsCompleted);
    }

    [Fact]
    public async Task Slow_headers_are_slow()
    {
        _upstream.Answers(Answer.After(TimeSpan.FromMilliseconds(300), Answer.Json("{}")));
        var clock = Stopwatch.StartNew();

        await AskAsync();

        Assert.InRange(clock.ElapsedMilliseconds, 290, 10_000);
    }

    [Fact]
    public async Task Hanging_up_gives_no_answer_at_all()
    {
        _upstream.Answers(Answer.HangUp);

        await Assert.ThrowsAsync<HttpRequestException>(() => AskAsync());
    }

    [Fact]
    public async Task Body_shorter_than_declared_ends_in_a_break()
    {
        _upstream.Answers(Answer.WrongLength("{}", declaredBytes: 10));

        var reply = await AskAsync();

        Assert.True(reply.Broken);
        Assert.Equal("{}", reply.Text);
    }

    [Fact]
    public async Task Body_longer_than_declared_is_read_up_to_its_length()
    {
        _upstream.Answers(Answer.WrongLength("{}garbage", declaredBytes: 2));

        var reply = await AskAsync();

        Assert.Equal("{}", reply.Text);
    }

    [Fact]
    public async Task Answers_can_depend_on_the_model_and_the_list_of_models_needs_no_script()
    {
        _upstream.Lists("one", "two").Answers(Answer.ByModel(model => Answer.Json($"\"{model}\"")));

        var one = await AskAsync("""{"model":"one"}""");
        var list = await _client.GetStringAsync(new Uri(_upstream.BaseUrl + "/models"), Cancel);

        Assert.Equal("\"one\"", one.Text);
        Assert.Contains("\"id\":\"two\"", list, StringComparison.Ordinal);
        Assert.Single(_upstream.Requests);
    }

    [Fact]
    public async Task Without_a_script_it_says_so()
    {
        var reply = await AskAsync();

        Assert.Equal(500, reply.Status);
        Assert.Contains("nothing_scripted", reply.Text, StringComparison.Ordinal);
    }

    private HttpRequestMessage Request(string body = """{"model":"m"}""") =>
        new(HttpMethod.Post, _upstream.BaseUrl + "/chat/completions") { Content = new StringContent(body, Encoding.UTF8, "application/json") };

    private async Task<RawReply> AskAsync(string body = """{"model":"m"}""")
    {
        using var request = Request(body);
        return await RawReply.ReadAsync(_client, request, Cancel);
    }
}
