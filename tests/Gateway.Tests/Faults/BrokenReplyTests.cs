using Gateway.Tests.Support;

namespace Gateway.Tests.Faults;

/// <summary>Replies that begin and go wrong: before content another attempt is made, behind it the caller is told.</summary>
public sealed class BrokenReplyTests(FaultSetup setup) : FaultTest(setup)
{
    private static readonly Piece Garbage = Piece.Of("data: {\"choices\":[{\"ind\n\n");

    public static TheoryData<string> Breaks => ["cut", "end", "malformed", "error"];

    [Theory]
    [MemberData(nameof(Breaks))]
    public Task A_break_before_content_is_not_seen(string kind) => AtEachDoorAsync(
        "alone",
        async call =>
        {
            call.On("a", Say.Part([], Trouble(kind)), Say.Well);

            call.AssertAnswered(await call.AskAsync(), Say.Text, $"a={Outcome(kind)}", "a=ok");
        },
        StreamedUpstream);

    [Theory]
    [MemberData(nameof(Breaks))]
    public Task A_break_behind_content_is_told_where_nobody_can_carry_on(string kind) => AtEachDoorAsync(
        "pair",
        async call =>
        {
            call.On("a", Say.Part(["All", " is"], Trouble(kind))).On("b", Say.Well);

            var reply = await call.AskAsync();

            call.AssertBroken(reply, 502, kind == "malformed" ? "upstream_invalid_reply" : kind == "error" ? "broken" : "upstream_unavailable");
            // Of a stream the headers were gone before it broke.
            var outcome = kind switch { "malformed" => "malformed", "error" => "error_event", _ => "cut" };
            call.AssertAttempts(reply, call.IsStream ? "a=ok" : $"a={outcome}");
            Assert.Empty(call.AskedAt("b"));
            if (call.IsStream)
            {
                Assert.Equal("All is", Transcript.ContentOf(reply.Body));
            }
        },
        StreamedUpstream);

    [Fact]
    public Task A_stall_behind_content_is_told() => AtEachDoorAsync(
        "quickpair",
        async call =>
        {
            call.On("a", Say.Part(["All", " is"], Piece.Stall)).On("b", Say.Well);

            var error = call.AssertBroken(await call.AskAsync(), 504, "upstream_timeout");

            Assert.Contains("(idle)", (string)error["message"]!, StringComparison.Ordinal);
            await call.AskedAt("a")[0].Request.Disconnected.WaitAsync(TimeSpan.FromSeconds(5), Cancel);
            Assert.Empty(call.AskedAt("b"));
        },
        StreamedUpstream);

    [Fact]
    public Task Comments_keep_a_stream_alive() => AtEachDoorAsync(
        "quickalone",
        async call =>
        {
            var life = Enumerable.Repeat(new[] { Piece.Wait(FaultProfiles.QuickClock / 3), Piece.Of(": still here\n\n") }, 6);
            var events = Say.Events(call.Model, Say.Words(Say.Text)).Select(Piece.Of).ToList();
            call.On("a", Answer.Stream([.. events.Take(2), .. life.SelectMany(p => p), .. events.Skip(2)]));

            call.AssertAnswered(await call.AskAsync(), Say.Text, "a=ok");
        },
        StreamedUpstream);

    [Fact]
    public Task A_missing_DONE_is_added() => AtEachDoorAsync(
        "alone",
        async call =>
        {
            call.On("a", Answer.Stream([.. Say.Events(call.Model, Say.Words(Say.Text)).SkipLast(1).Select(Piece.Of)]));

            call.AssertAnswered(await call.AskAsync(), Say.Text, "a=ok");
        },
        StreamedUpstream);

    [Fact]
    public Task Nothing_behind_the_finish_takes_the_answer_back() => AtEachDoorAsync(
        "alone",
        async call =>
        {
            call.On("a", Answer.Stream([.. Say.Events(call.Model, Say.Words(Say.Text)).SkipLast(2).Select(Piece.Of), Piece.Abort]));

            call.AssertAnswered(await call.AskAsync(), Say.Text, "a=ok");
        },
        StreamedUpstream);

    [Theory]
    [InlineData("cut", "cut")]
    [InlineData("garbage", "malformed")]
    [InlineData("short", "cut")]
    [InlineData("error", "error_event")]
    public async Task A_plain_reply_that_cannot_be_used_is_asked_for_again(string kind, string outcome)
    {
        var call = At(Door.ModelPlain, "alone").On(
            "a",
            kind switch
            {
                "cut" => Say.CutAfterContent,
                "garbage" => Answer.Json("{\"id\": oops"),
                "short" => Answer.WrongLength("{\"id\":\"chatcmpl-1\"}", 500),
                _ => Answer.Json("""{"error":{"message":"Overloaded.","type":"server_error","code":"overloaded"}}"""),
            },
            Say.Well);

        call.AssertAnswered(await call.AskAsync(), Say.Text, $"a={outcome}", "a=ok");
    }

    [Fact]
    public Task Breaks_before_content_for_ever_go_on_to_the_others_and_end() => AtEachDoorAsync(
        "pair",
        async call =>
        {
            call.On("a", Say.CutBeforeContent).On("b", Say.CutBeforeContent);

            await call.AssertRefusedAsync(
                await call.AskAsync(), 502, "upstream_unavailable", "a=cut", "a=cut", "a=cut", "b=cut", "b=cut", "b=cut");
        });

    private static Piece[] Trouble(string kind) => kind switch
    {
        "cut" => [Piece.Abort],
        "end" => [],
        "malformed" => [Garbage, Piece.Stall],
        _ => [Piece.Of(Say.Error("It broke.", "broken")), Piece.Stall],
    };

    private static string Outcome(string kind) => kind switch { "malformed" => kind, "error" => "error_event", _ => "cut" };
}
