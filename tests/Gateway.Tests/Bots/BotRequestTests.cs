using System.Text.Json.Nodes;
using Gateway.Tests.Chat;
using Gateway.Tests.Http;
using Gateway.Tests.Support;

namespace Gateway.Tests.Bots;

[CollectionDefinition(Name)]
public sealed class BotTestsShareOneGateway : ICollectionFixture<ScriptedGateway>
{
    public const string Name = "Bots";
}

/// <summary>What a bot asks its model, made of its own configuration and what the caller sent.</summary>
[Collection(BotTestsShareOneGateway.Name)]
public sealed class BotRequestTests(ScriptedGateway setup) : ScriptedTest(setup)
{
    [Fact]
    public async Task The_backstory_comes_first_and_the_callers_instructions_behind_it()
    {
        var (sent, _) = await AskAsync("helper", """
            {"role":"system","content":"Be brief, {bot.name}."},{"role":"user","content":"{date}?"},
            {"role":"developer","content":[{"type":"text","text":"Be kind."},{"type":"text","text":"Really."}]},
            {"role":"assistant","content":"Yes.","refusal":null},{"role":"system","content":"Be late."},{"role":"user","content":"Now?"}
            """);

        var today = $"{DateTimeOffset.UtcNow:yyyy-MM-dd}";
        var messages = sent["messages"]!.AsArray();
        Assert.Equal(["system", "user", "assistant", "user"], messages.Select(message => (string?)message!["role"]));
        Assert.Equal(
            $"You are The helper of default on {today}; {{not.this}} stays.\n\nBe brief, {{bot.name}}.\n\nBe kind.\nReally.\n\nBe late.",
            (string?)messages[0]!["content"]);
        Assert.Equal("{date}?", (string?)messages[1]!["content"]);
        Assert.Equal("""{"role":"assistant","content":"Yes.","refusal":null}""", messages[2]!.ToJsonString());
    }

    [Fact]
    public async Task A_bot_without_a_backstory_adds_no_message()
    {
        var (sent, _) = await AskAsync("mute", """{"role":"user","content":"hi"}""");

        Assert.Equal("""[{"role":"user","content":"hi"}]""", sent["messages"]!.ToJsonString());
    }

    [Fact]
    public async Task Images_and_odd_parts_travel_unchanged()
    {
        const string Message = """{"role":"user","content":[{"type":"text","text":"What \u00e4?"},{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo=","detail":"low"}},{"type":"newly_invented","x":[1.50,1e400,"\ud800"]}],"name":"me"}""";
        await AskAsync("helper", Message);

        Assert.Contains(Message, System.Text.Encoding.UTF8.GetString(Upstream.LastBody), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_model_is_streamed_with_its_usage_whatever_the_caller_wants()
    {
        var (sent, _) = await AskAsync("helper", """{"role":"user","content":"hi"}""", ",\"stream\":false,\"stream_options\":null");

        Assert.Equal(("plain", true, true), ((string?)sent["model"], (bool)sent["stream"]!, (bool)sent["stream_options"]!["include_usage"]!));
    }

    [Fact]
    public async Task The_owners_parameters_hold_unless_the_caller_says_otherwise()
    {
        var (silent, none) = await AskAsync("strict", """{"role":"user","content":"hi"}""");
        var (loud, dropped) = await AskAsync(
            "strict", """{"role":"user","content":"hi"}""", ",\"temperature\":1.9,\"seed\":8,\"user\":\"me\",\"top_p\":0.5,\"x_unknown\":[1]");

        Assert.Equal((0.25, 7, "of the bot"), ((double)silent["temperature"]!, (int)silent["seed"]!, (string?)silent["user"]));
        Assert.Equal((0.25, 8, "of the bot"), ((double)loud["temperature"]!, (int)loud["seed"]!, (string?)loud["user"]));
        Assert.Equal((0.5, "[1]"), ((double)loud["top_p"]!, loud["x_unknown"]!.ToJsonString()));
        Assert.False(none.Headers.ContainsKey("x-gateway-dropped-params"));
        Assert.Equal(["temperature", "user"], dropped.Headers["x-gateway-dropped-params"].Split(", ").Order());
    }

    [Fact]
    public async Task Dropped_parameters_are_named_on_streams_too()
    {
        Upstream.Answers(Replies.Stream(Replies.WordEvents("plain", ["Yes."])));

        var reply = await Setup.ChatAsync(Wire.Ask("bot/id=strict", more: ",\"temperature\":1"), Cancel);

        Assert.Equal("temperature", reply.Headers["x-gateway-dropped-params"]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Dropped_parameters_are_named_on_refusals_too(bool stream)
    {
        Upstream.Answers(Answer.Refusal(400, "No.", "invalid_request_error"));

        var reply = await Setup.ChatAsync(Wire.Ask("bot/id=strict", stream, ",\"temperature\":1"), Cancel);

        Assert.Equal((400, "temperature"), (reply.Status, reply.Headers["x-gateway-dropped-params"]));
    }

    [Theory]
    [InlineData("helper", 1, "messages[0].role")]
    [InlineData("helper", 3, "messages[4].role")]
    [InlineData("helper", 0, "messages.role")]
    [InlineData("mute", 2, "messages[3].role")]
    public async Task A_message_that_the_model_refuses_is_named_by_the_callers_own_position(string bot, int position, string named)
    {
        var isMute = bot == "mute";
        Upstream.Answers(Answer.Json(
            $$"""{ "error": {"message":"Bad messages[{{position}}].role.","type":"invalid_request_error","param":"messages[{{position}}].role","code":null} }""",
            System.Net.HttpStatusCode.BadRequest));
        var system = isMute ? """{"role":"user","content":"0"}""" : """{"role":"user","content":"0"},{"role":"system","content":"1"}""";

        var reply = await Setup.ChatAsync($$"""
            {"model":"bot/id={{bot}}","messages":[{{system}},{"role":"user","content":"2"},{"role":"system","content":""},{"role":"user","content":"4"}]}
            """, Cancel);

        Assert.Equal(named, (string?)JsonNode.Parse(reply.Text)!["error"]!["param"]);
    }

    [Fact]
    public async Task A_locked_parameter_that_is_null_is_none_that_was_dropped()
    {
        var (sent, reply) = await AskAsync("strict", """{"role":"user","content":"hi"}""", ",\"temperature\":null,\"user\":null");

        Assert.Equal((0.25, "of the bot"), ((double)sent["temperature"]!, (string?)sent["user"]));
        Assert.False(reply.Headers.ContainsKey("x-gateway-dropped-params"));
    }

    [Theory]
    [InlineData("0")]
    [InlineData("2")]
    [InlineData("2.0")]
    [InlineData("1.5")]
    [InlineData("-1")]
    [InlineData("1e400")]
    public async Task A_bot_gives_one_answer(string n)
    {
        foreach (var stream in new[] { true, false })
        {
            await Setup.AssertRefusedAsync(await Setup.ChatAsync(Wire.Ask("bot/id=helper", stream, $",\"n\":{n}"), Cancel), 400, "invalid_value", "n");
        }

        Assert.Empty(Upstream.Requests);
    }

    [Theory]
    [InlineData("1.0")]
    [InlineData("null")]
    public async Task One_answer_may_be_asked_for_in_any_way(string n) =>
        await AskAsync("helper", """{"role":"user","content":"hi"}""", $",\"n\":{n}");

    [Theory]
    [InlineData("100.0")]
    [InlineData("1e2")]
    [InlineData("0.5")]
    [InlineData("-1")]
    [InlineData("1e400")]
    public async Task A_single_limit_of_tokens_travels_as_it_is(string limit)
    {
        await AskAsync("helper", """{"role":"user","content":"hi"}""", $",\"max_tokens\":{limit}");

        Assert.Contains($"\"max_tokens\":{limit},", System.Text.Encoding.UTF8.GetString(Upstream.LastBody), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("temperature")]
    [InlineData("seed")]
    public async Task A_null_of_the_callers_leaves_the_owners_parameter(string name)
    {
        var (sent, _) = await AskAsync("strict", """{"role":"user","content":"hi"}""", $",\"{name}\":null");

        Assert.NotNull(sent[name]);
    }

    [Theory]
    [InlineData("strict", "", "max_tokens", 80)]
    [InlineData("strict", ",\"max_tokens\":20", "max_tokens", 20)]
    [InlineData("strict", ",\"max_tokens\":2000", "max_tokens", 80)]
    [InlineData("strict", ",\"max_completion_tokens\":20", "max_completion_tokens", 20)]
    [InlineData("strict", ",\"max_completion_tokens\":2000", "max_completion_tokens", 80)]
    [InlineData("strict", ",\"max_tokens\":null", "max_tokens", 80)]
    [InlineData("strict", ",\"max_tokens\":1e300", "max_tokens", 80)]
    [InlineData("strict", ",\"max_tokens\":20.0", "max_tokens", 20)]
    [InlineData("strict", ",\"max_tokens\":20.9", "max_tokens", 20)]
    [InlineData("strict", ",\"max_tokens\":100.0", "max_tokens", 80)]
    [InlineData("helper", ",\"max_tokens\":20", "max_tokens", 20)]
    [InlineData("sealed-length", ",\"max_tokens\":20", "max_tokens", 80)]
    [InlineData("sealed-length", ",\"max_completion_tokens\":20", "max_tokens", 80)]
    public async Task The_smaller_limit_of_tokens_holds(string bot, string asked, string name, int limit)
    {
        var (sent, _) = await AskAsync(bot, """{"role":"user","content":"hi"}""", asked);

        Assert.Equal(limit, (int)sent[name]!);
        Assert.Single(sent.AsObject(), member => member.Key is "max_tokens" or "max_completion_tokens");
    }

    [Fact]
    public async Task What_governs_the_answer_is_honoured_as_on_a_model()
    {
        const string More = ""","tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}],"tool_choice":"required","parallel_tool_calls":false,"response_format":{"type":"json_schema","json_schema":{"name":"s","schema":{"type":"object"}}},"stop":["a"],"logprobs":true,"top_logprobs":2,"logit_bias":{"1":-5},"n":1""";
        var (sent, _) = await AskAsync("helper", """{"role":"user","content":"hi"}""", More);

        foreach (var (name, value) in JsonNode.Parse("{" + More[1..] + "}")!.AsObject())
        {
            Assert.Equal(value!.ToJsonString(), sent[name]!.ToJsonString());
        }
    }

    [Fact]
    public async Task A_change_of_a_bot_is_seen_by_the_next_turn()
    {
        await using (var seed = await Seed.OpenAsync(Setup.ConnectionString, Cancel))
        {
            seed.AddBot(seed.AddWorkspace("moving"), "mover", "plain", "First.");
            await seed.SaveAsync(Cancel);
        }

        var key = await Setup.Gateway.CreateKeyAsync("moving", cancel: Cancel);
        using var client = Setup.Gateway.Client(key.Text);
        Upstream.Answers(Replies.Stream(Replies.WordEvents("plain", ["Yes."])));
        RawReply reply;
        do
        {
            // Not until the notification has come; a first use may also have to wait for the database.
            reply = await RawReply.PostAsync(client, "/v1/chat/completions", Wire.Ask("bot/id=mover"), Cancel);
        }
        while (reply.Status is 404 or 503);

        Assert.Equal("First.", (string?)Upstream.Requests[^1].Json["messages"]![0]!["content"]);
    }

    private async Task<(JsonNode Sent, RawReply Reply)> AskAsync(string bot, string messages, string more = "")
    {
        Upstream.Reset();
        Upstream.Answers(Replies.Stream(Replies.WordEvents("plain", ["Yes."])));

        var reply = await Setup.ChatAsync($$"""{"model":"bot/id={{bot}}","messages":[{{messages}}]{{more}}}""", Cancel);

        Assert.True(reply.Status == 200, reply.Text);
        return (Upstream.Requests[0].Json, reply);
    }
}
