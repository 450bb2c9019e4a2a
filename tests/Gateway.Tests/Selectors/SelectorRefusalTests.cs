using Gateway.Tests.Http;
using Gateway.Tests.Support;

namespace Gateway.Tests.Selectors;

/// <summary>What the <c>model</c> field may not be, on the wire.</summary>
[Collection(HttpTestsShareOneGateway.Name)]
public sealed class SelectorRefusalTests(ScriptedGateway setup) : ScriptedTest(setup)
{
    [Theory]
    [InlineData("")]
    [InlineData("gpt-4o")]
    [InlineData("model/name=")]
    [InlineData("bot/id=")]
    [InlineData("model/")]
    [InlineData("agent/id=helper")]
    [InlineData("Model/name=plain")]
    [InlineData("conversation/id=1")]
    [InlineData("conversation/")]
    [InlineData("\\ud800")]
    [InlineData("model/name=\\ud800")]
    [InlineData("model/name=\\udc00\\ud800x")]
    public async Task What_is_no_selector_is_refused_with_the_right_form(string model)
    {
        var message = await Setup.AssertRefusedAsync(await AskAsync(model), 400, "invalid_model_selector", "model");

        Assert.Contains("'model/name=<model>' or 'bot/id=<id>'", message, StringComparison.Ordinal);
        Assert.Empty(Upstream.Requests);
    }

    [Theory]
    [InlineData("model/name=never-there")]
    [InlineData("model/name=*")]
    [InlineData("model/name=PLAIN")]
    [InlineData("model/name=plain ")]
    [InlineData("model/name=of-other")]
    [InlineData("bot/id=never-there")]
    [InlineData("bot/id=theirs")]
    [InlineData("bot/id=plain")]
    [InlineData("model/name=helper")]
    [InlineData("model/name=\\ud83d\\ude00")]
    public async Task A_selector_of_nothing_is_not_found(string model) =>
        await Setup.AssertRefusedAsync(await AskAsync(model), 404, "model_not_found", "model");

    [Theory]
    [InlineData("model/name=\\u0000")]
    [InlineData("model/name=plain\\n")]
    [InlineData("model/name=\\u001b[31mplain")]
    [InlineData("bot/id=helper\\u0085")]
    public async Task A_control_character_is_in_no_selector(string model) =>
        await Setup.AssertRefusedAsync(await AskAsync(model), 400, "invalid_model_selector", "model");

    [Fact]
    public async Task A_selector_over_the_limit_is_refused()
    {
        await Setup.AssertRefusedAsync(await AskAsync("model/name=".PadRight(512, 'a')), 404, "model_not_found", "model");
        await Setup.AssertRefusedAsync(await AskAsync("model/name=".PadRight(513, 'a')), 400, "invalid_model_selector", "model");
    }

    [Fact]
    public async Task A_selector_of_megabytes_is_shown_in_part() =>
        Assert.InRange((await Setup.AssertRefusedAsync(await AskAsync(new string('m', 3_000_000)), 400, "invalid_model_selector", "model")).Length, 200, 500);

    [Theory]
    [InlineData("model/name=plain", "plain")]
    [InlineData("model/id=plain", "plain")]
    [InlineData("model/name=named", "other-name")]
    [InlineData("model/name=vendor/with/slashes", "vendor/with/slashes")]
    [InlineData("model/name=vendor%2Fwith%2fslashes", "vendor/with/slashes")]
    [InlineData("model\\/name\\u003dplain", "plain")]
    public async Task A_selector_of_a_model_reaches_it(string model, string upstreamModel)
    {
        Upstream.Answers(Answer.Json(Replies.Completion("m", "Yes.")));

        Assert.Equal(200, (await AskAsync(model)).Status);
        Assert.Equal(upstreamModel, Upstream.Requests[0].Model);
    }

    [Theory]
    [InlineData("2")]
    [InlineData("128")]
    public async Task Several_answers_of_a_bot_are_refused(string n)
    {
        var reply = await Setup.ChatAsync(
            $$"""{"model":"bot/id=helper","n":{{n}},"messages":[{"role":"user","content":"hi"}]}""", Cancel);

        await Setup.AssertRefusedAsync(reply, 400, "invalid_value", "n");
    }

    private Task<RawReply> AskAsync(string model) =>
        Setup.ChatAsync($$"""{"model":"{{model}}","messages":[{"role":"user","content":"hi"}]}""", Cancel);
}
