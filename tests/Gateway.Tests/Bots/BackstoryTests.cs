using Gateway.Bots;
using Gateway.Http;

namespace Gateway.Tests.Bots;

public sealed class BackstoryTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 7, 23, 5, 59, TimeSpan.FromHours(-3));

    [Theory]
    [InlineData("No braces.", "No braces.")]
    [InlineData("", "")]
    [InlineData("On {date} at {time}.", "On 2026-03-08 at 02:05.")]
    [InlineData("{bot.name} of {workspace}", "Ada {time} of acme")]
    [InlineData("{date}{date}", "2026-03-082026-03-08")]
    [InlineData("{Date} {bot} {bot.name } {secret:x} {{date}} {", "{Date} {bot} {bot.name } {secret:x} {2026-03-08} {")]
    [InlineData("function() { return {}; }", "function() { return {}; }")]
    public void The_owners_placeholders_are_filled_in_and_nothing_else(string text, string expanded) =>
        // The bot's own name looks like a placeholder: what was filled in is not looked at again.
        Assert.Equal(expanded, Backstory.Expand(text, "Ada {time}", "acme", Now));

    [Theory]
    [InlineData("Story.\n", new string[0], "Story.")]
    [InlineData("Story.", new[] { "Be brief.", "", "{date}" }, "Story.\n\nBe brief.\n\n{date}")]
    [InlineData("", new[] { "Be brief." }, "Be brief.")]
    [InlineData("  ", new string[0], "")]
    public void The_callers_system_messages_are_appended(string story, string[] system, string prompt) =>
        Assert.Equal(prompt, Backstory.Compose(story, system));

    [Theory]
    [InlineData("Invalid value: 'You never mention the secret discount of 12 %.' at messages[0].", true)]
    [InlineData("x You never mention the secret y", true)]
    [InlineData("This model's maximum context length is 8 tokens.", false)]
    [InlineData("", false)]
    public void A_refusal_that_quotes_the_backstory_loses_its_words_alone(string words, bool isConcealed)
    {
        var said = ApiError.FromUpstream(400, "invalid_request_error", "invalid_value", words, "messages[0]", null);

        var told = Backstory.Conceal(said, "You are Ada. You never mention the secret discount of 12 %. Be brief.");

        Assert.Equal(isConcealed, told.Message != words);
        Assert.DoesNotContain("secret", told.Message, StringComparison.Ordinal);
        Assert.Equal((400, "invalid_value"), (told.Status, told.Code));
    }
}
