using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Gateway.Tests.Http;
using Gateway.Tests.Support;

namespace Gateway.Tests.Chat;

/// <summary>The limits of an attempt, what a silence looks like to the caller, and callers who leave.</summary>
[Collection(ChatTestsShareOneGateway.Name)]
public sealed class ClockTests(ScriptedGateway setup) : ScriptedTest(setup)
{
    private static readonly string Begun = Wire.Role() + Wire.Text("Hello");

    private static UpstreamAnswer Silent => Answer.After(TimeSpan.FromMinutes(1), Answer.HangUp);

    [Fact]
    public async Task An_upstream_without_headers_is_given_up() =>
        Assert.Contains("(headers)", await TimeoutOfAsync("headers", Silent), StringComparison.Ordinal);

    [Fact]
    public async Task An_upstream_without_content_is_given_up_for_a_role_is_none()
    {
        Assert.Contains("(first content)", await TimeoutOfAsync("first", Answer.Stream(Piece.Of(": hi\n\n"), Piece.Stall)), StringComparison.Ordinal);
        Assert.Contains("(first content)", await TimeoutOfAsync("first", Answer.Stream(Piece.Of(Wire.Role()), Piece.Stall)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_upstream_that_takes_too_long_in_all_is_given_up(bool stream) =>
        Assert.Contains("(total)", await TimeoutOfAsync("total", Silent, stream), StringComparison.Ordinal);

    [Fact]
    public async Task A_plain_reply_that_stalls_is_given_up() => Assert.Contains(
        "(total)",
        await TimeoutOfAsync("total", Answer.Stream(new AnswerHead(ContentType: "application/json"), Piece.Of("{\"a\":"), Piece.Stall), stream: false),
        StringComparison.Ordinal);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_refusal_whose_words_stall_keeps_its_status(bool stream)
    {
        Upstream.Answers(Answer.Stream(new AnswerHead(HttpStatusCode.ServiceUnavailable, "application/json"), Piece.Of("{\"er"), Piece.Stall));

        var reply = await Setup.ChatAsync(Wire.Ask("model/name=plain", stream), Cancel);

        Assert.Equal(503, reply.Status);
        Assert.Contains("status 503", reply.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("idle", "(idle)")]
    [InlineData("total", "(total)")]
    public async Task A_stall_behind_content_is_an_error_event_and_a_break(string model, string named)
    {
        Upstream.Answers(Answer.Stream(Piece.Of(Begun), Piece.Stall));

        var reply = await Setup.ChatAsync(Wire.Ask($"model/name={model}"), Cancel);

        Assert.Equal((200, StreamEnding.ErrorThenAbort), (reply.Status, reply.Ending));
        Assert.Contains("upstream_timeout", reply.Text, StringComparison.Ordinal);
        Assert.Contains(named, reply.Text, StringComparison.Ordinal);
        await Upstream.Requests[0].Disconnected.WaitAsync(TimeSpan.FromSeconds(2), Cancel);
    }

    [Fact]
    public async Task A_stall_behind_the_finish_is_no_error()
    {
        Upstream.Answers(Answer.Stream(Piece.Of(Begun + Wire.Finish()), Piece.Stall));

        Assert.Equal(Begun + Wire.Finish() + Wire.Done, (await Setup.ChatAsync(Wire.Ask("model/name=idle"), Cancel)).Text);
    }

    [Fact]
    public async Task Signs_of_life_keep_a_stream_going()
    {
        var half = Piece.Wait(ScriptedGateway.ShortClock / 2);
        var life = Enumerable.Repeat(new[] { half, Piece.Of(": still here\n\n") }, 4).SelectMany(pair => pair);
        Upstream.Answers(Answer.Stream([Piece.Of(Begun), .. life, Piece.Of(Wire.Finish() + Wire.Done)]));

        Assert.Equal(StreamEnding.Done, (await Setup.ChatAsync(Wire.Ask("model/name=idle"), Cancel)).Ending);
    }

    [Fact]
    public async Task A_silence_before_the_first_content_is_filled_with_a_comment()
    {
        Upstream.Answers(Answer.ByRequest(request => Answer.After(TimeSpan.FromSeconds(5.7), request.Json["n"] is null
            ? Wire.Stream(Wire.Whole)
            : Answer.Refusal(500, "Said upstream."))));

        var answered = Setup.ChatAsync(Wire.Ask(), Cancel);
        var failed = Setup.ChatAsync(Wire.Ask(more: ",\"n\":1"), Cancel);
        await Task.WhenAll(answered, failed);

        Assert.Equal(": keep-alive\n\n" + Wire.Whole, (await answered).Text);
        // The status is spent, so that the refusal comes as an event.
        Assert.Equal((200, StreamEnding.ErrorThenAbort), ((await failed).Status, (await failed).Ending));
        Assert.Contains("Said upstream.", (await failed).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Headers_that_go_out_with_a_comment_name_what_was_dropped()
    {
        Upstream.Answers(Answer.Stream(Piece.Of(Wire.Role()), Piece.Wait(TimeSpan.FromSeconds(5.7)), Piece.Of(Wire.Text("Hi") + Wire.Finish() + Wire.Done)));

        var reply = await Setup.ChatAsync(Wire.Ask("model/name=dropping", more: ",\"user\":\"me\""), Cancel);

        Assert.StartsWith(": keep-alive\n\n", reply.Text, StringComparison.Ordinal);
        Assert.Equal(("user", StreamEnding.Done), (reply.Headers["x-gateway-dropped-params"], reply.Ending));
    }

    [Fact]
    public async Task A_place_that_does_not_take_connections_is_given_up()
    {
        using var full = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        full.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        full.Listen(0);
        var place = (IPEndPoint)full.LocalEndPoint!;
        var waiting = Enumerable.Range(0, 3).Select(_ => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)).ToList();
        // Nobody accepts; with the queue full the kernel lets further calls go unanswered.
        var calls = waiting.Select(socket => socket.ConnectAsync(place, Cancel).AsTask()).ToList();
        await Task.WhenAny(Task.WhenAll(calls), Task.Delay(300, Cancel));
        await using (var seed = await Seed.OpenAsync(Setup.ConnectionString, Cancel))
        {
            seed.AddModel("full", seed.AddProvider("full", $"http://{place}/v1"), change: model => model.ConnectMs = 400);
            await seed.SaveAsync(Cancel);
        }

        RawReply reply;
        do
        {
            reply = await Setup.ChatAsync(Wire.Ask("model/name=full"), Cancel);
        }
        while (reply.Status == 404);
        waiting.ForEach(socket => socket.Dispose());

        Assert.Contains("(connect)", await Setup.AssertRefusedAsync(reply, 504, "upstream_timeout", type: "server_error"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("while it streams", true)]
    [InlineData("while a stream has no headers", true)]
    [InlineData("while a stream has no content", true)]
    [InlineData("while a plain reply has no headers", false)]
    [InlineData("while a plain reply arrives", false)]
    public async Task A_caller_who_leaves_ends_the_upstreams_work(string when, bool stream)
    {
        Upstream.Answers(when switch
        {
            "while it streams" => Answer.Stream(Piece.Of(Begun), Piece.Stall),
            "while a stream has no content" => Answer.Stream(Piece.Of(Wire.Role()), Piece.Stall),
            "while a plain reply arrives" => Answer.Stream(new AnswerHead(ContentType: "application/json"), Piece.Of("{"), Piece.Stall),
            _ => Silent,
        });
        using var leave = CancellationTokenSource.CreateLinkedTokenSource(Cancel);

        var call = Setup.ChatAsync(Wire.Ask(stream: stream), leave.Token);
        var request = await Upstream.NextRequestAsync(Cancel);
        await Task.Delay(100, Cancel);
        var clock = Stopwatch.StartNew();
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        await request.Disconnected.WaitAsync(TimeSpan.FromSeconds(5), Cancel);

        Assert.InRange(clock.Elapsed.TotalSeconds, 0, 1);
    }

    private async Task<string> TimeoutOfAsync(string model, UpstreamAnswer answer, bool stream = true)
    {
        Upstream.Reset();
        Upstream.Answers(answer);
        var clock = Stopwatch.StartNew();

        var reply = await Setup.ChatAsync(Wire.Ask($"model/name={model}", stream), Cancel);

        Assert.InRange(clock.Elapsed, ScriptedGateway.ShortClock * 0.8, TimeSpan.FromSeconds(4));
        await Upstream.Requests[0].Disconnected.WaitAsync(TimeSpan.FromSeconds(2), Cancel);
        return await Setup.AssertRefusedAsync(reply, 504, "upstream_timeout", type: "server_error");
    }
}
