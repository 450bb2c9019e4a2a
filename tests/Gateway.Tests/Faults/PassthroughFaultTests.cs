using System.Diagnostics;
using Gateway.Tests.Support;

namespace Gateway.Tests.Faults;

/// <summary>The other routes take part in attempts, circuits and queues like the rest.</summary>
public sealed class PassthroughFaultTests(FaultSetup setup) : FaultTest(setup)
{
    private const string Vectors = """{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5]}],"model":"m","usage":{"prompt_tokens":2,"total_tokens":2}}""";

    private static UpstreamAnswer Good => Answer.Json(Vectors);

    private static async Task<RawReply> EmbedAsync(Call call, string input = "hi") => await RawReply.PostAsync(
        call.Setup.Client, "/v1/embeddings", $$"""{"model":"model/name={{call.Model}}","input":"{{input}}"}""", Cancel);

    [Fact]
    public async Task Trouble_that_passes_is_not_seen()
    {
        var call = At(Door.ModelPlain, "alone").On("a", Say.Refuse(500), Answer.HangUp, Good);

        Assert.Equal(Vectors, (await AssertGoodAsync(call, "a=500", "a=connect", "a=ok")).Text);
        Assert.All(call.AskedAt("a"), asked => Assert.Equal("hi", (string?)asked.Request.Json["input"]));
    }

    [Fact]
    public async Task A_break_before_the_first_byte_of_the_body_is_not_seen()
    {
        // The empty piece sends the headers off.
        var headersAlone = Answer.Stream(new AnswerHead(ContentType: "application/json"), Piece.Of(""), Piece.Wait(TimeSpan.FromMilliseconds(300)), Piece.Abort);
        var call = At(Door.ModelPlain, "alone").On("a", headersAlone, Good);

        await AssertGoodAsync(call, "a=cut", "a=ok");
    }

    [Fact]
    public async Task A_break_in_the_body_breaks_the_callers_connection_and_is_not_repeated()
    {
        var call = At(Door.ModelPlain, "pair").On("b", Good).On(
            "a", Answer.Stream(new AnswerHead(ContentType: "application/json"), Piece.Of(Vectors[..20]), Piece.Wait(TimeSpan.FromSeconds(0.2)), Piece.Abort));

        var reply = await EmbedAsync(call);

        Assert.Equal((200, true), (reply.Status, reply.Broken));
        Assert.Empty(call.AskedAt("b"));
    }

    [Fact]
    public async Task A_short_Retry_After_is_waited_out()
    {
        var call = At(Door.ModelPlain, "pair").On("a", Say.Refuse(429, "2"), Good).On("b", Good);

        await AssertGoodAsync(call, "a=429", "a=ok");
        Assert.True(call.AskedAt("a")[1].At - call.AskedAt("a")[0].At >= TimeSpan.FromSeconds(1.9));
    }

    [Theory]
    [InlineData(429, "30")]
    [InlineData(401, null)]
    [InlineData(404, null)]
    public async Task The_next_deployment_is_asked_at_once(int status, string? retryAfter)
    {
        var call = At(Door.ModelPlain, "pair").On("a", Say.Refuse(status, retryAfter)).On("b", Good);

        await AssertGoodAsync(call, $"a={status}", "b=ok");
    }

    [Fact]
    public async Task Failures_for_ever_are_six_in_all()
    {
        var call = At(Door.ModelPlain, "pair").On("a", Say.Refuse(503, code: "busy")).On("b", Say.Refuse(503, code: "busy"));

        await call.AssertRefusedAsync(
            await EmbedAsync(call), 503, "busy", "a=503", "a=503", "a=503", "b=503", "b=503", "b=503");
    }

    [Fact]
    public async Task A_place_where_nobody_listens_is_left()
    {
        var call = At(Door.ModelPlain, "nowherepair").On("b", Good);

        await AssertGoodAsync(call, "nowhere=connect", "nowhere=connect", "nowhere=connect", "b=ok");
    }

    [Fact]
    public async Task The_fallback_is_asked()
    {
        var call = At(Door.ModelPlain, "once").On("a", Say.Refuse(500)).On("c-f1", Good);

        await AssertGoodAsync(call, "a=500", "c-f1=ok");
    }

    [Fact]
    public async Task A_refused_request_is_passed_on()
    {
        var call = At(Door.ModelPlain, "wide").On("a", Say.Refuse(400, code: "invalid_value", type: "invalid_request_error")).On("b", Good);

        await call.AssertRefusedAsync(await EmbedAsync(call), 400, "invalid_value", "a=400");
        Assert.Empty(call.AskedAt("b"));
    }

    [Fact]
    public async Task The_total_bounds_a_silence()
    {
        var call = At(Door.ModelPlain, "brief").On("a", Say.Nothing).On("b", Good);

        await call.AssertRefusedAsync(await EmbedAsync(call), 504, "upstream_timeout", "a=total");
    }

    [Fact]
    public async Task An_open_circuit_is_not_asked()
    {
        var call = At(Door.ModelPlain, "breaker").On("a", Say.Refuse(503));
        await EmbedAsync(call);
        await EmbedAsync(call);

        await call.AssertRefusedAsync(await EmbedAsync(call), 503, "upstream_unavailable");
        Assert.Equal(2, call.AskedAt("a").Count);
    }

    [Fact]
    public async Task A_provider_with_one_place_serves_one_after_the_other()
    {
        var call = At(Door.ModelPlain, "narrow").On("own", Answer.After(TimeSpan.FromMilliseconds(400), Good));
        var clock = Stopwatch.StartNew();

        var replies = await Task.WhenAll(EmbedAsync(call, "one"), EmbedAsync(call, "two"));

        Assert.All(replies, reply => Assert.Equal(200, reply.Status));
        Assert.True(clock.Elapsed >= TimeSpan.FromSeconds(0.75), $"Both were answered after {clock.Elapsed}.");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Old_completions_are_asked_again(bool stream)
    {
        var call = At(Door.ModelPlain, "alone");
        const string Chunk = """{"id":"cmpl-1","object":"text_completion","created":1,"model":"m","choices":[{"index":0,"text":"Hi","logprobs":null,"finish_reason":"stop"}]}""";
        call.On(
            "a", Say.Refuse(500), stream ? Say.CutBeforeContent : Answer.HangUp,
            stream ? Answer.Stream(Piece.Of($"data: {Chunk}\n\ndata: [DONE]\n\n")) : Answer.Json(Chunk));

        var reply = await RawReply.PostAsync(
            Setup.Client, "/v1/completions",
            $$"""{"model":"model/name={{call.Model}}","prompt":"hi"{{(stream ? ",\"stream\":true" : "")}}}""", Cancel);

        Assert.Equal(200, reply.Status);
        call.AssertAttempts(reply, "a=500", stream ? "a=cut" : "a=connect", "a=ok");
    }

    [Fact]
    public async Task Fifty_meet_a_503_and_a_reset()
    {
        var call = At(Door.ModelPlain, "alone").On("a", Say.Refuse(503), Answer.HangUp, Good);

        var replies = await Task.WhenAll(Enumerable.Range(1, 50).Select(i => EmbedAsync(call, $"input {i}")));

        Assert.All(replies, reply => call.AssertAttempts(reply, "a=503", "a=connect", "a=ok"));
        Assert.All(replies, reply => Assert.Equal(Vectors, reply.Text));
    }

    private static async Task<RawReply> AssertGoodAsync(Call call, params string[] attempts)
    {
        var reply = await EmbedAsync(call);
        Assert.True(reply.Status == 200, $"{reply.Status}: {reply.Text}");
        call.AssertAttempts(reply, attempts);
        return reply;
    }
}
