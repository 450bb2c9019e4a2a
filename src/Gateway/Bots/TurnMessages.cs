using System.Text.Json;
using Gateway.Http;
using Gateway.Upstream;

namespace Gateway.Bots;

/// <summary>One message as the model is sent it.</summary>
/// <param name="role">Empty for one that is not known here.</param>
/// <param name="json">Of what the caller sent, the caller's own bytes: they stay as they are while the turn runs.</param>
/// <param name="position">In what the caller sent; null: it did not send it.</param>
/// <param name="isHidden">Whether the caller has not seen it: it is a step of the bot's, of this request or an earlier one.</param>
internal sealed class TurnMessage(string role, ReadOnlyMemory<byte> json, int? position, bool isHidden = false)
{
    private long? _tokens;

    public string Role { get; } = role;

    public ReadOnlyMemory<byte> Json { get; } = json;

    public int? Position { get; } = position;

    public bool IsHidden { get; } = isHidden;

    /// <summary>An estimate.</summary>
    public long Tokens => _tokens ??= PromptEstimate.Tokens(Json.Span);

    public bool IsToolResult => Role is "tool" or "function";
}

/// <summary>
/// The conversation of a turn: the caller's messages but for those that become part of the system prompt, and behind them
/// what the turn adds. Not for concurrent use.
/// </summary>
internal sealed class TurnMessages
{
    private readonly List<TurnMessage> _all = [];
    private List<string>? _system;
    private ReadOnlyMemory<byte> _asked;
    private string? _question;

    private TurnMessages()
    {
    }

    public IReadOnlyList<TurnMessage> All => _all;

    /// <summary>Texts of the caller's own system messages.</summary>
    public IReadOnlyList<string> System => _system ?? (IReadOnlyList<string>)[];

    /// <summary>Text of the last message of the user; empty when there is none. Made when it is first asked for.</summary>
    public string Question => _question ??= _asked.IsEmpty ? "" : Readable(_asked);

    /// <exception cref="InvalidOperationException">A system message holds half of a surrogate pair.</exception>
    public static TurnMessages Read(JsonBody caller)
    {
        caller.TryGet("messages"u8, out var member);
        var list = caller.Value(member);
        var reader = new Utf8JsonReader(list.Span);
        reader.Read();
        var messages = new TurnMessages();
        for (var position = 0; reader.Read() && reader.TokenType == JsonTokenType.StartObject; position++)
        {
            var start = (int)reader.TokenStartIndex;
            var (role, isSystem) = ReadRole(ref reader);
            messages.Add(list[start..(int)reader.BytesConsumed], role, isSystem, position);
        }

        return messages;
    }

    /// <summary>The same conversation for another bot that takes it over.</summary>
    public TurnMessages Copy()
    {
        var copy = new TurnMessages { _asked = _asked, _question = _question, _system = _system };
        copy._all.AddRange(_all);
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

    /// <summary>A message's role; the reader stands at its brace and is left at its end.</summary>
    /// <exception cref="InvalidOperationException">It has none.</exception>
    private static (string Role, bool IsSystem) ReadRole(ref Utf8JsonReader message)
    {
        string? role = null;
        var isSystem = false;
        while (message.Read() && message.TokenType == JsonTokenType.PropertyName)
        {
            var isRole = message.ValueTextEquals("role"u8);
            message.Read();
            if (isRole)
            {
                isSystem = message.ValueTextEquals("system"u8) || message.ValueTextEquals("developer"u8);
                role = message.ValueTextEquals("user"u8) ? "user" : message.ValueTextEquals("assistant"u8) ? "assistant"
                    : message.ValueTextEquals("tool"u8) ? "tool" : message.ValueTextEquals("function"u8) ? "function" : "";
            }

            message.Skip();
        }

        return (role ?? throw new InvalidOperationException("A message has no role."), isSystem);
    }

    private void Add(ReadOnlyMemory<byte> message, string role, bool isSystem, int position)
    {
        if (isSystem)
        {
            (_system ??= []).Add(TextOf(message));
            return;
        }

        _asked = role == "user" ? message : _asked;
        _all.Add(new TurnMessage(role, message, position));
    }

    private static string Readable(ReadOnlyMemory<byte> message)
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

    private static string TextOf(ReadOnlyMemory<byte> message)
    {
        using var json = JsonDocument.Parse(message);
        if (!json.RootElement.TryGetProperty("content", out var content))
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
