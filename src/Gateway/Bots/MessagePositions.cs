using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Gateway.Http;

namespace Gateway.Bots;

/// <summary>
/// An upstream that refuses a message names its position in what the bot sent, where the system prompt stands first and
/// the caller's own system messages are part of it. The caller is told the position in what the caller sent.
/// </summary>
internal static partial class MessagePositions
{
    public static ApiError Restore(ApiError error, JsonBody callers, JsonBody sent)
    {
        if (error.Param?.StartsWith("messages[", StringComparison.Ordinal) != true
            && !error.Message.Contains("messages[", StringComparison.Ordinal))
        {
            return error;
        }

        using var messages = Messages(callers);
        using var composed = Messages(sent);
        List<int> kept = [];
        var position = 0;
        foreach (var message in messages.RootElement.EnumerateArray())
        {
            if (!TurnBody.IsSystem(message))
            {
                kept.Add(position);
            }

            position++;
        }

        // One when there is a system prompt, which a bot without a backstory may lack.
        var added = composed.RootElement.GetArrayLength() - kept.Count;
        return error with
        {
            Param = error.Param is null ? null : Position().Replace(error.Param, m => Of(m, kept, added)),
            Message = Position().Replace(error.Message, m => Of(m, kept, added)),
        };
    }

    private static JsonDocument Messages(JsonBody body)
    {
        body.TryGet("messages"u8, out var member);
        var reader = new Utf8JsonReader(body.Value(member).Span);
        return JsonDocument.ParseValue(ref reader);
    }

    /// <summary>In the system prompt no single message of the caller's is to be found any more.</summary>
    private static string Of(Match sent, List<int> kept, int added)
    {
        var index = int.Parse(sent.Groups[1].ValueSpan, CultureInfo.InvariantCulture) - added;
        return index >= 0 && index < kept.Count
            ? string.Create(CultureInfo.InvariantCulture, $"messages[{kept[index]}]")
            : "messages";
    }

    [GeneratedRegex(@"messages\[([0-9]{1,6})\]")]
    private static partial Regex Position();
}
