using System.Text.Json.Nodes;
using Gateway.Tests.Support;

namespace Gateway.Tests.Sdk;

/// <summary>
/// <c>functions</c> and <c>function_call</c>, which upstreams no longer know: tools on the way in, functions again on the
/// way out. The base class holds the translated replies against the schemas.
/// </summary>
public sealed class LegacyFunctionTests(SdkSetup setup) : SdkTest(setup)
{
    private const string Arguments = """{"city":"Paris"}""";

    [Theory]
    [InlineData(SdkSetup.DemoModel)]
    [InlineData(SdkSetup.DemoBot)]
    public async Task Functions_make_the_round_trip(string selector)
    {
        var lines = await Setup.NodeAsync("functions.mjs", selector, Cancel);

        AssertCall(lines[0]);
        var streamed = lines[1];
        Assert.Equal("get_weather", streamed["called"]!["name"]!.GetValue<string>());
        Assert.Equal("Paris", JsonNode.Parse(streamed["called"]!["arguments"]!.GetValue<string>())!["city"]!.GetValue<string>());
        Assert.Equal("function_call", streamed["finish"]!.GetValue<string>());
        Assert.Equal("stop", lines[2]["finish_reason"]!.GetValue<string>());
        Assert.Contains("21 degrees", lines[2]["message"]!["content"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(SdkSetup.ScriptedModel)]
    [InlineData(SdkSetup.ScriptedBot)]
    public async Task The_upstream_sees_tools_alone(string selector)
    {
        Setup.Upstream.Answers(Answer.ByRequest(Answered));

        var lines = await Setup.NodeAsync("functions.mjs", selector, Cancel);

        AssertCall(lines[0]);
        Assert.Equal("function_call", lines[1]["finish"]!.GetValue<string>());
        Assert.Equal(Arguments, lines[1]["called"]!["arguments"]!.GetValue<string>());
        Assert.Equal(3, Setup.Upstream.Requests.Count);
        Assert.All(Setup.Upstream.Requests, request =>
        {
            var body = request.Json.AsObject();
            Assert.False(body.ContainsKey("functions") || body.ContainsKey("function_call"), body.ToJsonString());
            Assert.Equal("get_weather", body["tools"]![0]!["function"]!["name"]!.GetValue<string>());
        });
        AssertHistory(Setup.Upstream.Requests[2].Json["messages"]!.AsArray());
    }

    private static void AssertCall(JsonNode choice)
    {
        Assert.Equal("function_call", choice["finish_reason"]!.GetValue<string>());
        var message = choice["message"]!.AsObject();
        Assert.Equal("get_weather", message["function_call"]!["name"]!.GetValue<string>());
        Assert.Equal("Paris", JsonNode.Parse(message["function_call"]!["arguments"]!.GetValue<string>())!["city"]!.GetValue<string>());
        Assert.False(message.ContainsKey("tool_calls"), message.ToJsonString());
    }

    /// <summary>The earlier call and its result, in the only form that fits together upstream: the same id on both.</summary>
    private static void AssertHistory(JsonArray messages)
    {
        var call = messages[^2]!["tool_calls"]![0]!;
        Assert.Equal("get_weather", call["function"]!["name"]!.GetValue<string>());
        Assert.Equal("tool", messages[^1]!["role"]!.GetValue<string>());
        Assert.Equal(call["id"]!.GetValue<string>(), messages[^1]!["tool_call_id"]!.GetValue<string>());
        Assert.False(messages[^2]!.AsObject().ContainsKey("function_call"), messages.ToJsonString());
    }

    private static UpstreamAnswer Answered(UpstreamRequest request)
    {
        var hasResult = request.Json["messages"]!.AsArray()[^1]!["role"]!.GetValue<string>() == "tool";
        return hasResult ? Scripts.Says("It is sunny.")
            : Scripts.IsStream(request) ? Replies.Stream(Replies.ToolCallEvents("scripted", "get_weather", Arguments))
            : Answer.Json(Replies.ToolCall("scripted", "get_weather", Arguments));
    }
}
