using System.Text;
using System.Text.Json.Nodes;
using Gateway.Tests.Support;

namespace Gateway.Tests.Chat;

/// <summary>Callers from before tools: they speak of functions, and are answered so, by models and bots alike.</summary>
[Collection(ChatTestsShareOneGateway.Name)]
public sealed class LegacyFunctionsTests(ScriptedGateway setup) : ScriptedTest(setup)
{
    [Theory]
    [InlineData(
        """{"model":"model/name=plain","messages":[{"role":"user","content":"h\u0069 \ud800"}],"functions":[{"name":"f","parameters":{"a":1.50}}],"seed":1e3}""",
        """{"model":"plain","messages":[{"role":"user","content":"h\u0069 \ud800"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"a":1.50}}}],"seed":1e3,"parallel_tool_calls":false}""")]
    [InlineData(
        """{"model":"model/name=plain","messages":[{"role":"user","content":"hi"}],"functions":[{"name":"f"},{"name":"g"}],"function_call":{"name":"g"},"parallel_tool_calls":true}""",
        """{"model":"plain","messages":[{"role":"user","content":"hi"}],"tools":[{"type":"function","function":{"name":"f"}},{"type":"function","function":{"name":"g"}}],"tool_choice":{"type":"function","function":{"name":"g"}},"parallel_tool_calls":true}""")]
    [InlineData(
        """{"model":"model/name=plain","messages":[{"role":"user","content":"hi"}],"functions":[{"name":"f"}],"function_call":"none"}""",
        """{"model":"plain","messages":[{"role":"user","content":"hi"}],"tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"none","parallel_tool_calls":false}""")]
    [InlineData(
        """{"model":"model/name=plain","messages":[{"role":"user","content":"hi"},{"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{\"a\":1}"}},{"role":"function","name":"f","content":"7"}]}""",
        """{"model":"plain","messages":[{"role":"user","content":"hi"},{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]},{"role":"tool","tool_call_id":"call_1","content":"7"}]}""")]
    [InlineData(
        """{"model":"model/name=plain","messages":[{"role":"assistant","function_call":{"name":"f","arguments":"1"},"content":"x"},{"role":"function","name":"f","content":null},{"role":"assistant","content":null,"function_call":{"name":"g","arguments":"2"}},{"role":"function","name":"g","content":"9"},{"role":"function","name":"h","content":"8"}]}""",
        """{"model":"plain","messages":[{"role":"assistant","content":"x","tool_calls":[{"id":"call_1","type":"function","function":{"name":"f","arguments":"1"}}]},{"role":"tool","tool_call_id":"call_1","content":""},{"role":"assistant","content":null,"tool_calls":[{"id":"call_2","type":"function","function":{"name":"g","arguments":"2"}}]},{"role":"tool","tool_call_id":"call_2","content":"9"},{"role":"assistant","content":null,"tool_calls":[{"id":"call_3","type":"function","function":{"name":"h","arguments":"{}"}}]},{"role":"tool","tool_call_id":"call_3","content":"8"}]}""")]
    public async Task Functions_become_tools_on_the_way_in(string sent, string arrives)
    {
        Upstream.Answers(Answer.Json(Replies.Completion("plain", "Yes.")));

        Assert.Equal(200, (await Setup.ChatAsync(sent, Cancel)).Status);
        Assert.Equal(arrives, Encoding.UTF8.GetString(Upstream.LastBody));
    }

    [Theory]
    [InlineData(""" "functions":[7]""")]
    [InlineData(""" "functions":[],"function_call":{}""")]
    [InlineData(""" "functions":[{"name":"f"}],"\ud800":1""")]
    [InlineData(""" "functions":[{"name":"f"}],"tool_choice":"auto","function_call":"auto" """)]
    public async Task Odd_functions_are_refused_or_the_upstreams_to_refuse(string odd)
    {
        Upstream.Answers(Answer.Refusal(400, "Upstream says no.", "invalid_request_error"));

        var reply = await Setup.ChatAsync($$"""{"model":"model/name=plain","messages":[{"role":"function","name":7,"content":"x"}],{{odd}}}""", Cancel);

        Assert.Equal(400, reply.Status);
        await Setup.Schemas.AssertValidAsync("ErrorResponse", reply.Body, Cancel);
    }

    [Fact]
    public async Task Tools_beside_functions_win_and_travel_as_they_are()
    {
        Upstream.Answers(Answer.Json(Replies.ToolCall("plain", "f", "{}")));
        const string Both = """{"model":"plain","messages":[{"role":"user","content":"hi"}],"tools":[{"type":"function","function":{"name":"f"}}],"functions":[{"name":"f"}]}""";

        var reply = await Setup.ChatAsync(Both.Replace("plain", "model/name=plain", StringComparison.Ordinal), Cancel);

        Assert.Equal(Both, Encoding.UTF8.GetString(Upstream.LastBody));
        Assert.Equal(Replies.ToolCall("plain", "f", "{}"), reply.Text);
    }

    [Theory]
    [InlineData("", "")]
    [InlineData(""","functions":[{"name":"old"}]""", "")]
    [InlineData(""","functions":[{"name":"old"}],"function_call":"none","tool_choice":"auto" """, ""","tool_choice":"auto" """)]
    [InlineData(""","function_call":{"name":"f"},"tool_choice":null""", ""","tool_choice":{"type":"function","function":{"name":"f"}}""")]
    public async Task Tools_with_an_old_history_are_answered_as_tools(string more, string arrives)
    {
        const string Tools = """
            "tools":[{"type":"function","function":{"name":"f"}}]
            """;
        Upstream.Answers(
            Answer.Json(Replies.ToolCall("plain", "f", "{}")),
            Replies.Stream(Replies.ToolCallEvents("plain", "f", "{}")),
            Replies.Stream(Replies.ToolCallEvents("plain", "f", "{}")),
            Replies.Stream(Replies.ToolCallEvents("plain", "f", "{}")));
        string Old(string selector, bool stream) =>
            $$$"""{"model":"{{{selector}}}","messages":[{"role":"user","content":"hi"},{"role":"assistant","content":null,"function_call":{"name":"f","arguments":"1"}},{"role":"function","name":"f","content":"7"}],{{{Tools}}}{{{more}}},"stream":{{{(stream ? "true" : "false")}}} }""";

        foreach (var (selector, stream) in new[] { ("model/name=plain", false), ("model/name=plain", true), ("bot/id=helper", true), ("bot/id=helper", false) })
        {
            var reply = await Setup.ChatAsync(Old(selector, stream), Cancel);

            Assert.Equal(200, reply.Status);
            Assert.Contains("\"finish_reason\":\"tool_calls\"", reply.Text, StringComparison.Ordinal);
            Assert.DoesNotContain("function_call", reply.Text, StringComparison.Ordinal);
            var sent = Encoding.UTF8.GetString(Upstream.LastBody);
            Assert.DoesNotContain("function_call", sent, StringComparison.Ordinal);
            Assert.DoesNotContain("functions", sent, StringComparison.Ordinal);
            Assert.DoesNotContain("parallel_tool_calls", sent, StringComparison.Ordinal);
            Assert.Equal(1, sent.Split("\"tools\"").Length - 1);
            Assert.Contains(Tools, sent, StringComparison.Ordinal);
            Assert.Equal(arrives == "" ? 0 : 1, sent.Split("\"tool_choice\"").Length - 1);
            Assert.Contains(arrives.Trim(), sent, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_refused_request_says_so_in_its_log_line()
    {
        var reply = await Setup.ChatAsync(
            """{"model":"model/name=plain","messages":[{"role":"user","content":"hi"}],"functions":[{"name":"f"}],"\ud800":1}""", Cancel);

        var id = reply.Headers["x-request-id"];
        string? line;
        do
        {
            // It is written when the reply has gone out.
            await Task.Delay(10, Cancel);
            line = Setup.Gateway.Output.Split('\n').FirstOrDefault(text => text.Contains(id, StringComparison.Ordinal));
        }
        while (line is null);

        Assert.Equal(400, reply.Status);
        Assert.Contains("; invalid_request_error", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Functions_beside_tools_that_are_null_become_tools()
    {
        Upstream.Answers(Answer.Json(Replies.ToolCall("plain", "f", "{}")));

        var reply = await Setup.ChatAsync(
            """{"model":"model/name=plain","tools":null,"tool_choice":null,"messages":[{"role":"user","content":"hi"}],"functions":[{"name":"f"}],"function_call":"auto"}""", Cancel);

        Assert.Equal(
            """{"model":"plain","messages":[{"role":"user","content":"hi"}],"tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"auto","parallel_tool_calls":false}""",
            Encoding.UTF8.GetString(Upstream.LastBody));
        Assert.Contains("\"finish_reason\":\"function_call\"", reply.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("model/name=plain")]
    [InlineData("bot/id=helper")]
    public async Task A_tool_call_comes_back_as_a_function_call(string selector)
    {
        var isBot = selector.StartsWith("bot", StringComparison.Ordinal);
        Upstream.Answers(isBot
            ? Replies.Stream(Replies.ToolCallEvents("plain", "f", """{"a":"ä"}"""))
            : Answer.Json(Replies.ToolCall("plain", "f", """{"a":"ä"}""")));

        var reply = await Setup.ChatAsync(Ask(selector, stream: false), Cancel);

        await Setup.Schemas.AssertValidAsync("CreateChatCompletionResponse", reply.Body, Cancel);
        var choice = JsonNode.Parse(reply.Body)!["choices"]![0]!;
        var message = choice["message"]!.AsObject();
        Assert.Equal("function_call", (string?)choice["finish_reason"]);
        Assert.Equal(("f", """{"a":"ä"}"""), ((string?)message["function_call"]!["name"], (string?)message["function_call"]!["arguments"]));
        Assert.False(message.ContainsKey("tool_calls"));
        Assert.True(message.ContainsKey("content"));
        Assert.Null(message["content"]);
    }

    [Theory]
    [InlineData("model/name=plain")]
    [InlineData("bot/id=helper")]
    public async Task A_streamed_tool_call_comes_back_as_a_function_call(string selector)
    {
        Upstream.Answers(Replies.Stream(Replies.ToolCallEvents("plain", "f", """{"a":"ä"}""")));

        var reply = await Setup.ChatAsync(Ask(selector, stream: true), Cancel);

        await Transcript.AssertValidStreamAsync(Setup.Schemas, reply.Body, includeUsage: false, n: 1, Cancel);
        Assert.DoesNotContain("tool_calls", reply.Text, StringComparison.Ordinal);
        var calls = Deltas(reply).Select(delta => delta["function_call"]).OfType<JsonNode>().ToList();
        Assert.Equal("f", string.Concat(calls.Select(call => (string?)call["name"])));
        Assert.Equal("""{"a":"ä"}""", string.Concat(calls.Select(call => (string?)call["arguments"])));
        Assert.Contains("\"finish_reason\":\"function_call\"", reply.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_the_first_of_several_calls_has_a_place_in_the_old_form()
    {
        var second = Wire.Chunk(""" "delta":{"tool_calls":[{"index":1,"id":"call_2","type":"function","function":{"name":"g","arguments":"{}"}}],"x":1},"finish_reason":null """);
        Upstream.Answers(Wire.Stream(
            Wire.Role()
            + Wire.Chunk(""" "delta":{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"f","arguments":"{}"}}]},"finish_reason":null """)
            + second + second.Replace("\"x\":1", "\"y\":[{}] ", StringComparison.Ordinal) + second.Replace(",\"x\":1", " ", StringComparison.Ordinal)
            + Wire.Finish("tool_calls") + Wire.Done));

        var reply = await Setup.ChatAsync(Ask("model/name=plain", stream: true), Cancel);

        await Transcript.AssertValidStreamAsync(Setup.Schemas, reply.Body, includeUsage: false, n: 1, Cancel);
        Assert.Equal("f", string.Concat(Deltas(reply).Select(delta => (string?)delta["function_call"]?["name"])));
        Assert.Equal(["x", "y"], Deltas(reply).SelectMany(delta => delta).Select(member => member.Key).Where(name => name is "x" or "y"));
    }

    [Fact]
    public async Task What_is_not_translated_keeps_its_bytes()
    {
        const string Odd = """{ "x" : 1.50,"choices":[null, {"index":0,"message":{"role":"assistant","content":"h\u0069 \ud800","tool_calls":[{"id":"c","type":"function","function": {"name":"f","arguments":"\/"} },{"id":"d","type":"function","function":{"name":"g","arguments":""}}] , "odd":1e400},"finish_reason":"tool_calls","x":"tool_calls"}] , "choices2":[] }""";
        Upstream.Answers(Answer.Json(Odd));

        var reply = await Setup.ChatAsync(Ask("model/name=plain", stream: false), Cancel);

        Assert.Equal(
            """{ "x" : 1.50,"choices":[null, {"index":0,"message":{"role":"assistant","content":"h\u0069 \ud800","function_call":{"name":"f","arguments":"\/"} , "odd":1e400},"finish_reason":"function_call","x":"tool_calls"}] , "choices2":[] }""",
            reply.Text);
    }

    [Fact]
    public async Task A_streamed_answer_without_a_call_keeps_its_bytes()
    {
        Upstream.Answers(Wire.Stream(": hi\n\n" + Wire.Whole));

        Assert.Equal(": hi\n\n" + Wire.Whole, (await Setup.ChatAsync(Ask("model/name=plain", stream: true), Cancel)).Text);
    }

    [Fact]
    public async Task A_cut_call_is_an_error_and_not_a_call()
    {
        var events = Replies.ToolCallEvents("plain", "f", """{"a":1}""");
        Upstream.Answers(Answer.Stream([.. events.Take(3).Select(Piece.Of), Piece.Abort]));

        Assert.Equal(StreamEnding.ErrorThenAbort, (await Setup.ChatAsync(Ask("model/name=plain", stream: true), Cancel)).Ending);
    }

    [Fact]
    public async Task A_history_of_function_calls_makes_a_legacy_caller_of_a_bot_too()
    {
        Upstream.Answers(Replies.Stream(Replies.WordEvents("plain", ["It is 7."])));

        var reply = await Setup.ChatAsync(
            """{"model":"bot/id=helper","messages":[{"role":"user","content":"hi"},{"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{}"}},{"role":"function","name":"f","content":"7"}]}""", Cancel);

        Assert.Equal(200, reply.Status);
        var sent = Upstream.Requests[0].Json["messages"]!.AsArray();
        Assert.Equal(["system", "user", "assistant", "tool"], sent.Select(message => (string?)message!["role"]));
        Assert.Equal((string?)sent[2]!["tool_calls"]![0]!["id"], (string?)sent[3]!["tool_call_id"]);
    }

    private static string Ask(string selector, bool stream) =>
        $$"""{"model":"{{selector}}","stream":{{(stream ? "true" : "false")}},"messages":[{"role":"user","content":"hi"}],"functions":[{"name":"f","parameters":{"type":"object"} }] }""";

    private static IEnumerable<JsonObject> Deltas(RawReply reply) => Transcript.Events(reply.Body)
        .Where(payload => payload != "[DONE]")
        .SelectMany(payload => JsonNode.Parse(payload)!["choices"]!.AsArray())
        .Select(choice => choice!["delta"]!.AsObject());
}
