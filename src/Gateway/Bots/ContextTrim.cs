using System.Text.Json;

namespace Gateway.Bots;

/// <summary>
/// Makes a conversation fit into a model's context: the oldest tool results are shortened first, then the oldest turns left out.
/// What the user asked last, and what came of it, stays. Pure.
/// </summary>
internal static class ContextTrim
{
    /// <summary>What is left of a tool result, in characters; one hardly longer is left alone.</summary>
    private const int Kept = 400;

    /// <param name="room">For the messages, in estimated tokens.</param>
    /// <returns>How many results were shortened, and how many turns left out.</returns>
    public static (int Results, int Turns) Fit(TurnMessages messages, long room)
    {
        var (results, turns) = (0, 0);
        var used = messages.All.Sum(m => m.Tokens);
        for (var i = 0; i < messages.All.Count && used > room; i++)
        {
            var message = messages.All[i];
            if (message.IsToolResult && Shortened(message) is { } shorter)
            {
                messages.Replace(i, shorter);
                used -= message.Tokens - shorter.Tokens;
                results++;
            }
        }

        while (used > room && FirstTurn(messages.All) is { } count)
        {
            used -= messages.All.Take(count).Sum(m => m.Tokens);
            messages.RemoveFirst(count);
            turns++;
        }

        return (results, turns);
    }

    /// <summary>How many messages there are before the second one of the user; null when there is no second one.</summary>
    private static int? FirstTurn(IReadOnlyList<TurnMessage> messages)
    {
        for (var i = 1; i < messages.Count; i++)
        {
            if (messages[i].Role == "user")
            {
                return i;
            }
        }

        return null;
    }

    private static TurnMessage? Shortened(TurnMessage message)
    {
        using var json = JsonDocument.Parse(message.Json);
        return JsonParts.Text(json.RootElement, "content"u8) is { } text && text.Length > 2 * Kept
            ? new TurnMessage(
                message.Role, JsonParts.With(json.RootElement, "content", w => w.WriteStringValue(DataText.Shorten(text, Kept))), message.Position,
                message.IsHidden)
            : null;
    }
}
