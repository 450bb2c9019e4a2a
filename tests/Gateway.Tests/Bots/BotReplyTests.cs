using System.Text.Json.Nodes;
using Gateway.Bots;
using Gateway.Chat;
using Gateway.Tests.Chat;
using Gateway.Tests.Http;
using Gateway.Tests.Support;

namespace Gateway.Tests.Bots;

/// <summary>What a caller gets of a bot: always OpenAI's form, whatever the model behind it sends.</summary>
[Collection(BotTestsShareOneGateway.Name)]
public sealed class BotReplyTests(ScriptedGateway setup) : ScriptedTest(setup)
{
    private const string Usage = ",\"stream_options\":{\"include_usage\":true}";

    [Theory]
    [InlineData("")]
    [InlineData(Usage)]
    public async Task A_streamed_answer_is_a_valid_one(string more)
    {
        Upstream.Answers(Replies.Stream(Replies.WordEvents("plain", ["Hello, ", "wörld 😀", " \"\\\n"])));

        var reply = await Setup.ChatAsync(Wire.Ask("bot/id=helper", more: more), Cancel);

        await Transcript.AssertValidStreamAsync(Setup.Schemas, reply.Body, includeUsage: more.Length > 0, n: 1, Cancel);
        Assert.Equal("Hello, wörld 😀 \"\\\n", Transcript.ContentOf(reply.Body));
        AssertModel(reply, "bot/id=helper");
        if (more.Length > 0)
        {
            Assert.Equal(12, (int)JsonNode.Parse(Transcript.Events(reply.Body)[^2])!["usage"]!["total_tokens"]!);
        }
    }

    [Fact]
    public async Task A_plain_answer_is_a_valid_one()
    {
        Upstream.Answers(Replies.Stream(Replies.WordEvents("plain", ["Hello, ", "wörld 😀"])));

        var reply = await Setup.ChatAsync(Wire.Ask("bot/id=helper", stream: false), Cancel);

        await Setup.Schemas.AssertValidAsync("CreateChatCompletionResponse", reply.Body, Cancel);
        var json = JsonNode.Parse(reply.Body)!;
        Assert.Equal(("bot/id=helper", "chat.completion"), ((string?)json["model"], (string?)json["object"]));
        Assert.Equal(
            ("Hello, wörld 😀", "stop"), ((string?)json["choices"]![0]!["message"]!["content"], (string?)json["choices"]![0]!["finish_reason"]));
        Assert.Equal((7, 5, 12), ((int)json["usage"]!["prompt_tokens"]!, (int)json["usage"]!["completion_tokens"]!, (int)json["usage"]!["total_tokens"]!));
    }

    [Fact]
    public async Task Usage_keeps_its_details()
    {
        Upstream.Answers(Wire.Stream(Wire.Role() + Wire.Text("Hi") + Wire.Finish()
            + Wire.Event("""{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":8,"total_tokens":17,"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":3}}}""") + Wire.Done));

        var usage = JsonNode.Parse((await Setup.ChatAsync(Wire.Ask("bot/id=helper", stream: false), Cancel)).Body)!["usage"]!;

        Assert.Equal((9, 8, 17), ((int)usage["prompt_tokens"]!, (int)usage["completion_tokens"]!, (int)usage["total_tokens"]!));
        Assert.Equal((4, 3), ((int)usage["prompt_tokens_details"]!["cached_tokens"]!, (int)usage["completion_tokens_details"]!["reasoning_tokens"]!));
    }

    [Fact]
    public async Task The_callers_tools_go_round()
    {
        const string Tools = ""","tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}]""";
        Upstream.Answers(
            Replies.Stream(Replies.ToolCallEvents("plain", "f", """{"a":1}""", "call_7")),
            Replies.Stream(Replies.ToolCallEvents("plain", "f", """{"a":1}""", "call_7")),
            Replies.Stream(Replies.WordEvents("plain", ["It is 7."])));

        var streamed = await Setup.ChatAsync(Wire.Ask("bot/id=helper", more: Tools), Cancel);
        var plain = await Setup.ChatAsync(Wire.Ask("bot/id=helper", stream: false, more: Tools), Cancel);

        await Transcript.AssertValidStreamAsync(Setup.Schemas, streamed.Body, includeUsage: false, n: 1, Cancel);
        await Setup.Schemas.AssertValidAsync("CreateChatCompletionResponse", plain.Body, Cancel);
        var choice = JsonNode.Parse(plain.Body)!["choices"]![0]!;
        var message = choice["message"]!;
        Assert.Equal("tool_calls", (string?)choice["finish_reason"]);
        Assert.Null(message["content"]);
        Assert.Equal("""{"id":"call_7","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}""", Assert.Single(message["tool_calls"]!.AsArray())!.ToJsonString(Relaxed));

        var back = await Setup.ChatAsync(
            $$"""{"model":"bot/id=helper","messages":[{"role":"user","content":"hi"},{{message.ToJsonString(Relaxed)}},{"role":"tool","tool_call_id":"call_7","content":"7"}]{{Tools}}}""", Cancel);
        Assert.Equal("It is 7.", (string?)JsonNode.Parse(back.Body)!["choices"]![0]!["message"]!["content"]);
        Assert.Equal(
            ["system", "user", "assistant", "tool"], Upstream.Requests[^1].Json["messages"]!.AsArray().Select(m => (string?)m!["role"]));
    }

    [Fact]
    public async Task Several_calls_at_once_stay_apart()
    {
        Upstream.Answers(Wire.Stream(Wire.Role()
            + Wire.Chunk(""" "delta":{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}},{"index":1,"id":"b","type":"function","function":{"name":"g","arguments":"{"}}]},"finish_reason":null """)
            + Wire.Chunk(""" "delta":{"tool_calls":[{"index":1,"function":{"arguments":"}"}},{"index":0,"function":{"arguments":"{}"}}]},"finish_reason":null """)
            + Wire.Finish("tool_calls") + Wire.Done));

        var streamed = await Setup.ChatAsync(Wire.Ask("bot/id=helper"), Cancel);
        var plain = await Setup.ChatAsync(Wire.Ask("bot/id=helper", stream: false), Cancel);

        await Transcript.AssertValidStreamAsync(Setup.Schemas, streamed.Body, includeUsage: false, n: 1, Cancel);
        await Setup.Schemas.AssertValidAsync("CreateChatCompletionResponse", plain.Body, Cancel);
        Assert.Equal(
            [("a", "f", "{}"), ("b", "g", "{}")],
            JsonNode.Parse(plain.Body)!["choices"]![0]!["message"]!["tool_calls"]!.AsArray()
                .Select(call => ((string?)call!["id"], (string?)call["function"]!["name"], (string?)call["function"]!["arguments"])));
    }

    [Fact]
    public async Task A_custom_tools_input_stays_one_in_every_piece()
    {
        Upstream.Answers(Wire.Stream(Wire.Role()
            + Wire.Chunk(""" "delta":{"tool_calls":[{"index":0,"id":"a","type":"custom","custom":{"name":"c","input":"on"}}]},"finish_reason":null """)
            + Wire.Chunk(""" "delta":{"tool_calls":[{"index":0,"custom":{"input":"e"}}]},"finish_reason":null """)
            + Wire.Finish("tool_calls") + Wire.Done));

        var streamed = await Setup.ChatAsync(Wire.Ask("bot/id=helper"), Cancel);
        var plain = await Setup.ChatAsync(Wire.Ask("bot/id=helper", stream: false), Cancel);

        Assert.DoesNotContain("\"function\"", streamed.Text, StringComparison.Ordinal);
        Assert.Equal("one", (string?)JsonNode.Parse(plain.Body)!["choices"]![0]!["message"]!["tool_calls"]![0]!["custom"]!["input"]);
        await Setup.Schemas.AssertValidAsync("CreateChatCompletionResponse", plain.Body, Cancel);
    }

    [Fact]
    public async Task Reasoning_refusals_and_logprobs_come_through()
    {
        const string Logprobs = """{"content":[{"token":"Hi","logprob":-0.5,"bytes":[72,105],"top_logprobs":[]}],"refusal":null}""";
        Upstream.Answers(Wire.Stream(Wire.Role()
            + Wire.Chunk(""" "delta":{"reasoning_content":"hm "},"finish_reason":null """)
            + Wire.Chunk(""" "delta":{"reasoning":"hm"},"finish_reason":null """)
            + Wire.Chunk($$""" "delta":{"content":"Hi"},"logprobs":{{Logprobs}},"finish_reason":null """)
            + Wire.Chunk(""" "delta":{"refusal":"No."},"finish_reason":null """)
            + Wire.Finish("content_filter") + Wire.Done));

        var streamed = await Setup.ChatAsync(Wire.Ask("bot/id=helper"), Cancel);
        var plain = await Setup.ChatAsync(Wire.Ask("bot/id=helper", stream: false), Cancel);

        await Transcript.AssertValidStreamAsync(Setup.Schemas, streamed.Body, includeUsage: false, n: 1, Cancel);
        Assert.Contains(Logprobs, streamed.Text, StringComparison.Ordinal);
        await Setup.Schemas.AssertValidAsync("CreateChatCompletionResponse", plain.Body, Cancel);
        var choice = JsonNode.Parse(plain.Body)!["choices"]![0]!;
        Assert.Equal(
            ("Hi", "No.", "hm hm", "content_filter"),
            ((string?)choice["message"]!["content"], (string?)choice["message"]!["refusal"], (string?)choice["message"]!["reasoning_content"], (string?)choice["finish_reason"]));
        Assert.Equal(Logprobs, choice["logprobs"]!.ToJsonString());
    }

    [Theory]
    [InlineData("end_turn", "stop")]
    [InlineData("eos", "stop")]
    [InlineData("stop_sequence", "stop")]
    [InlineData("complete", "stop")]
    [InlineData("length", "length")]
    [InlineData("model_length", "length")]
    [InlineData("max_tokens", "length")]
    [InlineData("function_call", "tool_calls")]
    public async Task A_finish_that_clients_do_not_know_becomes_one_they_do(string sent, string seen)
    {
        Upstream.Answers(Wire.Stream(Wire.Role() + (sent == "function_call"
            ? Wire.Chunk(""" "delta":{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]},"finish_reason":null """)
            : Wire.Text("Hi")) + Wire.Finish(sent) + Wire.Done));

        var streamed = await Setup.ChatAsync(Wire.Ask("bot/id=helper"), Cancel);

        await Transcript.AssertValidStreamAsync(Setup.Schemas, streamed.Body, includeUsage: false, n: 1, Cancel);
        Assert.Contains($"\"finish_reason\":\"{seen}\"", streamed.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("error", "upstream_unavailable")]
    [InlineData("network_error", "upstream_unavailable")]
    [InlineData("insufficient_system_resource", "upstream_unavailable")]
    [InlineData("abort", "upstream_unavailable")]
    [InlineData("cancelled", "upstream_unavailable")]
    [InlineData("newly <invented>", "upstream_invalid_reply")]
    public async Task A_finish_that_is_none_of_a_whole_answer_is_a_failure(string sent, string code)
    {
        Upstream.Answers(Wire.Stream(Wire.Role() + Wire.Text("Half an") + Wire.Finish(sent) + Wire.Done));

        var streamed = await Setup.ChatAsync(Wire.Ask("bot/id=helper"), Cancel);
        var plain = await Setup.ChatAsync(Wire.Ask("bot/id=helper", stream: false), Cancel);

        Assert.Equal((200, StreamEnding.ErrorThenAbort, "Half an"), (streamed.Status, streamed.Ending, Transcript.ContentOf(streamed.Body)));
        Assert.Contains($"\"code\":\"{code}\"", streamed.Text, StringComparison.Ordinal);
        var message = await Setup.AssertRefusedAsync(plain, 502, code, type: "server_error");
        Assert.Equal(code == "upstream_invalid_reply", message.Contains("'newly ?invented?'", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_failure_for_a_finish_before_any_content_has_a_status()
    {
        Upstream.Answers(Wire.Stream(Wire.Role() + Wire.Finish("error") + Wire.Done));

        await Setup.AssertRefusedAsync(await Setup.ChatAsync(Wire.Ask("bot/id=helper"), Cancel), 502, "upstream_unavailable", type: "server_error");
    }

    [Theory]
    [InlineData("an upstream that repeats id, type and name on each piece", "a:f:{}",
        """{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":"{"}}""",
        """{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":"}"}}""")]
    [InlineData("without index, by ids", "a:f:{} b:g:[]",
        """{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}""",
        """{"id":"b","type":"function","function":{"name":"g","arguments":"["}}""",
        """{"function":{"arguments":"]"}}""")]
    [InlineData("without index, in one chunk", "a:f:{} b:f:[]",
        """{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"b","type":"function","function":{"name":"f","arguments":"[]"}}""")]
    [InlineData("without type", "a:f:{}",
        """{"index":0,"id":"a","function":{"name":"f","arguments":"{"}}""",
        """{"index":0,"type":"function","function":{"arguments":"}"}}""")]
    [InlineData("all calls numbered 0", "a:f:{} b:f:[]",
        """{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}""",
        """{"index":0,"id":"b","type":"function","function":{"name":"f","arguments":"["}}""",
        """{"index":0,"function":{"arguments":"]"}}""")]
    [InlineData("numbered from 1, with a gap", "a:f:{} b:g:[]",
        """{"index":1,"id":"a","type":"function","function":{"name":"f","arguments":"{}"}},{"index":7,"id":"b","type":"function","function":{"name":"g","arguments":"["}}""",
        """{"index":7,"function":{"arguments":"]"}}""")]
    [InlineData("empty ids and names behind the first piece", "a:f:{}",
        """{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}""",
        """{"index":0,"id":"","type":"","function":{"name":"","arguments":"{}"}}""")]
    public async Task Calls_in_other_dialects_are_told_apart_and_said_once(string dialect, string calls, params string[] pieces)
    {
        Upstream.Answers(Wire.Stream(Wire.Role()
            + string.Concat(pieces.Select(piece => Wire.Chunk($$""" "delta":{"tool_calls":[{{piece}}]},"finish_reason":null """)))
            + Wire.Finish("tool_calls") + Wire.Done));

        var streamed = await Setup.ChatAsync(Wire.Ask("bot/id=helper"), Cancel);
        var plain = await Setup.ChatAsync(Wire.Ask("bot/id=helper", stream: false), Cancel);

        var whole = JsonNode.Parse(plain.Body)!["choices"]![0]!["message"]!["tool_calls"]!.AsArray();
        Assert.True(calls == string.Join(' ', whole.Select(c => $"{c!["id"]}:{c["function"]!["name"]}:{c["function"]!["arguments"]}")), dialect);
        await Transcript.AssertValidStreamAsync(Setup.Schemas, streamed.Body, includeUsage: false, n: 1, Cancel);
        var said = Transcript.Events(streamed.Body).SkipLast(1)
            .SelectMany(payload => JsonNode.Parse(payload)!["choices"]![0]!["delta"]!["tool_calls"]?.AsArray() ?? [])
            .GroupBy(call => (int)call!["index"]!)
            .ToList();
        Assert.Equal(Enumerable.Range(0, whole.Count), said.Select(call => call.Key));
        // Joined as clients do: what is said twice would be seen twice.
        Assert.Equal(calls, string.Join(' ', said.Select(call => string.Concat(call.Select(piece => (string?)piece!["id"])) + ":"
            + string.Concat(call.Select(piece => (string?)piece!["function"]!["name"])) + ":"
            + string.Concat(call.Select(piece => (string?)piece!["function"]!["arguments"])))));
        Assert.All(said, call => Assert.Single(call, piece => piece!["type"] is not null));
    }

    [Fact]
    public async Task Calls_of_another_choice_leave_no_trace()
    {
        Upstream.Answers(Wire.Stream(Wire.Role()
            + Wire.Event("""{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"x","type":"function","function":{"name":"x","arguments":"x"}}]},"index":1}]}""")
            + Wire.Chunk(""" "delta":{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]},"finish_reason":null """)
            + Wire.Finish(index: 1) + Wire.Finish("tool_calls") + Wire.Done));

        var plain = await Setup.ChatAsync(Wire.Ask("bot/id=helper", stream: false), Cancel);

        Assert.Equal(
            """[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]""",
            JsonNode.Parse(plain.Body)!["choices"]![0]!["message"]!["tool_calls"]!.ToJsonString());
    }

    [Fact]
    public void An_answer_that_grows_beyond_the_limit_is_not_gathered()
    {
        BotEvent[] pieces =
        [
            new BotEvent.Text("12345", new byte[5]), new BotEvent.Reasoning("12345"), new BotEvent.Refusal("12345"),
            new BotEvent.CallerToolCall(0, "1", null, "2", "345"),
        ];

        var (roomy, tight) = (new BotReply(25), new BotReply(24));

        Assert.All(pieces, piece => Assert.True(roomy.TryAdd(piece)));
        Assert.Equal([true, true, true, false], pieces.Select(tight.TryAdd));
        Assert.True(roomy.TryAdd(new BotEvent.Finished("stop", null)));
    }

    [Fact]
    public async Task An_answer_without_end_is_a_refusal()
    {
        const int Length = 16 * 1024 * 1024;
        var piece = Piece.Of(Wire.Text(new string('a', Length)));
        Upstream.Answers(Answer.Stream([.. Enumerable.Repeat(piece, (128 * 1024 * 1024 / Length) + 1), Piece.Stall]));

        var plain = await Setup.ChatAsync(Wire.Ask("bot/id=helper", stream: false), Cancel);

        await Setup.AssertRefusedAsync(plain, 502, "upstream_invalid_reply", type: "server_error");
    }

    [Fact]
    public async Task Logprobs_of_all_pieces_are_joined_as_they_came()
    {
        static string Tokens(string content, string refusal) => Wire.Chunk(
            $$""" "delta":{"content":"x"},"logprobs":{"content":{{content}},"refusal":{{refusal}}},"finish_reason":null """);
        Upstream.Answers(Wire.Stream(Wire.Role()
            + Tokens("""[{"token":"a","logprob":-0.50},{"token":"\ud800","logprob":-1}]""", "null") + Tokens("[]", "null")
            + Tokens("""[{"token":"c","logprob":-2}]""", """[{"token":"d","logprob":-3}]""") + Wire.Finish() + Wire.Done));

        var plain = await Setup.ChatAsync(Wire.Ask("bot/id=helper", stream: false), Cancel);

        Assert.Contains(
            """
            "logprobs":{"content":[{"token":"a","logprob":-0.50},{"token":"\ud800","logprob":-1},{"token":"c","logprob":-2}],"refusal":[{"token":"d","logprob":-3}]}
            """,
            plain.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\r\n")]
    [InlineData("\r")]
    [InlineData("\n")]
    public async Task A_models_stream_is_read_in_every_form(string newline)
    {
        var sent = Wire.Bytes((": hi\n\nid: 1\nevent: x\n" + Wire.Whole).Replace("\n", newline, StringComparison.Ordinal));
        Upstream.Answers(Wire.Stream(sent, pieceBytes: 1));

        var reply = await Setup.ChatAsync(Wire.Ask("bot/id=helper"), Cancel);

        await Transcript.AssertValidStreamAsync(Setup.Schemas, reply.Body, includeUsage: false, n: 1, Cancel);
        Assert.Equal("Hello, wörld 😀", Transcript.ContentOf(reply.Body));
    }

    [Fact]
    public async Task A_byte_order_mark_costs_no_text()
    {
        Upstream.Answers(Wire.Stream("\ufeff" + Wire.Text("Hello") + Wire.Finish() + Wire.Done));

        Assert.Equal("Hello", Transcript.ContentOf((await Setup.ChatAsync(Wire.Ask("bot/id=helper"), Cancel)).Body));
    }

    [Fact]
    public async Task Half_of_a_surrogate_pair_becomes_a_mark_and_no_error()
    {
        Upstream.Answers(Wire.Stream(
            Wire.Role() + Wire.Chunk(""" "delta":{"content":"a\ud800b"},"finish_reason":null """) + Wire.Finish() + Wire.Done));

        var reply = await Setup.ChatAsync(Wire.Ask("bot/id=helper"), Cancel);

        Assert.Equal(("a\ufffdb", StreamEnding.Done), (Transcript.ContentOf(reply.Body), reply.Ending));
    }

    [Theory]
    [InlineData("bot/id=lost", 502, "upstream_unavailable")]
    [InlineData("bot/id=modelless", 502, "upstream_unavailable")]
    public async Task A_bot_whose_model_is_not_there_is_a_refusal(string selector, int status, string code)
    {
        foreach (var stream in new[] { true, false })
        {
            await Setup.AssertRefusedAsync(await Setup.ChatAsync(Wire.Ask(selector, stream), Cancel), status, code, type: "server_error");
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_model_that_refuses_refuses_for_the_bot(bool stream)
    {
        Upstream.Answers(Answer.Refusal(429, "Too fast.", "requests", "rate_limit_exceeded", retryAfter: "3"));

        var reply = await Setup.ChatAsync(Wire.Ask("bot/id=helper", stream), Cancel);

        Assert.Equal("Too fast.", await Setup.AssertRefusedAsync(reply, 429, "rate_limit_exceeded", type: "requests"));
        Assert.Equal("3", reply.Headers["Retry-After"]);
    }

    [Fact]
    public async Task A_models_stream_that_breaks_is_a_refusal_or_an_error_event()
    {
        string[] breaks = ["", Wire.Done, "data: <html>\n\n", Wire.Event("""{"error":{"message":"Boom."}}""")];
        foreach (var how in breaks)
        {
            Upstream.Reset();
            Upstream.Answers(Wire.Stream(Wire.Role() + Wire.Text("Hello") + how));

            var streamed = await Setup.ChatAsync(Wire.Ask("bot/id=helper"), Cancel);
            var plain = await Setup.ChatAsync(Wire.Ask("bot/id=helper", stream: false), Cancel);

            Assert.Equal((200, StreamEnding.ErrorThenAbort, "Hello"), (streamed.Status, streamed.Ending, Transcript.ContentOf(streamed.Body)));
            Assert.Equal(502, plain.Status);
            await Setup.Schemas.AssertValidAsync("ErrorResponse", plain.Body, Cancel);
        }
    }

    [Fact]
    public async Task A_models_stream_that_stalls_is_a_timeout()
    {
        Upstream.Answers(Answer.Stream(Piece.Of(Wire.Role() + Wire.Text("Hello")), Piece.Stall));

        var streamed = await Setup.ChatAsync(Wire.Ask("bot/id=stalling"), Cancel);
        var plain = await Setup.ChatAsync(Wire.Ask("bot/id=stalling", stream: false), Cancel);

        Assert.Equal(StreamEnding.ErrorThenAbort, streamed.Ending);
        await Setup.AssertRefusedAsync(plain, 504, "upstream_timeout", type: "server_error");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_caller_who_leaves_ends_the_models_work(bool stream)
    {
        Upstream.Answers(Answer.Stream(Piece.Of(Wire.Role() + Wire.Text("Hello")), Piece.Stall));
        using var leave = CancellationTokenSource.CreateLinkedTokenSource(Cancel);

        var call = Setup.ChatAsync(Wire.Ask("bot/id=helper", stream), leave.Token);
        var request = await Upstream.NextRequestAsync(Cancel);
        await Task.Delay(100, Cancel);
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);

        await request.Disconnected.WaitAsync(TimeSpan.FromSeconds(1), Cancel);
    }

    [Theory]
    [InlineData("bot/id=helper")]
    [InlineData("bot\\/id=helper")]
    public async Task The_model_of_the_reply_is_the_selector_that_was_asked_for(string selector)
    {
        Upstream.Answers(Replies.Stream(Replies.WordEvents("plain", ["Yes."])));

        AssertModel(await Setup.ChatAsync(Wire.Ask(selector), Cancel), "bot/id=helper");
    }

    [Fact]
    public async Task The_demo_bot_answers_from_its_backstory()
    {
        var reply = await Setup.ChatAsync(
            """{"model":"bot/id=demo","messages":[{"role":"user","content":"How are keys made?"}]}""", Cancel);

        await Setup.Schemas.AssertValidAsync("CreateChatCompletionResponse", reply.Body, Cancel);
        Assert.Contains("gateway keys create", (string?)JsonNode.Parse(reply.Body)!["choices"]![0]!["message"]!["content"], StringComparison.Ordinal);
    }

    private static System.Text.Json.JsonSerializerOptions Relaxed { get; } =
        new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static void AssertModel(RawReply reply, string selector) => Assert.All(
        Transcript.Events(reply.Body).SkipLast(1), payload => Assert.Equal(selector, (string?)JsonNode.Parse(payload)!["model"]));
}
