using System.Diagnostics;
using Gateway.Tests.Support;

namespace Gateway.Tests.Faults;

/// <summary>Refusals that may pass: which are asked again, where, when, and what is told at the end.</summary>
public sealed class RetryTests(FaultSetup setup) : FaultTest(setup)
{
    [Fact]
    public Task A_short_Retry_After_is_waited_out_on_the_same_deployment() => AtEachDoorAsync("pair", async call =>
    {
        call.On("a", Say.Refuse(429, "2"), Say.Well).On("b", Say.Well);

        call.AssertAnswered(await call.AskAsync(), Say.Text, "a=429", "a=ok");

        var asked = call.AskedAt("a");
        Assert.True(asked[1].At - asked[0].At >= TimeSpan.FromSeconds(1.9), $"Asked again after {asked[1].At - asked[0].At}.");
        Assert.Empty(call.AskedAt("b"));
    });

    [Fact]
    public Task A_long_Retry_After_means_the_next_deployment_at_once() => AtEachDoorAsync("pair", async call =>
    {
        call.On("a", Say.Refuse(429, "30")).On("b", Say.Well);
        var clock = Stopwatch.StartNew();

        call.AssertAnswered(await call.AskAsync(), Say.Text, "a=429", "b=ok");

        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(10));
    });

    [Fact]
    public Task A_long_Retry_After_reaches_the_caller_when_nobody_else_is_there() => AtEachDoorAsync("alone", async call =>
    {
        call.On("a", Say.Refuse(429, "30", "rate_limit_exceeded"));

        var reply = await call.AskAsync();

        var error = await call.AssertRefusedAsync(reply, 429, "rate_limit_exceeded", "a=429");
        Assert.Equal(("Refused with 429.", "30"), ((string?)error["message"], reply.Headers["Retry-After"]));
    });

    [Fact]
    public Task Too_many_requests_for_ever_keeps_its_status() => AtEachDoorAsync("alone", async call =>
    {
        call.On("a", Say.Refuse(429, code: "rate_limit_exceeded"));

        await call.AssertRefusedAsync(await call.AskAsync(), 429, "rate_limit_exceeded", "a=429", "a=429", "a=429");
    });

    [Theory]
    [InlineData(500)]
    [InlineData(502)]
    [InlineData(503)]
    [InlineData(408)]
    [InlineData(409)]
    [InlineData(429)]
    public Task One_failure_is_not_seen(int status) => AtEachDoorAsync(
        "alone",
        async call =>
        {
            call.On("a", Say.Refuse(status), Say.Well);

            call.AssertAnswered(await call.AskAsync(), Say.Text, $"a={status}", "a=ok");
        },
        // The kinds share their way through the gateway; all doors are taken by the first.
        status == 500 ? Enum.GetValues<Door>() : [Door.ModelPlain]);

    [Fact]
    public Task A_failure_for_ever_is_asked_three_times_then_the_others_six_in_all() => AtEachDoorAsync("pair", async call =>
    {
        call.On("a", Say.Refuse(503, code: "overloaded")).On("b", Say.Refuse(503, code: "overloaded"));

        var error = await call.AssertRefusedAsync(
            await call.AskAsync(), 503, "overloaded", "a=503", "a=503", "a=503", "b=503", "b=503", "b=503");

        Assert.Equal("Refused with 503.", (string?)error["message"]);
    });

    [Fact]
    public Task Fallbacks_count_into_the_six() => AtEachDoorAsync("chain", async call =>
    {
        call.On("a", Say.Refuse(500)).On("c-f1", Say.Refuse(500)).On("d-f2", Say.Well);

        await call.AssertRefusedAsync(
            await call.AskAsync(), 500, null, "a=500", "a=500", "a=500", "c-f1=500", "c-f1=500", "c-f1=500");

        Assert.Empty(call.AskedAt("d-f2"));
    });

    [Fact]
    public Task Fallbacks_are_asked_in_their_order_and_the_reply_names_who_answers() => AtEachDoorAsync("once", async call =>
    {
        call.On("a", Say.Refuse(503)).On("c-f1", Say.Refuse(500)).On("d-f2", Say.Well);

        var reply = await call.AskAsync(more: call.IsStream ? ",\"stream_options\":{\"include_usage\":true}" : "");

        call.AssertAnswered(reply, Say.Text, "a=503", "c-f1=500", "d-f2=ok");
        Assert.Contains(call.IsBot ? $"\"{call.Selector}\"" : $"\"{call.Model}-f2\"", reply.Text, StringComparison.Ordinal);
        Assert.Contains("\"completion_tokens\":5", reply.Text, StringComparison.Ordinal);
        Assert.Contains("\"prompt_tokens\":7", reply.Text, StringComparison.Ordinal);
    });

    [Fact]
    public Task The_last_failure_is_the_one_that_is_told() => AtEachDoorAsync("once", async call =>
    {
        call.On("a", Say.Refuse(503)).On("c-f1", Answer.HangUp).On("d-f2", Say.Refuse(429, "30", "rate_limit_exceeded"));

        await call.AssertRefusedAsync(
            await call.AskAsync(), 429, "rate_limit_exceeded", "a=503", "c-f1=connect", "d-f2=429");
    });

    [Fact]
    public Task A_page_in_place_of_an_error_is_wrapped() => AtEachDoorAsync("once", async call =>
    {
        call.On("a", Say.Refuse(503)).On("c-f1", Say.Refuse(500))
            .On("d-f2", Answer.Fixed("<html>Bad gateway</html>"u8.ToArray(), System.Net.HttpStatusCode.BadGateway, "text/html"));

        var error = await call.AssertRefusedAsync(await call.AskAsync(), 502, null, "a=503", "c-f1=500", "d-f2=502");

        Assert.DoesNotContain("html", error.ToJsonString(), StringComparison.Ordinal);
    });
}
