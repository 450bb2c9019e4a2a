using System.Text;
using Gateway.Upstream;

namespace Gateway.Tests.Upstream;

public class TokenUsageTests
{
    [Theory]
    [InlineData("""{"prompt_tokens":10,"completion_tokens":7,"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":5}}""", 10, 7, 4, 5)]
    // A part larger than its whole, or a number below zero, would be paid back to the caller's budget.
    [InlineData("""{"prompt_tokens":10,"completion_tokens":7,"prompt_tokens_details":{"cached_tokens":1000},"completion_tokens_details":{"reasoning_tokens":900}}""", 10, 7, 10, 7)]
    [InlineData("""{"prompt_tokens":-5,"completion_tokens":7,"prompt_tokens_details":{"cached_tokens":-1}}""", 0, 7, 0, 0)]
    public void What_is_reported_is_read_and_never_makes_a_negative_price(string usage, int input, int output, int cached, int reasoning)
    {
        var read = TokenUsage.Find(Encoding.UTF8.GetBytes($$"""{"usage":{{usage}}}"""));

        Assert.Equal(new TokenUsage(input, output, cached, reasoning), read);
        Assert.True(new ModelPrice(2.5m, 1.25m, 10m).Of(read!.Value.Input, read.Value.CachedInput, read.Value.Output) >= 0);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"type":"duration","seconds":3}""")]
    [InlineData("""{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}""")]
    [InlineData("""{"prompt_tokens":null}""")]
    public void A_usage_without_tokens_reports_none(string usage)
    {
        Assert.Null(TokenUsage.Find(Encoding.UTF8.GetBytes($$"""{"usage":{{usage}}}""")));

        var facts = new StreamFacts(choices: 1);
        Assert.Equal(EventKind.UsageOnly, facts.Read(Encoding.UTF8.GetBytes($$"""{"choices":[],"usage":{{usage}}}""")));
        Assert.Null(facts.Usage);
    }
}
