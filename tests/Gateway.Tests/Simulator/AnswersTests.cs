using System.Text.Json.Nodes;

namespace Gateway.Tests.Simulator;

public sealed class AnswersTests(SimulatorCalls simulator) : IClassFixture<SimulatorCalls>
{
    private const string Backstory = "You are the assistant of ACME. Orders ship within three days. Refunds are paid within a week.";

    private const string Weather =
        """{"type":"function","function":{"name":"get_weather","description":"The weather at a place.","parameters":{"type":"object","properties":{"unit":{"type":"string","enum":["c","f"]},"place":{"type":"string"}},"required":["place","unit"]}}}""";

    private const string Clock = """{"type":"function","function":{"name":"clock"}}""";

    [Theory]
    [InlineData("How fast do you ship an order?", "Orders ship within three days.")]
    [InlineData("When is a refund paid?", "Refunds are paid within a week.")]
    [InlineData("Who are you?", "I am the assistant of ACME.")]
    public async Task Answer_is_the_sentence_of_the_system_prompt_that_shares_most_words(string question, string expected)
    {
        var text = await simulator.TextAsync(
            $$"""[{"role":"system","content":"{{Backstory}}"},{"role":"user","content":"{{question}}"}]""");

        Assert.Equal(expected, text);
    }

    [Fact]
    public async Task Answer_to_something_it_was_told_nothing_about_says_what_it_is()
    {
        var text = await simulator.TextAsync("Explain quantum chromodynamics.");

        Assert.Contains("I am a simulator", text, StringComparison.Ordinal);
        Assert.Contains("quantum chromodynamics", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Same_request_gets_the_same_answer_and_ids()
    {
        var first = await simulator.ChatAsync("call:clock", $"\"tools\":[{Clock}]");
        var second = await simulator.ChatAsync("call:clock", $"\"tools\":[{Clock}]");

        first["created"] = second["created"]!.DeepClone();
        Assert.Equal(second.ToJsonString(), first.ToJsonString());
    }

    [Fact]
    public async Task Words_are_numbered_and_counted_in_the_usage()
    {
        var reply = await simulator.ChatAsync("words:4");

        Assert.Equal("w1 w2 w3 w4", (string?)reply["choices"]![0]!["message"]!["content"]);
        Assert.Equal("stop", (string?)reply["choices"]![0]!["finish_reason"]);
        Assert.Equal(4, (int)reply["usage"]!["completion_tokens"]!);
        Assert.Equal(6, (int)reply["usage"]!["prompt_tokens"]!);
        Assert.Equal(10, (int)reply["usage"]!["total_tokens"]!);
    }

    [Theory]
    [InlineData("\"max_tokens\":3", "w1 w2 w3", "length")]
    [InlineData("\"max_completion_tokens\":9", "w1 w2 w3 w4 w5 w6 w7 w8 w9", "stop")]
    [InlineData("\"stop\":[\"w8\",\" w4\"]", "w1 w2 w3", "stop")]
    public async Task Limits_end_the_answer(string limit, string expected, string finish)
    {
        var reply = await simulator.ChatAsync("words:9", limit);

        Assert.Equal(expected, (string?)reply["choices"]![0]!["message"]!["content"]);
        Assert.Equal(finish, (string?)reply["choices"]![0]!["finish_reason"]);
    }

    [Theory]
    [InlineData("demo", "w1 w2 w", "3 w4 w5")]
    [InlineData("demo", "w1 w2 w3 w4 w5", "")]
    [InlineData("demo-paraphrase", "w1 w2 w3", " t4 t5")]
    [InlineData("demo-restart", "w1 w2", "w1 w2 w3 w4 w5")]
    public async Task Assistant_message_at_the_end_is_continued_where_it_stops(string model, string said, string rest)
    {
        var text = await simulator.TextAsync(
            $$"""[{"role":"user","content":"words:5"},{"role":"assistant","content":"{{said}}"}]""", model: model);

        Assert.Equal(rest, text);
    }

    [Fact]
    public async Task Call_lines_call_those_tools_side_by_side_and_a_then_parts_the_steps()
    {
        const string Script = "call:clock\\ncall:get_weather {\\\"place\\\":\\\"Rome\\\"}\\nthen\\ncall:clock {\\\"zone\\\":1}";
        var tools = $"\"tools\":[{Weather},{Clock}]";

        var first = await simulator.ChatAsync($$"""[{"role":"user","content":"{{Script}}"}]""", tools);
        var calls = first["choices"]![0]!["message"]!["tool_calls"]!.AsArray();
        var results = string.Join(',', calls.Select(c => $$"""{"role":"tool","tool_call_id":"{{c!["id"]}}","content":"noon"}"""));
        var message = first["choices"]![0]!["message"]!.ToJsonString();
        var second = await simulator.ChatAsync($$"""[{"role":"user","content":"{{Script}}"},{{message}},{{results}}]""", tools);

        Assert.Equal(["clock {}", """get_weather {"place":"Rome"}"""], Calls(first));
        Assert.Equal("tool_calls", (string?)first["choices"]![0]!["finish_reason"]);
        Assert.Null(first["choices"]![0]!["message"]!["content"]);
        Assert.NotEqual((string?)calls[0]!["id"], (string?)calls[1]!["id"]);
        Assert.Equal(["""clock {"zone":1}"""], Calls(second));
    }

    [Theory]
    [InlineData("What is the weather in Oslo?", "", "get_weather {\"unit\":\"c\",\"place\":\"What is the weather in Oslo?\"}")]
    [InlineData("Nothing alike", "\"tool_choice\":\"required\",", "get_weather {\"unit\":\"c\",\"place\":\"Nothing alike\"}")]
    [InlineData("What is the weather in Oslo?", "\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"clock\"}},", "clock {}")]
    [InlineData("What is the weather in Oslo?", "\"tool_choice\":\"none\",", null)]
    [InlineData("Nothing alike", "", null)]
    [InlineData("call:clock\ncall:clock {\"b\":2}", "\"parallel_tool_calls\":false,", "clock {}")]
    public async Task Tool_choice_decides_with_the_words_of_the_question(string question, string choice, string? call)
    {
        var reply = await simulator.ChatAsync(question, $"{choice}\"tools\":[{Weather},{Clock}]");

        Assert.Equal(call is null ? [] : [call], Calls(reply));
    }

    [Fact]
    public async Task Answer_after_a_tool_result_is_drawn_from_it()
    {
        const string Call = """{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"clock","arguments":"{}"}}]}""";
        const string Result = """{"role":"tool","tool_call_id":"c","content":"{\"items\":[{\"city\":\"Oslo\",\"sky\":\"clear\"},{\"city\":\"Rome\",\"sky\":\"rain\"}]}"}""";

        var text = await simulator.TextAsync(
            $$"""[{"role":"user","content":"How is the sky in Rome?"},{{Call}},{{Result}}]""", $"\"tools\":[{Clock}]");

        Assert.Equal("city: Rome, sky: rain", text);
    }

    [Fact]
    public async Task Legacy_functions_are_answered_in_their_own_form()
    {
        var reply = await simulator.ChatAsync("call:clock {\"a\":1}", """ "functions":[{"name":"clock"}] """);

        var choice = reply["choices"]![0]!;
        Assert.Equal("""{"name":"clock","arguments":"{\"a\":1}"}""", choice["message"]!["function_call"]!.ToJsonString()
            .Replace("\\u0022", "\\\"", StringComparison.Ordinal));
        Assert.Equal("function_call", (string?)choice["finish_reason"]);
        Assert.Null(choice["message"]!["tool_calls"]);
    }

    [Fact]
    public async Task Schema_gets_a_small_valid_instance()
    {
        const string Schema =
            """{"type":"object","properties":{"n":{"type":"integer","minimum":3},"half":{"type":"number","exclusiveMinimum":0,"exclusiveMaximum":1},"kind":{"const":"k"},"list":{"type":"array","items":{"$ref":"#/$defs/pet"},"minItems":2},"maybe":{"anyOf":[{"type":"null"},{"type":"string"}]},"code":{"type":"string","pattern":"^[A-Z]{2}$"},"extra":{"type":"string"}},"required":["n","half","kind","list","maybe","code"],"$defs":{"pet":{"enum":["cat","dog"]}}}""";

        var text = await simulator.TextAsync(
            "hello", "\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"x\",\"schema\":" + Schema + "}}");

        Assert.Equal("""{"n":3,"half":0.5,"kind":"k","list":["cat","dog"],"maybe":null,"code":"AB"}""", text);
    }

    [Fact]
    public async Task Schema_that_never_ends_is_answered_all_the_same()
    {
        const string Schema =
            """{"type":"object","properties":{"a":{"$ref":"#"},"b":{"$ref":"#"},"c":{"$ref":"#"},"d":{"$ref":"#"}},"required":["a","b","c","d"]}""";

        var text = await simulator.TextAsync(
            "hello", "\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"x\",\"schema\":" + Schema + "}}");

        Assert.NotNull(JsonNode.Parse(text));
    }

    [Fact]
    public async Task Images_are_mentioned()
    {
        var text = await simulator.TextAsync(
            """[{"role":"user","content":[{"type":"text","text":"Hi"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]}]""");

        Assert.StartsWith("I was given an image (image/png, 3 bytes). Hello!", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Several_choices_differ()
    {
        var reply = await simulator.ChatAsync("Hello!", "\"n\":3");

        Assert.Equal(3, reply["choices"]!.AsArray().Select(c => (string?)c!["message"]!["content"]).Distinct().Count());
    }

    [Fact]
    public async Task Bench_model_answers_with_a_constant()
    {
        var one = await simulator.ChatAsync("Hello!", model: "bench");
        var other = await simulator.ChatAsync("words:7", model: "bench");

        Assert.Equal(one.ToJsonString(), other.ToJsonString());
        Assert.InRange(one.ToJsonString().Length, 550, 650);
    }

    private static IEnumerable<string> Calls(JsonNode reply) =>
        reply["choices"]![0]!["message"]!["tool_calls"]?.AsArray().Select(c => $"{c!["function"]!["name"]} {c["function"]!["arguments"]}") ?? [];
}
