using System.Text;
using System.Text.Json;

namespace Gateway.Bots;

/// <summary>Makes the system prompt of a turn: the backstory, how to use the tools, the caller's own words, what was found. Pure.</summary>
internal static class TurnPrompt
{
    private const string HowToCite =
        "Sources have a number in square brackets. Where your answer rests on one, write its number behind the sentence, as in [1]; "
        + "use no number that you were not given.";

    /// <param name="alone">Of the story by itself, which is all that most turns have.</param>
    public static SystemPrompt Compose(string story, SystemPrompt alone, Toolset tools, TurnScope scope)
    {
        List<string> parts = [.. tools.Guidance];
        if (scope.Bot.Datasets.Count > 0 || scope.Context.MaySearchWeb || !scope.Context.Citations.IsEmpty)
        {
            parts.Add(HowToCite);
        }

        if (scope.HandedOverWith is { } words)
        {
            parts.Add($"Another assistant has handed this conversation over to you; answer the user yourself.\n{DataText.Of("what it said to you", words)}");
        }

        parts.AddRange(scope.Messages.System);
        parts.AddRange(tools.Data);
        return parts.Count == 0 ? alone : SystemPrompt.Of(Backstory.Compose(story, parts));
    }

    /// <summary>All that the bot added to what is sent, which no refusal may quote to the caller.</summary>
    public static string Private(string prompt, string story, Toolset tools, TurnScope scope)
    {
        // The caller's own words stand in the prompt as well, and are no secret to it.
        var text = new StringBuilder(scope.Messages.System.Count == 0 ? prompt : story);
        foreach (var part in tools.Guidance.Concat(tools.Data).Concat(tools.Tools.Select(t => t.Description)))
        {
            text.Append('\n').Append(part);
        }

        foreach (var message in scope.Messages.All.Where(m => m.IsHidden))
        {
            // As it is written and as it reads: a refusal may quote either.
            text.Append('\n').Append(Encoding.UTF8.GetString(message.Json.Span));
            using var json = JsonDocument.Parse(message.Json);
            AddTexts(json.RootElement, text);
        }

        return text.ToString();
    }

    private static void AddTexts(JsonElement item, StringBuilder text)
    {
        switch (item.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var member in item.EnumerateObject())
                {
                    AddTexts(member.Value, text);
                }

                break;
            case JsonValueKind.Array:
                foreach (var one in item.EnumerateArray())
                {
                    AddTexts(one, text);
                }

                break;
            case JsonValueKind.String:
                text.Append('\n').Append(item.GetString());
                break;
        }
    }
}
