using System.Text;
using System.Text.Json.Nodes;
using Gateway.Upstream;

namespace Gateway.Tests.Upstream;

/// <summary>Events of an attempt that carries on, made to fit behind those that were sent.</summary>
public sealed class ContinuationTests
{
    [Fact]
    public void A_prefix_is_continued_with_the_first_id_and_without_a_second_role()
    {
        var continued = new Continuation("first"u8.ToArray(), "Hello", isReplay: false);

        Assert.Null(Take(continued, """{"id":"other","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}"""));
        var text = Take(continued, """{"id":"other","model":"b","choices":[{"index":0,"delta":{"role":"assistant","content":" wörld"},"finish_reason":null}]}""")!;
        Assert.Equal("first", (string?)text["id"]);
        Assert.Equal("b", (string?)text["model"]);
        Assert.Null(text["choices"]![0]!["delta"]!["role"]);
        Assert.Equal(" wörld", (string?)text["choices"]![0]!["delta"]!["content"]);
        Assert.Equal("Hello wörld", continued.Sent);
    }

    [Theory]
    [InlineData("Hello", "Hello", " you")]
    [InlineData("Hello", "He|llo", " you")]
    [InlineData("Hello", "Hello you", "")]
    [InlineData("a\"b\nc", "a\"b|\nc", " you")]
    public void What_was_sent_is_swallowed_when_the_answer_starts_over(string sent, string again, string rest)
    {
        var continued = new Continuation("first"u8.ToArray(), sent, isReplay: true);
        var passed = new StringBuilder();
        foreach (var piece in again.Split('|').Append(rest))
        {
            var chunk = Take(continued, Chunk(piece));
            passed.Append((string?)chunk?["choices"]![0]!["delta"]!["content"]);
        }

        Assert.False(continued.HasDiverged);
        Assert.Equal(" you", passed.ToString());
        Assert.Equal(sent + " you", continued.Sent);
    }

    [Theory]
    [InlineData("""{"choices":[{"index":0,"delta":{"content":"Help"},"finish_reason":null}]}""")]
    [InlineData("""{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}""")]
    [InlineData("""{"choices":[{"index":0,"delta":{"reasoning_content":"Hm"},"finish_reason":null}]}""")]
    [InlineData("""{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0}]},"finish_reason":null}]}""")]
    public void Another_answer_is_noticed(string chunk)
    {
        var continued = new Continuation(null, "Hello", isReplay: true);

        Assert.Null(Take(continued, chunk));
        Assert.True(continued.HasDiverged);
    }

    [Fact]
    public void Usage_and_the_end_pass()
    {
        var continued = new Continuation("first"u8.ToArray(), "Hello", isReplay: false);

        Assert.NotNull(Take(continued, """{"id":"x","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"""));
        Assert.Equal(3, (int)Take(continued, """{"id":"x","choices":[],"usage":{"prompt_tokens":3}}""")!["usage"]!["prompt_tokens"]!);
        Assert.True(continued.Take(EventKind.Done, "[DONE]"u8));
        Assert.Equal("[DONE]", Encoding.UTF8.GetString(continued.Data));
    }

    [Theory]
    [InlineData("""{"messages":[{"role":"user","content":"Hi"}],"model":"m"}""", """{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"a\"b"}],"model":"m"}""")]
    [InlineData("""{"max_tokens":10,"messages":[{"role":"user","content":"Hi"}]}""", """{"max_tokens":7,"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"a\"b"}]}""")]
    [InlineData("""{"max_completion_tokens":2,"messages":[{"role":"user","content":"Hi"}]}""", """{"max_completion_tokens":1,"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"a\"b"}]}""")]
    public void The_request_gets_what_was_sent_as_a_prefix(string request, string expected) =>
        Assert.Equal(expected, Encoding.UTF8.GetString(RescueBody.WithPrefix(BodyCase.Call(request).Body, "a\"b", 3)!.Bytes.Span));

    [Fact]
    public void Behind_an_assistants_message_there_is_no_prefix() =>
        Assert.Null(RescueBody.WithPrefix(BodyCase.Call("""{"messages":[{"role":"assistant","content":"Hi"}]}""").Body, "a", 1));

    [Theory]
    [InlineData("{}", true)]
    [InlineData("""{"tools":[],"logprobs":false,"response_format":{"type":"text"},"modalities":["text"],"audio":null}""", true)]
    [InlineData("""{"tools":[{"type":"function"}]}""", false)]
    [InlineData("""{"functions":[{"name":"f"}]}""", false)]
    [InlineData("""{"logprobs":true}""", false)]
    [InlineData("""{"response_format":{"type":"json_object"}}""", false)]
    [InlineData("""{"modalities":["text","audio"]}""", false)]
    [InlineData("""{"audio":{"voice":"v"}}""", false)]
    public void Plain_text_alone_is_carried_on(string request, bool isPlain) =>
        Assert.Equal(isPlain, RescueBody.IsPlainText(BodyCase.Call(request).Body));

    [Fact]
    public void Kept_text_joins_what_was_split_and_says_no_to_half_a_character()
    {
        using var text = new KeptText();
        text.Add("""a\ud83d"""u8);
        Assert.Null(text.Decode());
        text.Add("""\ude00\n"""u8);
        Assert.Equal("a😀\n", text.Decode());
    }

    private static string Chunk(string text) => new JsonObject
    {
        ["id"] = "other",
        ["choices"] = new JsonArray(new JsonObject { ["index"] = 0, ["delta"] = new JsonObject { ["content"] = text }, ["finish_reason"] = null }),
    }.ToJsonString();

    /// <summary>The event as it is passed on; null when nothing of it is.</summary>
    private static JsonNode? Take(Continuation continued, string data) =>
        continued.Take(EventKind.Content, Encoding.UTF8.GetBytes(data)) ? JsonNode.Parse(continued.Data) : null;
}
