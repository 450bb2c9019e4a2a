using System.Globalization;

namespace Gateway.Bots;

/// <summary>Makes the system prompt of a turn. Pure.</summary>
internal static class Backstory
{
    /// <summary>
    /// The owner's text with <c>{date}</c>, <c>{time}</c> (UTC), <c>{bot.name}</c> and <c>{workspace}</c> filled in; any
    /// other brace stays as typed. One pass, so that a value which looks like a placeholder is not expanded again.
    /// </summary>
    public static string Expand(string text, string botName, string workspace, DateTimeOffset now)
    {
        if (!text.Contains('{', StringComparison.Ordinal))
        {
            return text;
        }

        var expanded = new System.Text.StringBuilder(text.Length + 32);
        var rest = text.AsSpan();
        while (rest.IndexOf('{') is >= 0 and var open)
        {
            expanded.Append(rest[..open]);
            rest = rest[open..];
            var (length, value) = rest switch
            {
                _ when rest.StartsWith("{date}") => (6, now.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)),
                _ when rest.StartsWith("{time}") => (6, now.UtcDateTime.ToString("HH:mm", CultureInfo.InvariantCulture)),
                _ when rest.StartsWith("{bot.name}") => (10, botName),
                _ when rest.StartsWith("{workspace}") => (11, workspace),
                _ => (1, "{"),
            };
            expanded.Append(value);
            rest = rest[length..];
        }

        return expanded.Append(rest).ToString();
    }

    /// <summary>The backstory and what the caller's own system messages add to it; never in its place.</summary>
    public static string Compose(string backstory, IReadOnlyList<string> callerSystem) =>
        string.Join("\n\n", callerSystem.Prepend(backstory.Trim()).Where(part => part.Length > 0));
}
