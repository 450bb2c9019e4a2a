using System.Text.Json;
using Gateway.Http;
using Gateway.Upstream;

namespace Gateway.Bots;

/// <summary>One message as the model is sent it.</summary>
/// <param name="role">Empty for one that is not known here.</param>
/// <param name="position">In what the caller sent; null: it did not send it.</param>
/// <param name="isHidden">Whether the caller has not seen it: it is a step of the bot's, of this request or an earlier one.</param>
internal sealed class TurnMessage(string role, byte[] json, int? position, bool isHidden = false)
{
    private long? _tokens;

    public string Role { get; } = role;

    public byte[] Json { get; } = json;

    public int? Position { get; } = position;

    public bool IsHidden { get; } = isHidden;

    /// <summary>An estimate.</summary>
    public long Tokens => _tokens ??= PromptEstimate.Tokens(Json);

    public bool IsToolResult => Role is "tool" or "function";
}

/// <summary>
/// The conversation of a turn: the caller's messages but for those that become part of the system prompt, and behind them
/// what the turn adds. Not for concurrent use.
/// </summary>
internal sealed class TurnMessages
{
    private static readonly string[] Roles = ["user", "assistant", "tool", "function"];

    private readonly List<TurnMessage> _all = [];
    private readonly List<string> _system = [];

    private TurnMessages()
    {
    }

    public IReadOnlyList<TurnMessage> All => _all;

    /// <summary>Texts of the caller's own system messages.</summary>
    public IReadOnlyList<string> System => _system;

    /// <summary>Text of the last message of the user; empty when there is none.</summary>
    public string Question { get; private set; } = "";

    /// <exception cref="InvalidOperationException">A system message holds half of a surrogate pair.</exception>
    public static TurnMessages Read(JsonBody caller)
    {
        caller.TryGet("messages"u8, out var member);
        var reader = new Utf8JsonReader(caller.Value(member).Span);
        using var list = JsonDocument.ParseValue(ref reader);
        var messages = new TurnMessages();
        var position = 0;
        foreach (var message in list.RootElement.EnumerateArray())
        {
            messages.Add(message, position++);
        }

        return messages;
    }

    /// <summary>The same conversation for another bot that takes it over.</summary>
    public TurnMessages Copy()
    {
        var copy = new TurnMessages { Question = Question };
        copy._all.AddRange(_all);
        copy._system.AddRange(_system);
        return copy;
    }

    public void Add(TurnMessage message) => _all.Add(message);

    /// <summary>Puts others in a message's place.</summary>
    public void Replace(int index, params IEnumerable<TurnMessage> messages)
    {
        _all.RemoveAt(index);
        _all.InsertRange(index, messages);
    }

    public void RemoveFirst(int count) => _all.RemoveRange(0, count);

    private void Add(JsonElement message, int position)
    {
        message.TryGetProperty("role", out var role);
        if (role.ValueEquals("system"u8) || role.ValueEquals("developer"u8))
        {
            _system.Add(TextOf(message));
            return;
        }

        var name = Roles.FirstOrDefault(role.ValueEquals) ?? "";
        if (name == "user")
        {
            Question = Readable(message);
        }

        _all.Add(new TurnMessage(name, JsonParts.Raw(message), position));
    }

    private static string Readable(JsonElement message)
    {
        try
        {
            return TextOf(message);
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair: the upstream's to judge, and nothing to search with.
            return "";
        }
    }

    private static string TextOf(JsonElement message)
    {
        if (!message.TryGetProperty("content", out var content))
        {
            return "";
        }

        if (content.ValueKind == JsonValueKind.String)
        {
            return content.GetString()!;
        }

        return content.ValueKind != JsonValueKind.Array
            ? ""
            : string.Join("\n", content.EnumerateArray()
                .Where(p => p.ValueKind == JsonValueKind.Object && p.TryGetProperty("text", out var t) && t.ValueKind == JsonValueKind.String)
                .Select(p => p.GetProperty("text").GetString()));
    }
}
