namespace Gateway.Tests.Admin.File;

public sealed class FileParametersTests
{
    [Theory]
    [InlineData("{}", "{}")]
    [InlineData("{ a: true, b: False, c: null, d: ~, e: }", """{"a":true,"b":false,"c":null,"d":null,"e":null}""")]
    [InlineData("{ a: 1, b: -2, c: +3, d: 007, e: 0x1F, f: 0o17 }", """{"a":1,"b":-2,"c":3,"d":7,"e":31,"f":15}""")]
    [InlineData("{ a: 0.20, b: .5, c: 5., d: 1e3, e: -1.5E-2, f: 12345678901234567890123 }", """{"a":0.20,"b":0.5,"c":5,"d":1e3,"e":-1.5E-2,"f":12345678901234567890123}""")]
    [InlineData("{ a: \"1\", b: 'true', c: \"\", d: \"null\" }", """{"a":"1","b":"true","c":"","d":"null"}""")]
    [InlineData("{ a: yes, b: on, c: 2024-01-01, d: 1_000, e: 12:30, f: 0b1 }", """{"a":"yes","b":"on","c":"2024-01-01","d":"1_000","e":"12:30","f":"0b1"}""")]
    [InlineData("{ a: [1, [two, {three: 3}], {}], b: [] }", """{"a":[1,["two",{"three":3}],{}],"b":[]}""")]
    [InlineData("{ b: 1, a: 2, 5: x, true: y }", """{"b":1,"a":2,"5":"x","true":"y"}""")]
    [InlineData("{ a: \"Grüße <b> 'x' \\\"y\\\" \\t 😀\" }", """{"a":"Grüße <b> 'x' \"y\" \t \uD83D\uDE00"}""")]
    [InlineData("{ n2: 1, Model: x, response_format: { type: json_schema, json_schema: { stream: true } } }", """{"n2":1,"Model":"x","response_format":{"type":"json_schema","json_schema":{"stream":true}}}""")]
    public void Parameters_become_the_json_that_was_meant(string yaml, string json) =>
        Assert.Equal(json, Parameters($"parameters: {yaml}"));

    [Fact]
    public void Blocks_become_json_too() =>
        Assert.Equal(
            """{"stop":["a","b"],"note":"line one\nline two\n"}""",
            Parameters("parameters:\n  stop:\n    - a\n    - b\n  note: |\n    line one\n    line two"));

    [Fact]
    public void A_variable_in_quotes_is_text_and_one_without_is_what_it_holds() =>
        Assert.Equal(
            """{"a":"0.5","b":0.5}""",
            Parameters("parameters:\n  a: \"${HALF}\"\n  b: ${HALF}", ("HALF", "0.5")));

    [Theory]
    [InlineData("model", "the bot's own field 'model' says it")]
    [InlineData("messages", "the caller sends the messages, and 'backstory' is the bot's own")]
    [InlineData("stream", "the caller chooses whether the answer is streamed")]
    [InlineData("stream_options", "the caller chooses how the answer is streamed")]
    [InlineData("n", "a bot gives one answer")]
    [InlineData("tools", "the gateway makes the list of tools")]
    [InlineData("tool_choice", "it governs the caller's tools and comes with them")]
    [InlineData("functions", "the gateway makes the list of tools")]
    [InlineData("function_call", "it governs the caller's tools and comes with them")]
    public void A_parameter_that_is_not_the_bots_to_say_is_refused_with_the_reason(string name, string reason) =>
        Assert.Equal(
            $"line 6, workspaces[0].bots[0].parameters.{name}: '{name}' cannot be set here: {reason}",
            Assert.Single(Reading.BotErrors($"parameters: {{ {name}: 1 }}")));

    [Theory]
    [InlineData(".nan")]
    [InlineData("-.inf")]
    [InlineData("1e999")]
    [InlineData("0xFFFFFFFFFFFFFFFFF")]
    public void A_number_that_json_cannot_hold_is_refused(string number) =>
        Assert.Equal(
            $"line 6, workspaces[0].bots[0].parameters.a[1]: expected a number that JSON can hold, got the number {number}",
            Assert.Single(Reading.BotErrors($"parameters: {{ a: [1, {number}] }}")));

    [Fact]
    public void Parameters_that_are_no_map_are_refused_once_even_with_locked_ones() =>
        Assert.Equal(
            "line 6, workspaces[0].bots[0].parameters: expected a map of fields, got a list",
            Assert.Single(Reading.BotErrors("parameters: [a]\nlockedParameters: [a]")));

    [Theory]
    [InlineData("parameters: { top_p: 1 }\n")]
    [InlineData("")]
    public void A_locked_parameter_without_a_value_is_refused(string parameters) =>
        Assert.EndsWith(
            "lockedParameters[0]: 'temperature' is not in this bot's 'parameters', so there is no value to lock",
            Assert.Single(Reading.BotErrors($"{parameters}lockedParameters: [temperature]")), StringComparison.Ordinal);

    private static string Parameters(string lines, params (string Name, string Value)[] environment) =>
        Reading.Valid(Reading.Bot(lines), environment).Workspaces[0].Bots[0].ParametersJson;
}
