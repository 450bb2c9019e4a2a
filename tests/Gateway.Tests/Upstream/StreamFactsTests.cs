using System.Text;
using Gateway.Upstream;

namespace Gateway.Tests.Upstream;

public sealed class StreamFactsTests
{
    [Theory]
    [InlineData("""{"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}""", "Preamble")]
    [InlineData("""{"choices":[{"index":0,"delta":{"role":"assistant","content":null,"tool_calls":null}}]}""", "Preamble")]
    [InlineData("""{"choices":[]}""", "Preamble")]
    [InlineData("""{"choices":[],"error":null}""", "Preamble")]
    [InlineData("""{"choices":[{"index":0,"delta":{"content":"a"}}]}""", "Content")]
    [InlineData("""{"choices":[{"index":0,"delta":{"reasoning_content":"a"}}]}""", "Content")]
    [InlineData("""{"choices":[{"index":0,"delta":{"reasoning":"a"}}]}""", "Content")]
    [InlineData("""{"choices":[{"index":0,"delta":{"refusal":"a"}}]}""", "Content")]
    [InlineData("""{"choices":[{"index":0,"delta":{"audio":{"data":"a"}}}]}""", "Content")]
    [InlineData("""{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0}]}}]}""", "Content")]
    [InlineData("""{"choices":[{"index":0,"delta":{"function_call":{"name":"f"}}}]}""", "Content")]
    [InlineData("""{"choices":[{"index":0,"text":"a"}]}""", "Content")]
    [InlineData("""{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}""", "Content")]
    [InlineData("""{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}""", "UsageOnly")]
    [InlineData("[DONE]", "Done")]
    [InlineData("""{"error":{"message":"m"}}""", "Error")]
    [InlineData("""{"choices":[{"index":0""", "Malformed")]
    [InlineData("""{"choices":[]} {"choices":[]}""", "Malformed")]
    [InlineData("[1]", "Malformed")]
    [InlineData("", "Malformed")]
    public void An_event_is_what_it_says(string data, string kind) =>
        Assert.Equal(kind, new StreamFacts(1).Read(Encoding.UTF8.GetBytes(data)).ToString());

    [Fact]
    public void An_answer_is_whole_when_each_choice_asked_for_has_its_finish_reason()
    {
        var facts = new StreamFacts(2);

        facts.Read("""{"choices":[{"index":1,"delta":{"content":"b"}}]}"""u8);
        Assert.False(facts.IsEachSeenFinished);

        facts.Read("""{"choices":[{"delta":{},"finish_reason":"length","index":1}]}"""u8);
        Assert.True(facts.IsEachSeenFinished);
        Assert.False(facts.IsFinished);

        facts.Read("""{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"""u8);
        Assert.True(facts.IsFinished);
    }

    [Theory]
    [InlineData("null")]
    [InlineData("\"\"")]
    public void A_finish_reason_of_nothing_is_none(string reason)
    {
        var facts = new StreamFacts(1);

        facts.Read(Encoding.UTF8.GetBytes($$"""{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":{{reason}}}]}"""));

        Assert.False(facts.IsFinished);
    }

    [Fact]
    public void Usage_is_read_with_its_details()
    {
        var facts = new StreamFacts(1);

        facts.Read(
            """{"choices":[],"usage":{"prompt_tokens":10,"prompt_tokens_details":{"cached_tokens":4},"completion_tokens":5,"completion_tokens_details":{"reasoning_tokens":3},"total_tokens":15}}"""u8);

        Assert.Equal(new TokenUsage(10, 5, 4, 3), facts.Usage);
    }

    [Theory]
    [InlineData("""{"choices":[{"index":0,"delta":{"content":"bc"}}]}""", "Content")]
    [InlineData("""{"choices":[{"index":0,"delta":{"content":"\""}}]}""", "Content")]
    [InlineData("""{"choices":[{"index":0,"delta":{"content":""}}]}""", "Preamble")]
    [InlineData("""{"choices":[{"index":0,"delta":{"content":"b"}}]""", "Malformed")]
    [InlineData("""{"choices":[{"index":0,"delta":{"content":"b"}}]}}""", "Malformed")]
    [InlineData("{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"b\u0001\"}}]}", "Malformed")]
    [InlineData("""{"choices":[{"index":0,"delta":{"content":"b"},"finish_reason":"stop"}]}""", "Content")]
    public void A_chunk_like_the_one_before_is_still_read_for_what_it_says(string data, string kind)
    {
        var facts = new StreamFacts(1);
        facts.Read("""{"choices":[{"index":0,"delta":{"content":"a"}}]}"""u8);

        Assert.Equal(kind, facts.Read(Encoding.UTF8.GetBytes(data)).ToString());
        Assert.Equal(data.Contains("finish_reason", StringComparison.Ordinal), facts.IsFinished);
    }

    [Fact]
    public void A_chunk_that_also_calls_a_tool_is_no_model_for_others()
    {
        var facts = new StreamFacts(1);
        var both = """{"choices":[{"index":0,"delta":{"content":"a","tool_calls":[{"index":0}]}}]}"""u8;

        Assert.Equal(EventKind.Content, facts.Read(both));
        Assert.Equal(EventKind.Content, facts.Read(both));
    }
}
