using System.Text.Json.Nodes;
using Gateway.Tests.Support;

namespace Gateway.Tests.Bots;

/// <summary>The steps of a turn: what the model is asked in each, and what of it the caller gets.</summary>
public sealed class TurnTests(TurnSetup setup) : TurnTest(setup)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_tool_of_the_bots_runs_and_the_caller_sees_the_answer_alone(bool stream)
    {
        Setup.Script("lead", Says.Asks("member", "Is it paid?"), Says.Text("Yes, on Monday."));
        Setup.Script("member", Says.Text("Paid on Monday."));

        var reply = await Setup.AskAsync("lead", "Did they pay?", stream, Cancel);

        Assert.Equal(200, reply.Status);
        Assert.DoesNotContain("ask_member", reply.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("tool_calls", reply.Text, StringComparison.Ordinal);
        if (stream)
        {
            await Transcript.AssertValidStreamAsync(Setup.Schemas, reply.Body, includeUsage: true, n: 1, Cancel);
            Assert.Equal("Yes, on Monday.", Transcript.ContentOf(reply.Body));
            Assert.Equal(15, (int)JsonNode.Parse(Transcript.Events(reply.Body)[^2])!["usage"]!["total_tokens"]!);
        }
        else
        {
            await Setup.Schemas.AssertValidAsync("CreateChatCompletionResponse", reply.Body, Cancel);
            Assert.Equal("Yes, on Monday.", (string?)MessageOf(reply)["content"]);
            Assert.Equal("3; fake/lead=ok, fake/member=ok, fake/lead=ok", reply.Headers["x-gateway-attempts"]);
        }

        var (first, second) = (Setup.Asked("lead")[0], Setup.Asked("lead")[1]);
        Assert.Equal(["ask_member", "ask_other"], ToolsIn(first));
        Assert.Equal(["system", "user", "assistant", "tool"], RolesIn(second));
        Assert.Equal("up_0", (string?)second["messages"]![3]!["tool_call_id"]);
        Assert.Equal(Framed("member", "Paid on Monday."), (string?)second["messages"]![3]!["content"]);
        Assert.Equal("Is it paid?", (string?)Setup.Asked("member")[0]["messages"]![1]!["content"]);
    }

    [Fact]
    public async Task A_tool_of_the_callers_with_the_name_of_one_of_the_bots_is_refused()
    {
        var reply = await Setup.AskAsync(
            "lead", "Hi", false, Cancel, ""","tools":[{"type":"function","function":{"name":"a"}},{"type":"function","function":{"name":"ask_other"}}]""");

        Assert.Equal(400, reply.Status);
        Assert.Equal("tools[1].function.name", (string?)JsonNode.Parse(reply.Body)!["error"]!["param"]);
        Assert.Contains("ask_other", reply.Text, StringComparison.Ordinal);
        Assert.Empty(Setup.Upstream.Requests);
    }

    [Fact]
    public async Task What_goes_wrong_with_a_tool_is_told_to_the_model()
    {
        Setup.Script(
            "lead",
            Says.Calls("", ("ask_member", "{\"message\":"), ("ask_member", "[1]"), ("ask_nobody", "{}"), ("ask_member", "{}"), ("ask_other", Says.Message("Hi"))),
            Says.Text("So be it."));
        Setup.Script("other", Answer.Refusal(500));

        var reply = await Setup.AskAsync("lead", "Go", false, Cancel);

        Assert.Equal((200, "So be it."), (reply.Status, (string?)MessageOf(reply)["content"]));
        var told = Setup.Asked("lead")[1]["messages"]!.AsArray().Skip(3).Select(m => (string)m!["content"]!).ToList();
        Assert.Equal(5, told.Count);
        Assert.Contains("not valid JSON", told[0], StringComparison.Ordinal);
        Assert.Contains("must be a JSON object", told[1], StringComparison.Ordinal);
        Assert.Contains("no tool 'ask_nobody'", told[2], StringComparison.Ordinal);
        Assert.Contains("'message'", told[3], StringComparison.Ordinal);
        Assert.Contains("could not answer", told[4], StringComparison.Ordinal);
        Assert.Equal("{}", (string?)Setup.Asked("lead")[1]["messages"]![2]!["tool_calls"]![0]!["function"]!["arguments"]);
    }

    [Fact]
    public async Task Texts_of_several_steps_are_joined_by_a_blank_line()
    {
        Setup.Script("lead", Says.Asks("member", "Hi", "Let me see."), Says.Asks("member", "Hi"), Says.Text("It is so."));
        Setup.Script("member", Says.Text("So."));

        var streamed = await Setup.AskAsync("lead", "Is it?", true, Cancel);

        Assert.Equal("Let me see.\n\nIt is so.", Transcript.ContentOf(streamed.Body));
    }

    [Fact]
    public async Task An_answer_that_must_have_a_form_is_that_of_the_last_step_alone()
    {
        Setup.Script("lead", Says.Asks("member", "Hi", "Let me see."), Says.Text("{}"));
        Setup.Script("member", Says.Text("So."));

        var streamed = await Setup.AskAsync("lead", "Is it?", true, Cancel, ""","response_format":{"type":"json_object"}""");

        Assert.Equal("{}", Transcript.ContentOf(streamed.Body));
    }

    [Theory]
    [InlineData("brief", 3)]
    [InlineData("sparing", 3)]
    public async Task At_a_limit_the_model_is_asked_for_an_answer_without_tools(string bot, int steps)
    {
        Setup.Script(bot, Answer.ByRequest(r => (string?)r.Json["tool_choice"] == "none" ? Says.Text("What I know.") : Says.Asks("member", "More?")));
        Setup.Script("member", Says.Text("More."));

        var reply = await Setup.AskAsync(bot, "Go", false, Cancel);

        Assert.Equal(("What I know.", "stop"), ((string?)MessageOf(reply)["content"], FinishOf(reply)));
        Assert.Equal(steps, Setup.Asked(bot).Count);
        Assert.Equal(["ask_member"], ToolsIn(Setup.Asked(bot)[^1]));
    }

    [Fact]
    public async Task When_the_turns_money_is_nearly_spent_no_tool_runs_and_an_answer_is_asked_for()
    {
        // 500 of 600 USD, at 0.1 a token.
        Setup.Script("poor", Says.Asks("member", "More?", usage: (4_990, 10)), Says.Text("What I know."));

        var reply = await Setup.AskAsync("poor", "Go", false, Cancel, ",\"max_tokens\":200");

        Assert.Equal(("What I know.", "stop"), ((string?)MessageOf(reply)["content"], FinishOf(reply)));
        Assert.Equal("none", (string?)Setup.Asked("poor")[1]["tool_choice"]);
        Assert.Empty(Setup.Asked("member"));
    }

    [Theory]
    [InlineData("thrifty", "Let me see.\n\nWhat I know.", "stop", 2)]
    [InlineData("broke", "Let me see.", "length", 1)]
    public async Task A_step_that_the_limits_refuse_becomes_a_short_answer_or_an_end_and_no_error(
        string bot, string text, string finish, int steps)
    {
        Setup.Script(bot, Says.Asks("member", "More?", "Let me see."), Says.Text("What I know."));
        Setup.Script("member", Says.Text("More."));

        var reply = await Setup.AskAsync(bot, "Go", false, Cancel, ",\"max_tokens\":2000");

        Assert.Equal((text, finish), ((string?)MessageOf(reply)["content"], FinishOf(reply)));
        Assert.Equal(steps, Setup.Asked(bot).Count);
        if (steps > 1)
        {
            var last = Setup.Asked(bot)[^1];
            Assert.Equal(("none", 256), ((string?)last["tool_choice"], (int)last["max_tokens"]!));
        }

        var (listed, _, count) = await Setup.UsageAsync(reply.Headers["x-request-id"], Cancel);
        Assert.Equal((steps + 1, steps + 1), (listed.Count, count));
    }

    [Fact]
    public async Task Calls_beyond_the_limit_are_not_made_and_the_model_is_told()
    {
        Setup.Script("sparing", Says.Calls("", [.. Enumerable.Repeat(("ask_member", Says.Message("Hi")), 4)]), Says.Text("Enough."));
        Setup.Script("member", Says.Text("More."));

        await Setup.AskAsync("sparing", "Go", false, Cancel);

        Assert.Equal(2, Setup.Asked("member").Count);
        Assert.Equal(2, Setup.Asked("sparing")[1]["messages"]!.AsArray().Count(m => ((string?)m!["content"])?.StartsWith("Not run", StringComparison.Ordinal) == true));
    }

    [Fact]
    public async Task A_bot_of_one_step_leaves_the_caller_its_tools()
    {
        Setup.Script("once", Says.Calls("", ("look_up", "{}")));

        var reply = await Setup.AskAsync("once", "Go", false, Cancel, Tools);

        Assert.Equal("look_up", (string?)Assert.Single(MessageOf(reply)["tool_calls"]!.AsArray())!["function"]!["name"]);
        Assert.Equal(["look_up"], ToolsIn(Setup.Asked("once")[0]));
    }

    [Fact]
    public async Task When_the_time_is_nearly_over_tools_are_stopped_and_an_answer_asked_for()
    {
        Setup.Script("hasty", Says.Asks("member", "Hi"), Says.Text("I could not learn more."));
        Setup.Script("member", Answer.Stream(Piece.Stall));

        var reply = await Setup.AskAsync("hasty", "Go", false, Cancel);

        Assert.Equal(("I could not learn more.", "stop"), ((string?)MessageOf(reply)["content"], FinishOf(reply)));
        Assert.Equal("none", (string?)Setup.Asked("hasty")[1]["tool_choice"]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Without_time_for_an_answer_the_turn_ends_as_one_cut_short(bool stream)
    {
        Setup.Script("hasty", Answer.Stream(Piece.Of(Chat.Wire.Role() + Chat.Wire.Text("Half")), Piece.Stall));

        var reply = await Setup.AskAsync("hasty", "Go", stream, Cancel);

        if (stream)
        {
            await Transcript.AssertValidStreamAsync(Setup.Schemas, reply.Body, includeUsage: true, n: 1, Cancel);
            Assert.Contains("\"finish_reason\":\"length\"", reply.Text, StringComparison.Ordinal);
        }
        else
        {
            Assert.Equal(("Half", "length"), ((string?)MessageOf(reply)["content"], FinishOf(reply)));
        }

        await Setup.Upstream.Requests[0].Disconnected.WaitAsync(TimeSpan.FromSeconds(5), Cancel);
    }

    [Fact]
    public async Task The_callers_limit_of_tokens_is_for_the_whole_turn()
    {
        // Each step uses two.
        Setup.Script("lead", Says.Asks("member", "Hi"), Says.Asks("member", "Hi"), Says.Text("Never asked."));
        Setup.Script("member", Says.Text("So."));

        var reply = await Setup.AskAsync("lead", "Go", false, Cancel, ",\"max_tokens\":4");

        Assert.Equal([4, 2], Setup.Asked("lead").Select(r => (int)r["max_tokens"]!));
        Assert.Null(Setup.Asked("member")[0]["max_tokens"]);
        Assert.Equal("length", FinishOf(reply));
    }

    [Theory]
    [InlineData("\"auto\"", "ask_member ask_other look_up", null)]
    [InlineData("\"none\"", "ask_member ask_other", null)]
    [InlineData("\"required\"", "look_up", "required")]
    [InlineData("""{"type":"function","function":{"name":"look_up"}}""", "look_up", """{"type":"function","function":{"name":"look_up"}}""")]
    [InlineData("""{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[]}}""", "ask_member ask_other", null)]
    public async Task The_callers_choice_is_about_the_callers_tools(string choice, string offered, string? sent)
    {
        Setup.Script("lead", Says.Text("Yes."));

        await Setup.AskAsync("lead", "Go", false, Cancel, $"{Tools},\"tool_choice\":{choice},\"parallel_tool_calls\":false");

        var asked = Setup.Asked("lead")[0];
        Assert.Equal(offered.Split(' '), ToolsIn(asked));
        Assert.Equal(sent, asked["tool_choice"] is JsonObject named ? named.ToJsonString() : (string?)asked["tool_choice"]);
        Assert.False((bool)asked["parallel_tool_calls"]!);
    }

    [Fact]
    public async Task A_wish_to_search_the_web_is_not_the_models_to_fulfil()
    {
        Setup.Script("member", Says.Text("Yes."));

        await Setup.AskAsync("member", "Go", false, Cancel, ",\"web_search_options\":{}");

        Assert.Null(Setup.Asked("member")[0]["web_search_options"]);
    }

    [Fact]
    public async Task A_refusal_of_the_model_tells_nothing_of_what_the_bot_added()
    {
        Setup.Script("lead", Answer.Refusal(400, "Bad tool: Asks The other, another assistant. Knows what other knows.", "invalid_request_error"));
        var quoting = await Setup.AskAsync("lead", "Go", false, Cancel);
        Setup.Script("lead", Answer.Json("""{"error":{"message":"Bad tools[2].function.name","type":"invalid_request_error","param":"tools[2].function.name","code":null}}""", System.Net.HttpStatusCode.BadRequest));
        var named = await Setup.AskAsync("lead", "Go", false, Cancel, Tools);

        Assert.Equal((400, false), (quoting.Status, quoting.Text.Contains("another assistant", StringComparison.Ordinal)));
        Assert.Equal("tools[0].function.name", (string?)JsonNode.Parse(named.Body)!["error"]!["param"]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Steps_are_shown_to_who_asks_where_the_owner_allows_it(bool stream)
    {
        Setup.Script("lead", Says.Asks("member", "Hi"), Says.Text("Yes."));
        Setup.Script("brief", Says.Asks("member", "Hi"), Says.Text("Yes."));
        Setup.Script("member", Says.Text("So."));
        using var client = Setup.Gateway.Client(Setup.Key);
        client.DefaultRequestHeaders.Add("X-Gateway-Steps", "on");

        var shown = await RawReply.PostAsync(client, "/v1/chat/completions", Chat.Wire.Ask("bot/id=lead", stream), Cancel);
        var hidden = await RawReply.PostAsync(client, "/v1/chat/completions", Chat.Wire.Ask("bot/id=brief", stream), Cancel);

        Assert.DoesNotContain("gateway", hidden.Text, StringComparison.Ordinal);
        if (!stream)
        {
            var step = Assert.Single(JsonNode.Parse(shown.Body)!["gateway"]!["steps"]!.AsArray())!;
            Assert.Equal((1, "ask_member", "done"), ((int)step["step"]!, (string?)step["tool"], (string?)step["status"]));
            await Setup.Schemas.AssertValidAsync("CreateChatCompletionResponse", shown.Body, Cancel);
            return;
        }

        await Transcript.AssertValidStreamAsync(Setup.Schemas, shown.Body, includeUsage: false, n: 1, Cancel);
        var steps = Transcript.Events(shown.Body).SkipLast(1).Select(e => JsonNode.Parse(e)!["gateway"]?["step"]).OfType<JsonNode>().ToList();
        Assert.Equal(["started", "done"], steps.Select(s => (string?)s["status"]));
        Assert.All(steps, s => Assert.Equal("ask_member", (string?)s["tool"]));
    }

    [Fact]
    public async Task Steps_of_who_takes_over_are_numbered_behind_and_shown_where_their_owner_allows_it()
    {
        // The first who is to take over asks somebody and fails; the second keeps its steps to itself.
        Setup.Script("usher", Says.Asks("lead", "Yours."), Says.Asks("brief", "Yours."));
        Setup.Script("lead", Says.Asks("member", "Hi"), Answer.Refusal(500));
        Setup.Script("brief", Says.Asks("member", "Hi"), Says.Text("Mine."));
        Setup.Script("member", Says.Text("So."));
        using var client = Setup.Gateway.Client(Setup.Key);
        client.DefaultRequestHeaders.Add("X-Gateway-Steps", "on");

        var reply = await RawReply.PostAsync(client, "/v1/chat/completions", Chat.Wire.Ask("bot/id=usher"), Cancel);

        Assert.Equal("Mine.", Transcript.ContentOf(reply.Body));
        Assert.Equal(
            [
                "1 1 ask_lead started", "2 2 ask_member started", "2 2 ask_member done", "1 1 ask_lead failed",
                "3 3 ask_brief started", "3 3 ask_brief done",
            ],
            Transcript.Events(reply.Body).SkipLast(1).Select(e => JsonNode.Parse(e)!["gateway"]?["step"]).OfType<JsonNode>()
                .Select(s => $"{s["step"]} {s["call"]} {s["tool"]} {s["status"]}"));
    }

    [Fact]
    public async Task The_caller_hears_something_while_a_tool_runs()
    {
        Setup.Script("lead", Says.Asks("member", "Hi"), Says.Text("Yes."));
        Setup.Script("member", Answer.After(TimeSpan.FromSeconds(6), Says.Text("So.")));

        var reply = await Setup.AskAsync("lead", "Go", true, Cancel);

        Assert.StartsWith(": keep-alive\n\n", reply.Text, StringComparison.Ordinal);
        Assert.Equal("Yes.", Transcript.ContentOf(reply.Body));
    }

    [Fact]
    public async Task A_conversation_too_long_for_the_model_loses_its_oldest_parts_and_says_so()
    {
        Setup.Script("forgetful", Says.Asks("member", "Tell all."), Says.Text("Yes."));
        Setup.Script("member", Says.Text(new string('x', 3_000)));
        var old = string.Concat(Enumerable.Repeat(
            $$"""{"role":"user","content":"old"},{"role":"assistant","content":"{{new string('y', 900)}}"},""", 2));

        var reply = await RawReply.PostAsync(
            Setup.Client, "/v1/chat/completions",
            $$"""{"model":"bot/id=forgetful","max_tokens":100,"messages":[{{old}}{"role":"user","content":"now"}]}""", Cancel);

        Assert.Equal("results=1, turns=1", reply.Headers["x-gateway-context-trimmed"]);
        var last = Setup.Asked("forgetful")[1];
        Assert.Equal(["system", "user", "assistant", "user", "assistant", "tool"], RolesIn(last));
        Assert.Contains("Shortened", (string?)last["messages"]![5]!["content"], StringComparison.Ordinal);
    }
}
