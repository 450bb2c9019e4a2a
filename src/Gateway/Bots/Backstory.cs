using System.Globalization;
using Gateway.Http;

namespace Gateway.Bots;

/// <summary>Makes the system prompt of a turn. Pure.</summary>
internal static class Backstory
{
    /// <summary>So many characters in a row that stand in the backstory are a quotation, in characters.</summary>
    private const int QuoteLength = 20;

    /// <summary>What is read of a refusal's words, and passed on of them, in characters.</summary>
    private const int LongestRead = 2_000;

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

    /// <summary>
    /// A refusal without its words when they quote the backstory: an upstream may repeat what it refuses, and the backstory
    /// is its owner's alone.
    /// </summary>
    public static ApiError Conceal(ApiError error, string backstory)
    {
        var words = error.Message.AsSpan(0, Math.Min(error.Message.Length, LongestRead));
        for (var at = 0; at + QuoteLength <= words.Length; at += QuoteLength / 4)
        {
            if (backstory.AsSpan().IndexOf(words.Slice(at, QuoteLength), StringComparison.Ordinal) >= 0)
            {
                return error with { Message = "The bot's model refused the request." };
            }
        }

        return error.Message.Length > LongestRead ? error with { Message = error.Message[..LongestRead] } : error;
    }

    /// <summary>The backstory and what the caller's own system messages add to it; never in its place.</summary>
    public static string Compose(string backstory, IReadOnlyList<string> callerSystem) =>
        string.Join("\n\n", callerSystem.Prepend(backstory.Trim()).Where(part => part.Length > 0));
}
