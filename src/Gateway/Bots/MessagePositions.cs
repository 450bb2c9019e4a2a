using System.Globalization;
using System.Text.RegularExpressions;
using Gateway.Http;

namespace Gateway.Bots;

/// <summary>
/// An upstream that refuses a message names its position in what the bot sent, where the system prompt stands first, hidden
/// steps stand between, and the caller's own system messages are part of the prompt. The caller is told the position in what
/// the caller sent. Pure.
/// </summary>
internal static partial class MessagePositions
{
    /// <param name="messages">As they were sent, behind the system prompt.</param>
    /// <param name="prompts">How many messages the system prompt was: one, or none.</param>
    /// <param name="ownTools">How many tools of the bot's own stood before the caller's.</param>
    public static ApiError Restore(ApiError error, IReadOnlyList<TurnMessage> messages, int prompts, int ownTools)
    {
        return error with
        {
            Param = error.Param is { } param ? Restored(param) : null,
            Message = Restored(error.Message),
        };

        string Restored(string text) => ToolPosition().Replace(
            MessagePosition().Replace(text, m => OfMessage(m, messages, prompts)), m => OfTool(m, ownTools));
    }

    /// <summary>In the system prompt no single message of the caller's is to be found any more.</summary>
    private static string OfMessage(Match sent, IReadOnlyList<TurnMessage> messages, int prompts)
    {
        var index = Index(sent) - prompts;
        return index >= 0 && index < messages.Count && messages[index].Position is { } position
            ? string.Create(CultureInfo.InvariantCulture, $"messages[{position}]")
            : "messages";
    }

    private static string OfTool(Match sent, int ownTools) => Index(sent) is var index && index >= ownTools
        ? string.Create(CultureInfo.InvariantCulture, $"tools[{index - ownTools}]")
        : "tools";

    private static int Index(Match sent) => int.Parse(sent.Groups[1].ValueSpan, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"messages\[([0-9]{1,6})\]")]
    private static partial Regex MessagePosition();

    [GeneratedRegex(@"\btools\[([0-9]{1,6})\]")]
    private static partial Regex ToolPosition();
}
