using Gateway.Bots;

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
}
