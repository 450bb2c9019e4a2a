using System.Text.Json.Nodes;
using Gateway.Tests.Support;

namespace Gateway.Tests.Faults;

/// <summary>Streams that break behind content, wherever they break, and the fallbacks that carry them on or cannot.</summary>
public sealed class RescueTests(FaultSetup setup) : FaultTest(setup)
{
    private static IEnumerable<int> EachCut => Enumerable.Range(0, RescueCase.Count + 1);

    [Theory]
    [InlineData("prefill")]
    [InlineData("replay")]
    [InlineData("either")]
    public async Task A_stream_cut_after_any_word_is_whole(string profile)
    {
        var call = At(Door.ModelStream, profile).On("a", RescueCase.Breaks)
            .On("c-f1", profile == "replay" ? RescueCase.Repeats : RescueCase.Continues);

        var replies = await Task.WhenAll(EachCut.Select(k => call.AskAsync(RescueCase.CutAfter(k))));

        Assert.All(replies, reply => RescueCase.AssertWhole(reply, RescueCase.Text, $"{call.Model}-f1"));
        foreach (var k in EachCut)
        {
            var asked = Assert.Single(call.AskedAt("c-f1"), a => a.Question == RescueCase.CutAfter(k));
            Assert.Equal(
                k == 0 || profile == "replay" ? null : string.Concat(RescueCase.Chunks.Take(k)), RescueCase.PrefixOf(asked.Request));
            Assert.Contains($"\"chatcmpl-{call.Model}{(k == 0 ? "-f1" : "")}\"", replies[k].Text, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(Door.BotStream, "prefill")]
    [InlineData(Door.BotPlain, "prefill")]
    [InlineData(Door.BotStream, "replay")]
    [InlineData(Door.BotPlain, "replay")]
    public async Task A_bot_is_rescued_like_a_model(Door door, string profile)
    {
        var call = At(door, profile).On("a", RescueCase.Breaks).On("c-f1", profile == "replay" ? RescueCase.Repeats : RescueCase.Continues);

        var replies = await Task.WhenAll(EachCut.Select(k => call.AskAsync(RescueCase.CutAfter(k))));

        // Of a stream the headers were gone before it broke.
        string[] attempts = call.IsStream ? ["a=ok"] : ["a=cut", "c-f1=ok"];
        Assert.All(replies.Skip(1), reply => call.AssertAnswered(reply, RescueCase.Text, attempts));
        call.AssertAnswered(replies[0], RescueCase.Text, "a=cut", "a=cut", "a=cut", "c-f1=ok");
        Assert.All(replies, reply => Assert.Equal(
            1, reply.Text.Split("\"finish_reason\":\"stop\"").Length - 1));
    }

    [Fact]
    public async Task Another_text_is_an_error_with_the_first_cause()
    {
        var call = At(Door.ModelStream, "replay").On("a", RescueCase.Breaks).On("c-f1", RescueCase.ParaphrasesFrom(1));

        var replies = await Task.WhenAll(EachCut.Skip(1).Select(k => call.AskAsync(RescueCase.CutAfter(k))));

        for (var k = 1; k <= RescueCase.Count; k++)
        {
            var error = call.AssertBroken(replies[k - 1], 502, "upstream_unavailable");
            Assert.Contains("broke off", (string)error["message"]!, StringComparison.Ordinal);
            Assert.Equal(string.Concat(RescueCase.Chunks.Take(k)), Transcript.ContentOf(replies[k - 1].Body));
        }
    }

    [Fact]
    public async Task Another_text_is_told_only_where_it_differs_from_what_was_sent()
    {
        var call = At(Door.ModelStream, "replay").On("a", RescueCase.Breaks).On("c-f1", RescueCase.ParaphrasesFrom(31));

        // What comes behind what was sent is nobody's to judge.
        var good = await call.AskAsync(RescueCase.CutAfter(30));
        Assert.Equal(StreamEnding.Done, good.Ending);
        Assert.Contains(" w29 w30 t31 t32 ", Transcript.ContentOf(good.Body), StringComparison.Ordinal);
        call.AssertBroken(await call.AskAsync(RescueCase.CutAfter(31)), 502, "upstream_unavailable");
    }

    [Fact]
    public async Task A_shorter_text_is_an_error_too()
    {
        var call = At(Door.ModelStream, "replay").On("a", RescueCase.Breaks)
            .On("c-f1", Answer.ByRequest(r => Answer.Stream([.. Say.Events(r.Model, RescueCase.Chunks.Take(10)).Select(Piece.Of)])));

        call.AssertBroken(await call.AskAsync(RescueCase.CutAfter(20)), 502, "upstream_unavailable");
    }

    [Fact]
    public async Task Two_breaks_in_a_row_are_carried_on_twice_with_less_room_each_time()
    {
        var call = At(Door.ModelStream, "prefills")
            .On("a", RescueCase.Breaks).On("c-f1", RescueCase.ContinuesFor(15)).On("d-f2", RescueCase.Continues);

        var reply = await call.AskAsync(RescueCase.CutAfter(20), ",\"max_tokens\":100,\"temperature\":0.5");

        RescueCase.AssertWhole(reply, RescueCase.Text, $"{call.Model}-f2");
        Assert.Contains($"\"chatcmpl-{call.Model}\"", reply.Text, StringComparison.Ordinal);
        var (second, third) = (call.AskedAt("c-f1")[0].Request, call.AskedAt("d-f2")[0].Request);
        Assert.Equal(string.Concat(RescueCase.Chunks.Take(20)), RescueCase.PrefixOf(second));
        Assert.Equal(string.Concat(RescueCase.Chunks.Take(35)), RescueCase.PrefixOf(third));
        Assert.Equal((80, 65), ((int)second.Json["max_tokens"]!, (int)third.Json["max_tokens"]!));
        Assert.Equal(0.5, (double)third.Json["temperature"]!);
    }

    [Fact]
    public async Task A_fallback_that_refuses_a_prefix_is_passed_over()
    {
        var call = At(Door.ModelStream, "prefills").On("a", RescueCase.Breaks)
            .On("c-f1", Say.Refuse(400, code: "invalid_value", type: "invalid_request_error")).On("d-f2", RescueCase.Continues);

        RescueCase.AssertWhole(await call.AskAsync(RescueCase.CutAfter(7)), RescueCase.Text, $"{call.Model}-f2");
        Assert.Equal((1, 1), (call.AskedAt("c-f1").Count, call.AskedAt("d-f2").Count));
    }

    [Fact]
    public async Task Where_a_prefix_is_refused_a_replay_may_do()
    {
        var call = At(Door.ModelStream, "either").On("a", RescueCase.Breaks).On(
            "c-f1", Answer.ByRequest(r => RescueCase.PrefixOf(r) is null ? RescueCase.Repeats : Say.Refuse(400, type: "invalid_request_error")));

        RescueCase.AssertWhole(await call.AskAsync(RescueCase.CutAfter(7)), RescueCase.Text, $"{call.Model}-f1");
    }

    [Fact]
    public async Task The_deployment_that_broke_carries_on_itself_where_nobody_else_can()
    {
        var call = At(Door.ModelStream, "selfprefill").On("a", RescueCase.Breaks, RescueCase.Continues);

        RescueCase.AssertWhole(await call.AskAsync(RescueCase.CutAfter(33)), RescueCase.Text, call.Model);
        Assert.Equal([null, string.Concat(RescueCase.Chunks.Take(33))], call.AskedAt("a").Select(a => RescueCase.PrefixOf(a.Request)));
    }

    [Fact]
    public async Task Who_carries_on_is_asked_again_like_anybody()
    {
        var call = At(Door.ModelStream, "prefill").On("a", RescueCase.Breaks)
            .On("c-f1", Say.Refuse(503), Say.CutBeforeContent, RescueCase.Continues);

        RescueCase.AssertWhole(await call.AskAsync(RescueCase.CutAfter(33)), RescueCase.Text, $"{call.Model}-f1");
        Assert.Equal(3, call.AskedAt("c-f1").Count);
    }

    [Fact]
    public async Task No_rescue_makes_more_than_six_attempts()
    {
        var call = At(Door.ModelStream, "selfprefill").On("a", RescueCase.Breaks, RescueCase.ContinuesFor(2));

        call.AssertBroken(await call.AskAsync(RescueCase.CutAfter(10)), 502, "upstream_unavailable");
        Assert.Equal(6, call.AskedAt("a").Count);
    }

    [Fact]
    public async Task Behind_a_prefix_of_the_callers_own_there_is_none_of_ours()
    {
        var call = At(Door.ModelStream, "prefill").On("a", Say.Part(["w1"], Piece.Abort)).On("c-f1", RescueCase.Continues);
        var body = $$"""{"model":"{{call.Selector}}","stream":true,"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"I"}]}""";

        call.AssertBroken(await RawReply.PostAsync(Setup.Client, "/v1/chat/completions", body, Cancel), 502, "upstream_unavailable");
        Assert.Empty(call.AskedAt("c-f1"));
    }

    [Theory]
    [InlineData("stall")]
    [InlineData("end")]
    [InlineData("malformed")]
    [InlineData("error")]
    public async Task Every_kind_of_break_is_carried_on(string kind)
    {
        var chunks = RescueCase.Chunks.Take(5).ToList();
        var call = At(Door.ModelStream, "quickprefill").On("c-f1", RescueCase.Continues).On("a", kind switch
        {
            "stall" => Say.Part(chunks, Piece.Stall),
            "end" => Say.Part(chunks),
            "malformed" => Say.Part(chunks, Piece.Of("data: oops\n\n"), Piece.Stall),
            _ => Say.Part(chunks, Piece.Of(Say.Error("Overloaded.", "overloaded")), Piece.Stall),
        });

        RescueCase.AssertWhole(await call.AskAsync(), RescueCase.Text, $"{call.Model}-f1");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Usage_comes_once_where_it_was_asked_for(bool isAsked)
    {
        var call = At(Door.ModelStream, "prefill").On("a", RescueCase.Breaks).On("c-f1", RescueCase.Continues);

        var reply = await call.AskAsync(RescueCase.CutAfter(9), isAsked ? ",\"stream_options\":{\"include_usage\":true}" : "");

        RescueCase.AssertWhole(reply, RescueCase.Text, $"{call.Model}-f1");
        var chunks = Transcript.Events(reply.Body).SkipLast(1).Select(e => JsonNode.Parse(e)!).ToList();
        Assert.Equal(isAsked ? 1 : 0, chunks.Count(c => c["usage"] is not null));
        Assert.Equal(isAsked ? 1 : 0, chunks.Count(c => c["choices"]!.AsArray().Count == 0));
    }

    [Fact]
    public async Task A_rescue_that_fails_tells_why_the_first_stream_broke_and_counts_once()
    {
        var call = At(Door.ModelStream, "prefill").On("a", RescueCase.Breaks).On("c-f1", Say.Refuse(429, "30", "rate_limit_exceeded"));

        var error = call.AssertBroken(await call.AskAsync(RescueCase.CutAfter(9)), 502, "upstream_unavailable");

        Assert.Contains("broke off", (string)error["message"]!, StringComparison.Ordinal);
        Assert.Single(call.AskedAt("a"));
    }
}
