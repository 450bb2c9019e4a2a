using Gateway.Tests.Support;

namespace Gateway.Tests.Faults;

/// <summary>The important cases fifty at a time: each request meets the same trouble, and is told the same.</summary>
public sealed class ManyAtOnceTests(FaultSetup setup) : FaultTest(setup)
{
    public static TheoryData<Door> Doors => [.. Enum.GetValues<Door>()];

    public static TheoryData<Door> StreamedDoors => [.. StreamedUpstream];

    [Theory]
    [MemberData(nameof(Doors))]
    public async Task Fifty_meet_a_429_and_wait_for_it(Door door)
    {
        var call = At(door, "pair").On("a", Say.Refuse(429, "2"), Say.Well).On("b", Say.Refuse(500));

        Assert.All(await FiftyAsync(call), reply => call.AssertAnswered(reply, Say.Text, "a=429", "a=ok"));
        Assert.All(call.AskedAt("a").GroupBy(a => a.Question), own => Assert.True(own.Last().At - own.First().At >= TimeSpan.FromSeconds(1.9)));
    }

    [Theory]
    [MemberData(nameof(Doors))]
    public async Task Fifty_meet_one_500_or_one_reset(Door door)
    {
        var call = At(door, "alone").On("a", Say.Refuse(500), Answer.HangUp, Say.Well);

        Assert.All(await FiftyAsync(call), reply => call.AssertAnswered(reply, Say.Text, "a=500", "a=connect", "a=ok"));
        Assert.Equal(150, call.AskedAt("a").Count);
    }

    [Theory]
    [MemberData(nameof(Doors))]
    public async Task Fifty_meet_503_for_ever(Door door)
    {
        var call = At(door, "pair").On("a", Say.Refuse(503)).On("b", Say.Refuse(503));

        foreach (var reply in await FiftyAsync(call))
        {
            await call.AssertRefusedAsync(reply, 503, null, "a=503", "a=503", "a=503", "b=503", "b=503", "b=503");
        }
    }

    [Theory]
    [MemberData(nameof(StreamedDoors))]
    public async Task Fifty_meet_a_silence(Door door)
    {
        var call = At(door, "quickpair").On("a", Say.RoleAlone).On("b", Say.Well);

        Assert.All(await FiftyAsync(call), reply => call.AssertAnswered(reply, Say.Text, "a=first_content", "b=ok"));
        Assert.Equal(50, call.AskedAt("a").Count);
        await Task.WhenAll(call.AskedAt("a").Select(a => a.Request.Disconnected)).WaitAsync(TimeSpan.FromSeconds(5), Cancel);
    }

    [Theory]
    [MemberData(nameof(StreamedDoors))]
    public async Task Fifty_are_cut_where_nobody_can_carry_on(Door door)
    {
        var call = At(door, "pair").On("a", Say.CutAfterContent).On("b", Say.Well);

        Assert.All(await FiftyAsync(call), reply => call.AssertBroken(reply, 502, "upstream_unavailable"));
        Assert.Equal((50, 0), (call.AskedAt("a").Count, call.AskedAt("b").Count));
    }

    [Theory]
    [MemberData(nameof(StreamedDoors))]
    public async Task Fifty_meet_a_malformed_event(Door door)
    {
        var call = At(door, "alone").On("a", Say.Part([], Piece.Of("data: {oops\n\n")), Say.Well);

        Assert.All(await FiftyAsync(call), reply => call.AssertAnswered(reply, Say.Text, "a=malformed", "a=ok"));
    }

    [Theory]
    [MemberData(nameof(Doors))]
    public async Task Fifty_are_too_long(Door door)
    {
        var call = At(door, "wide").On("a", Say.TooLong).On("b", Say.Well).On("c-f1", Say.Well);

        Assert.All(await FiftyAsync(call), reply => call.AssertAnswered(reply, Say.Text, "a=400", "c-f1=ok"));
        Assert.Empty(call.AskedAt("b"));
    }

    [Theory]
    [MemberData(nameof(Doors))]
    public async Task Fifty_are_refused_by_the_content_filter(Door door)
    {
        var call = At(door, "wide").On("a", Say.Refuse(400, code: "content_filter", type: "invalid_request_error")).On("b", Say.Well);

        foreach (var reply in await FiftyAsync(call))
        {
            await call.AssertRefusedAsync(reply, 400, "content_filter", "a=400");
        }
    }

    [Theory]
    [MemberData(nameof(Doors))]
    public async Task Fifty_at_a_provider_with_one_place_get_it_or_the_other_one(Door door)
    {
        var call = At(door, "narrowpair").On("own", Answer.After(TimeSpan.FromMilliseconds(30), Say.Well)).On("b", Say.Well);

        Assert.All(await FiftyAsync(call), reply => Assert.Equal(200, reply.Status));
        Assert.Equal(50, call.AskedAt("own").Count + call.AskedAt("b").Count);
        Assert.NotEmpty(call.AskedAt("own"));
        Assert.NotEmpty(call.AskedAt("b"));
    }
}
