using System.Text;
using Gateway.Tests.Support;

namespace Gateway.Tests.Chat;

/// <summary>On <c>model/name=</c> bytes travel: what is sent arrives, in both directions.</summary>
[Collection(ChatTestsShareOneGateway.Name)]
public sealed class FidelityTests(ScriptedGateway setup) : ScriptedTest(setup)
{
    private const string Messages = """ "messages":[{"role":"user","content":"hi"}]""";

    [Theory]
    [InlineData("""{"model":"model/name=plain","messages":[{"role":"user","content":"hi"}]}""", """{"model":"plain","messages":[{"role":"user","content":"hi"}]}""")]
    [InlineData("""{"messages":[{"role":"user","content":"hi"}],"top_k":7,"model":"model/name=named"}""", """{"messages":[{"role":"user","content":"hi"}],"top_k":7,"model":"other-name"}""")]
    [InlineData("{ \"model\" :\t\"model/name=plain\"\r\n,\n\n\"messages\" : [ {\"role\":\"user\" , \"content\":\"hi\"} ]\n}\n\n", "{ \"model\" :\t\"plain\"\r\n,\n\n\"messages\" : [ {\"role\":\"user\" , \"content\":\"hi\"} ]\n}\n\n")]
    [InlineData("""{"m\u006fdel":"model/name=plain","messages":[{"role":"user","content":"h\u0069 \ud83d\ude00 \/ \u0000"}]}""", """{"m\u006fdel":"plain","messages":[{"role":"user","content":"h\u0069 \ud83d\ude00 \/ \u0000"}]}""")]
    [InlineData("""{"model":"model/name=plain","messages":[{"role":"user","content":"half \ud800 a pair"}]}""", """{"model":"plain","messages":[{"role":"user","content":"half \ud800 a pair"}]}""")]
    [InlineData("""{"model":"model/name=plain","messages":[{"role":"user","content":"hi","role":"user"}],"a":{"b":1,"b":2}}""", """{"model":"plain","messages":[{"role":"user","content":"hi","role":"user"}],"a":{"b":1,"b":2}}""")]
    [InlineData("""{"model":"model/name=plain","messages":[{"role":"user","content":"hi"}],"seed":123456789012345678901234567890,"temperature":1.0000e0,"x":-0.0,"y":1E400}""", """{"model":"plain","messages":[{"role":"user","content":"hi"}],"seed":123456789012345678901234567890,"temperature":1.0000e0,"x":-0.0,"y":1E400}""")]
    [InlineData("""{"model":"model/name=plain","messages":[{"role":"newly_invented","content":null,"odd":[[]]}],"chat_template_kwargs":{"thinking":true},"provider":null}""", """{"model":"plain","messages":[{"role":"newly_invented","content":null,"odd":[[]]}],"chat_template_kwargs":{"thinking":true},"provider":null}""")]
    [InlineData("""{"model":"model/name=plain","messages":[{"role":"user","content":[{"type":"text","text":"What?"},{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo=","detail":"low"}},{"type":"input_audio","input_audio":{"data":"UklGRg==","format":"wav"}},{"type":"file","file":{"file_id":"f"}}]}]}""", """{"model":"plain","messages":[{"role":"user","content":[{"type":"text","text":"What?"},{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo=","detail":"low"}},{"type":"input_audio","input_audio":{"data":"UklGRg==","format":"wav"}},{"type":"file","file":{"file_id":"f"}}]}]}""")]
    [InlineData("""{"model":"model/name=plain","messages":[{"role":"user","content":"hi"},{"role":"assistant","content":null,"refusal":null,"annotations":[],"audio":null,"reasoning_content":"hm","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c","content":"1"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"},"strict":null}}],"tool_choice":{"type":"function","function":{"name":"f"}},"response_format":{"type":"json_schema","json_schema":{"name":"s","schema":{"type":"object"}}},"stop":["a","b"],"n":2}""", """{"model":"plain","messages":[{"role":"user","content":"hi"},{"role":"assistant","content":null,"refusal":null,"annotations":[],"audio":null,"reasoning_content":"hm","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c","content":"1"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"},"strict":null}}],"tool_choice":{"type":"function","function":{"name":"f"}},"response_format":{"type":"json_schema","json_schema":{"name":"s","schema":{"type":"object"}}},"stop":["a","b"],"n":2}""")]
    public async Task A_request_arrives_byte_for_byte_but_for_the_name(string sent, string arrives)
    {
        Upstream.Answers(Answer.Json(Replies.Completion("m", "Yes.")));

        Assert.Equal(200, (await Setup.ChatAsync(sent, Cancel)).Status);

        var request = Upstream.Requests[0];
        Assert.Equal(arrives, Encoding.UTF8.GetString(request.Body));
        Assert.Equal(("POST", "/v1/chat/completions"), (request.Method, request.Target));
        Assert.Equal("application/json", request.Headers["Content-Type"]);
        Assert.False(request.Headers.ContainsKey("Accept-Encoding"));
    }

    [Theory]
    // Asked for already: nothing is added.
    [InlineData(",\"stream\":true,\"stream_options\":{\"include_usage\":true}", ",\"stream\":true,\"stream_options\":{\"include_usage\":true}")]
    [InlineData(",\"stream\":true,\"stream_options\":{ \"include_usage\" : true , \"x\":1}", ",\"stream\":true,\"stream_options\":{ \"include_usage\" : true , \"x\":1}")]
    // Else it is, as gently as can be.
    [InlineData(",\"stream\":true", ",\"stream\":true,\"stream_options\":{\"include_usage\":true}")]
    [InlineData(",\"stream\":true,\"stream_options\":null", ",\"stream\":true,\"stream_options\":{\"include_usage\":true}")]
    [InlineData(",\"stream\":true,\"stream_options\":{}", ",\"stream\":true,\"stream_options\":{\"include_usage\":true}")]
    [InlineData(",\"stream\":true,\"stream_options\":{ }", ",\"stream\":true,\"stream_options\":{\"include_usage\":true }")]
    [InlineData(",\"stream\":true,\"stream_options\":{\"include_obfuscation\":false}", ",\"stream\":true,\"stream_options\":{\"include_usage\":true,\"include_obfuscation\":false}")]
    [InlineData(",\"stream\":true,\"stream_options\":{\"include_usage\":false}", ",\"stream\":true,\"stream_options\":{\"include_usage\":true}")]
    [InlineData(",\"stream\":true,\"stream_options\":{\"include_usage\":null,\"x\":[]}", ",\"stream\":true,\"stream_options\":{\"include_usage\":true,\"x\":[]}")]
    public async Task A_streamed_request_asks_for_usage(string sent, string arrives)
    {
        Upstream.Answers(Wire.Stream(Wire.Whole));

        Assert.Equal(200, (await Setup.ChatAsync($$"""{"model":"model/name=plain",{{Messages}}{{sent}}}""", Cancel)).Status);

        Assert.Equal($$"""{"model":"plain",{{Messages}}{{arrives}}}""", Encoding.UTF8.GetString(Upstream.LastBody));
    }

    [Theory]
    [InlineData("""{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"hi","reasoning_content":"hm","odd":{"a":[1.50,1e400]}},"logprobs":null,"finish_reason":"stop","odd":null}],"usage":null,"system_fingerprint":null}""")]
    [InlineData("  {\r\n\t\"choices\" : [ ] ,\n \"x\" : \"\\u00e4\\/\\ud800\" }  \n")]
    [InlineData("""{"a":1,"a":2,"id":"twice"}""")]
    public async Task A_plain_reply_arrives_byte_for_byte(string body)
    {
        Upstream.Answers(Answer.Fixed(Wire.Bytes(body), contentType: "application/json; charset=utf-8"));

        var reply = await Setup.ChatAsync(Wire.Ask(stream: false), Cancel);

        Assert.Equal((200, "application/json", body), (reply.Status, reply.ContentType, reply.Text));
    }

    [Fact]
    public async Task A_plain_reply_of_many_pieces_and_megabytes_arrives()
    {
        var body = Wire.Bytes($$"""{"choices":[],"x":"{{new string('ä', 4_000_000)}}"}""");
        Upstream.Answers(Answer.Stream(new AnswerHead(ContentType: "application/json"), [.. body.Chunk(700_001).Select(Piece.Of)]));

        Assert.Equal(body, (await Setup.ChatAsync(Wire.Ask(stream: false), Cancel)).Body);
    }

    [Fact]
    public async Task A_request_of_megabytes_arrives()
    {
        Upstream.Answers(Answer.Json(Replies.Completion("m", "Yes.")));
        var image = new string('A', 12_000_000);
        var sent = $$"""{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,{{image}}"} }] }],"model":"model/name=plain"}""";

        Assert.Equal(200, (await Setup.ChatAsync(sent, Cancel)).Status);
        Assert.Equal(sent.Replace("model/name=", "", StringComparison.Ordinal), Encoding.UTF8.GetString(Upstream.LastBody));
    }

    [Fact]
    public async Task Parameters_that_the_operator_drops_are_left_out_and_named()
    {
        Upstream.Answers(Answer.Json(Replies.Completion("m", "Yes.")));

        var reply = await Setup.ChatAsync(
            """{"user":"u","model":"model/name=dropping", "messages":[{"role":"user","content":"hi"}],"logit_bias":{"1":2} , "seed":1,"us\u0065r2":1}""", Cancel);

        Assert.Equal(200, reply.Status);
        Assert.Equal("""{"model":"dropping", "messages":[{"role":"user","content":"hi"}],"seed":1,"us\u0065r2":1}""", Encoding.UTF8.GetString(Upstream.LastBody));
        Assert.Equal(["logit_bias", "user"], reply.Headers["x-gateway-dropped-params"].Split(", ").Order());
    }

    [Fact]
    public async Task Parameters_that_the_operator_drops_leave_a_whole_object_wherever_they_stand()
    {
        Upstream.Answers(Answer.Json(Replies.Completion("m", "Yes.")));
        const string Rest = """ "model":"model/name=dropping", "messages":[{"role":"user","content":"hi"}]""";

        foreach (var body in new[]
        {
            $$"""{"user":"u","logit_bias":{},{{Rest}} }""", $$"""{ {{Rest}},"user":"u","logit_bias":{} }""",
            $$"""{"user":"u",{{Rest}},"logit_bias":{} }""", $$"""{ {{Rest}},"logit_bias":{},"user":"u","seed":1}""",
        })
        {
            Assert.Equal(200, (await Setup.ChatAsync(body, Cancel)).Status);
            Assert.Equal(
                body.Contains("seed", StringComparison.Ordinal) ? ["messages", "model", "seed"] : ["messages", "model"],
                Upstream.Requests[^1].Json.AsObject().Select(member => member.Key).Order());
        }
    }
}
