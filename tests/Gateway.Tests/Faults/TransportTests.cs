using System.Diagnostics;
using Gateway.Tests.Support;

namespace Gateway.Tests.Faults;

/// <summary>Connections that break or fall silent before there is anything to pass on, and the clocks for it.</summary>
public sealed class TransportTests(FaultSetup setup) : FaultTest(setup)
{
    [Fact]
    public Task A_reset_before_a_byte_is_asked_again() => AtEachDoorAsync("alone", async call =>
    {
        call.On("a", Answer.HangUp, Say.Well);

        call.AssertAnswered(await call.AskAsync(), Say.Text, "a=connect", "a=ok");
        Assert.Equal(2, call.AskedAt("a").Count);
    });

    [Fact]
    public Task Resets_for_ever_are_a_bad_gateway() => AtEachDoorAsync("alone", async call =>
    {
        call.On("a", Answer.HangUp);

        await call.AssertRefusedAsync(await call.AskAsync(), 502, "upstream_unavailable", "a=connect", "a=connect", "a=connect");
    });

    [Fact]
    public Task A_place_where_nobody_listens_is_asked_again_and_left() => AtEachDoorAsync("nowherepair", async call =>
    {
        call.On("b", Say.Well);

        call.AssertAnswered(
            await call.AskAsync(), Say.Text, "nowhere=connect", "nowhere=connect", "nowhere=connect", "b=ok");
    });

    [Fact]
    public Task A_place_where_nobody_listens_alone_is_a_bad_gateway() => AtEachDoorAsync("nowhere", async call =>
        await call.AssertRefusedAsync(
            await call.AskAsync(), 502, "upstream_unavailable", "nowhere=connect", "nowhere=connect", "nowhere=connect"));

    [Fact]
    public Task A_silent_deployment_is_not_asked_again_and_the_next_is() => AtEachDoorAsync(
        "quickpair",
        async call =>
        {
            call.On("a", Say.Nothing).On("b", Say.Well);

            call.AssertAnswered(await call.AskAsync(), Say.Text, "a=headers", "b=ok");
            await Assert.Single(call.AskedAt("a")).Request.Disconnected.WaitAsync(TimeSpan.FromSeconds(5), Cancel);
        },
        StreamedUpstream);

    [Fact]
    public Task A_silent_deployment_alone_is_a_timeout() => AtEachDoorAsync(
        "quickalone",
        async call =>
        {
            call.On("a", Say.Nothing);

            await call.AssertRefusedAsync(await call.AskAsync(), 504, "upstream_timeout", "a=headers");
        },
        StreamedUpstream);

    [Fact]
    public Task A_role_and_comments_are_no_content() => AtEachDoorAsync(
        "quickpair",
        async call =>
        {
            var life = Enumerable.Repeat(new[] { Piece.Wait(FaultProfiles.QuickClock / 4), Piece.Of(": still here\n\n") }, 8);
            call.On("a", Say.Part([], [.. life.SelectMany(p => p), Piece.Stall])).On("b", Say.Well);

            call.AssertAnswered(await call.AskAsync(), Say.Text, "a=first_content", "b=ok");
        },
        StreamedUpstream);

    [Fact]
    public Task Headers_at_once_and_the_first_token_too_late_is_a_timeout() => AtEachDoorAsync(
        "quickalone",
        async call =>
        {
            call.On("a", Say.RoleAlone);

            await call.AssertRefusedAsync(await call.AskAsync(), 504, "upstream_timeout", "a=first_content");
        },
        StreamedUpstream);

    [Fact]
    public async Task A_reasoning_delta_is_content()
    {
        var call = At(Door.ModelStream, "quickpair");
        var thought = Piece.Of($$$"""data: {"id":"x","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"reasoning_content":"Hm. "},"finish_reason":null}]}""" + "\n\n");
        var pause = Piece.Wait(FaultProfiles.QuickClock * 0.6);
        call.On("a", Answer.Stream([thought, pause, thought, pause, thought, pause, .. Say.Events(call.Model, Say.Words(Say.Text)).Select(Piece.Of)]));

        call.AssertAnswered(await call.AskAsync(), Say.Text, "a=ok");
    }

    [Fact]
    public async Task A_plain_reply_has_only_the_total()
    {
        var call = At(Door.ModelPlain, "quickpair").On("a", Answer.After(FaultProfiles.QuickClock * 2, Say.Well));

        call.AssertAnswered(await call.AskAsync(), Say.Text, "a=ok");
    }

    [Fact]
    public Task The_total_bounds_a_silence() => AtEachDoorAsync("brief", async call =>
    {
        call.On("a", Say.Nothing).On("b", Say.Well);
        var clock = Stopwatch.StartNew();

        await call.AssertRefusedAsync(await call.AskAsync(), 504, "upstream_timeout", "a=total");

        Assert.InRange(clock.Elapsed, FaultProfiles.BriefTotal * 0.8, FaultProfiles.BriefTotal + TimeSpan.FromSeconds(6));
        Assert.Empty(call.AskedAt("b"));
    });

    [Fact]
    public Task A_wait_that_is_longer_than_the_total_is_not_begun() => AtEachDoorAsync("brief", async call =>
    {
        call.On("a", Say.Refuse(429, "4")).On("b", Say.Well);

        call.AssertAnswered(await call.AskAsync(), Say.Text, "a=429", "b=ok");
    });

    [Fact]
    public Task The_total_bounds_a_stream_that_never_ends() => AtEachDoorAsync(
        "brief",
        async call =>
        {
            var word = new[] { Piece.Of(Say.Events(call.Model, [" on"])[1]), Piece.Wait(TimeSpan.FromMilliseconds(200)) };
            call.On("a", Say.Part(["On"], [.. Enumerable.Repeat(word, 60).SelectMany(p => p)]));
            var clock = Stopwatch.StartNew();

            var error = call.AssertBroken(await call.AskAsync(), 504, "upstream_timeout");

            Assert.Contains("(total)", (string)error["message"]!, StringComparison.Ordinal);
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(9));
        },
        StreamedUpstream);
}
