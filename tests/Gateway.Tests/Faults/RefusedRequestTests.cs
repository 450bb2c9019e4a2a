using Gateway.Tests.Support;

namespace Gateway.Tests.Faults;

/// <summary>Refusals that asking again does not help: the request's own fault, or the operator's.</summary>
public sealed class RefusedRequestTests(FaultSetup setup) : FaultTest(setup)
{
    [Fact]
    public Task Too_long_a_context_goes_straight_to_the_fallback() => AtEachDoorAsync("wide", async call =>
    {
        call.On("a", Say.TooLong).On("b", Say.Well).On("c-f1", Say.Well);

        call.AssertAnswered(await call.AskAsync(), Say.Text, "a=400", "c-f1=ok");
        Assert.Empty(call.AskedAt("b"));
    });

    [Fact]
    public Task Too_long_a_context_said_in_the_stream_does_too() => AtEachDoorAsync(
        "wide",
        async call =>
        {
            call.On("a", Answer.Stream(Piece.Of(Say.Error("Too long.", "context_length_exceeded", "invalid_request_error"))))
                .On("c-f1", Say.Well);

            call.AssertAnswered(await call.AskAsync(), Say.Text, "a=error_event", "c-f1=ok");
        },
        StreamedUpstream);

    [Fact]
    public Task Too_long_a_context_is_told_where_there_is_no_fallback() => AtEachDoorAsync("pair", async call =>
    {
        call.On("a", Say.TooLong).On("b", Say.Well);

        await call.AssertRefusedAsync(await call.AskAsync(), 400, "context_length_exceeded", "a=400");
        Assert.Empty(call.AskedAt("b"));
    });

    [Theory]
    [InlineData("content_filter")]
    [InlineData("content_policy_violation")]
    public Task A_content_policy_is_final(string code) => AtEachDoorAsync("wide", async call =>
    {
        call.On("a", Say.Refuse(400, code: code, type: "invalid_request_error")).On("b", Say.Well).On("c-f1", Say.Well);

        await call.AssertRefusedAsync(await call.AskAsync(), 400, code, "a=400");
        Assert.Empty(call.AskedAt("b"));
        Assert.Empty(call.AskedAt("c-f1"));
    });

    [Fact]
    public Task A_refusal_said_in_the_stream_is_final_too() => AtEachDoorAsync(
        "wide",
        async call =>
        {
            call.On("a", Answer.Stream(Piece.Of(Say.Error("Not that.", "content_filter", "invalid_request_error")))).On("b", Say.Well);

            await call.AssertRefusedAsync(await call.AskAsync(), 400, "content_filter", "a=error_event");
            Assert.Single(call.AskedAt("a"));
            Assert.Empty(call.AskedAt("b"));
        },
        StreamedUpstream);

    [Theory]
    [InlineData(400)]
    [InlineData(413)]
    [InlineData(422)]
    public Task A_request_that_is_refused_is_not_asked_again(int status) => AtEachDoorAsync(
        "wide",
        async call =>
        {
            call.On("a", Say.Refuse(status, code: "invalid_value", type: "invalid_request_error")).On("b", Say.Well).On("c-f1", Say.Well);

            await call.AssertRefusedAsync(await call.AskAsync(), status, "invalid_value", $"a={status}");
            Assert.Single(call.AskedAt("a"));
        },
        status == 400 ? Enum.GetValues<Door>() : [Door.ModelStream]);

    [Theory]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(404)]
    public Task A_provider_that_does_not_accept_us_is_left_for_the_next(int status) => AtEachDoorAsync(
        "pair",
        async call =>
        {
            call.On("a", Say.Refuse(status, code: "secret_words")).On("b", Say.Well);

            call.AssertAnswered(await call.AskAsync(), Say.Text, $"a={status}", "b=ok");
        },
        status == 401 ? Enum.GetValues<Door>() : Models);

    [Theory]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(404)]
    public Task A_provider_that_does_not_accept_us_alone_is_ours_to_answer_for(int status) => AtEachDoorAsync(
        "alone",
        async call =>
        {
            call.On("a", Say.Refuse(status, code: "secret_words"));

            var error = await call.AssertRefusedAsync(await call.AskAsync(), 502, "upstream_unavailable", $"a={status}");
            Assert.DoesNotContain("secret_words", error.ToJsonString(), StringComparison.Ordinal);
        },
        status == 401 ? Enum.GetValues<Door>() : Models);

    [Theory]
    [InlineData(Door.ModelStream)]
    [InlineData(Door.ModelPlain)]
    public async Task A_name_that_the_provider_does_not_have_is_passed_on_of_the_wildcard(Door door)
    {
        var call = new Call(Setup, door, $"wild-{door}").On("a", Say.Refuse(404, code: "model_not_found", type: "invalid_request_error"));

        await call.AssertRefusedAsync(await call.AskAsync(), 404, "model_not_found", "a=404");
    }

    [Fact]
    public Task A_parameter_that_is_left_out_is_no_attempt() => AtEachDoorAsync("alone", async call =>
    {
        call.On(
            "a",
            Answer.Json(
                """{"error":{"message":"No.","type":"invalid_request_error","param":"temperature","code":"unsupported_parameter"}}""",
                System.Net.HttpStatusCode.BadRequest),
            Say.Well);

        var reply = await call.AskAsync(more: ",\"temperature\":0.5");

        call.AssertAnswered(reply, Say.Text, "a=ok");
        Assert.Equal("temperature", reply.Headers["x-gateway-dropped-params"]);
        Assert.Equal([true, false], call.AskedAt("a").Select(a => a.Request.Json["temperature"] is not null));
    });
}
