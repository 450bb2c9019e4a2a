using System.Buffers;
using System.Text;
using System.Text.Json;
using Gateway.Http;

namespace Gateway.Bots;

/// <summary>
/// Makes the request of each step: the bot's system prompt, the conversation, the parameters of both bot and caller, and the
/// tools. Not for concurrent use.
/// </summary>
internal sealed class TurnBody
{
    private readonly JsonBody _caller;
    private readonly JsonBody _own;
    private readonly Bot _bot;
    private readonly List<(string Name, ReadOnlyMemory<byte> Value)> _parameters = [];
    private readonly (string? Name, double Limit, ReadOnlyMemory<byte> Raw) _ownLimit;
    private readonly (string? Name, double Limit, ReadOnlyMemory<byte> Raw) _callerLimit;

    /// <param name="caller">The request as the caller sent it.</param>
    /// <param name="dropped">Takes the names of parameters in which the caller has no say.</param>
    public TurnBody(JsonBody caller, Bot bot, List<string> dropped)
    {
        (_caller, _bot) = (caller, bot);
        JsonBody.TryRead(bot.Parameters, null, out _own, out _);
        ReadParameters(dropped);
        _ownLimit = OutputLimit(_own);
        _callerLimit = OutputLimit(caller);
        if (_callerLimit.Name is not null && (bot.LockedParameters.Contains("max_tokens") || bot.LockedParameters.Contains("max_completion_tokens")))
        {
            dropped.Add(_callerLimit.Name);
            _callerLimit = default;
        }

        CallerTools = CallerTools.Read(Find("tools", JsonTokenType.StartArray), Find("tool_choice", null));
    }

    public CallerTools CallerTools { get; }

    /// <summary>Whether the answer is to have a form that text of several steps would not have.</summary>
    public bool HasAnswerForm
    {
        get
        {
            if (Find("response_format", JsonTokenType.StartObject) is not { } format)
            {
                return false;
            }

            using var json = JsonDocument.Parse(format);
            return JsonParts.Text(json.RootElement, "type"u8) is not (null or "text");
        }
    }

    /// <summary>Whether the caller's limit for the whole turn leaves no token.</summary>
    public bool IsUsedUp(long used) => used > 0 && _callerLimit.Name is not null && _callerLimit.Limit - used < 1;

    /// <param name="offer">Null: the bot has no tools of its own, and the caller's travel as they came.</param>
    /// <param name="used">Tokens that earlier steps used of the caller's limit.</param>
    /// <param name="most">Tokens that the step may say whatever the caller and the bot allow; null: as many as those.</param>
    public JsonBody Compose(string prompt, TurnMessages messages, Toolset tools, ToolOffer? offer, long used, int? most)
    {
        var written = new ArrayBufferWriter<byte>(_caller.Bytes.Length + prompt.Length + 256);
        using (var json = new Utf8JsonWriter(written, JsonParts.Plain))
        {
            json.WriteStartObject();
            json.WriteString("model", _bot.Model);
            WriteMessages(json, prompt, messages);
            WriteParameters(json, offer);
            if (offer is not null)
            {
                WriteTools(json, tools, offer);
            }

            WriteOutputLimit(json, used, most);
            json.WriteBoolean("stream", true);
            json.WriteStartObject("stream_options");
            json.WriteBoolean("include_usage", true);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        return JsonBody.TryRead(written.WrittenMemory, null, out var body, out var error)
            ? body
            : throw new InvalidOperationException($"A composed body cannot be read: {error!.Message}");
    }

    private static void WriteMessages(Utf8JsonWriter json, string prompt, TurnMessages messages)
    {
        json.WriteStartArray("messages");
        if (prompt.Length > 0)
        {
            json.WriteStartObject();
            json.WriteString("role", "system");
            json.WriteString("content", prompt);
            json.WriteEndObject();
        }

        foreach (var message in messages.All)
        {
            json.WriteRawValue(message.Json, skipInputValidation: true);
        }

        json.WriteEndArray();
    }

    private void WriteParameters(Utf8JsonWriter json, ToolOffer? offer)
    {
        var hasTools = offer is null || offer.OfBot || offer.OfCaller.Count > 0;
        foreach (var (name, value) in _parameters)
        {
            if ((offer is null || name is not ("tools" or "tool_choice")) && (hasTools || name != "parallel_tool_calls"))
            {
                json.WritePropertyName(name);
                json.WriteRawValue(value.Span, skipInputValidation: true);
            }
        }
    }

    private static void WriteTools(Utf8JsonWriter json, Toolset tools, ToolOffer offer)
    {
        if (offer.OfBot || offer.OfCaller.Count > 0)
        {
            json.WriteStartArray("tools");
            foreach (var (name, tool) in offer.OfBot ? tools.Named : [])
            {
                json.WriteStartObject();
                json.WriteString("type", "function");
                json.WriteStartObject("function");
                json.WriteString("name", name);
                json.WriteString("description", tool.Description);
                json.WritePropertyName("parameters");
                json.WriteRawValue(tool.Parameters.Span, skipInputValidation: true);
                json.WriteEndObject();
                json.WriteEndObject();
            }

            foreach (var tool in offer.OfCaller)
            {
                json.WriteRawValue(tool.Span, skipInputValidation: true);
            }

            json.WriteEndArray();
        }

        if (offer.Choice is { } choice)
        {
            json.WritePropertyName("tool_choice");
            json.WriteRawValue(choice.Span, skipInputValidation: true);
        }
    }

    private void ReadParameters(List<string> dropped)
    {
        foreach (ref readonly var member in _caller.Members)
        {
            var name = Encoding.UTF8.GetString(_caller.Name(member));
            // A wish to search the web is the bot's to fulfil, whose model may know nothing of it.
            if (name is "model" or "messages" or "stream" or "stream_options" or "web_search_options" || IsOutputLimit(name))
            {
                continue;
            }

            if (_bot.LockedParameters.Contains(name))
            {
                // A null means absent: there was nothing to take from.
                if (member.Kind != JsonTokenType.Null)
                {
                    dropped.Add(name);
                }

                continue;
            }

            // A null means absent: it takes nothing from what the owner set.
            if (member.Kind == JsonTokenType.Null && _own.TryGet(_caller.Name(member), out _))
            {
                continue;
            }

            _parameters.Add((name, _caller.Value(member)));
        }

        foreach (ref readonly var member in _own.Members)
        {
            var name = Encoding.UTF8.GetString(_own.Name(member));
            if (name != "web_search_options" && !IsOutputLimit(name)
                && (_bot.LockedParameters.Contains(name) || !_caller.TryGet(_own.Name(member), out _)))
            {
                _parameters.Add((name, _own.Value(member)));
            }
        }
    }

    /// <summary>A parameter as it is sent; null where it is not, or is null.</summary>
    /// <param name="kind">What it begins with, for it to count; null: anything.</param>
    private ReadOnlyMemory<byte>? Find(string name, JsonTokenType? kind)
    {
        var at = _parameters.FindIndex(p => p.Name == name);
        if (at < 0)
        {
            return null;
        }

        var reader = new Utf8JsonReader(_parameters[at].Value.Span);
        reader.Read();
        return reader.TokenType == JsonTokenType.Null || (kind is { } wanted && reader.TokenType != wanted) ? null : _parameters[at].Value;
    }

    /// <summary>The caller's limit is for the whole turn, the bot's for a step: the smaller of them holds.</summary>
    private void WriteOutputLimit(Utf8JsonWriter json, long used, int? most)
    {
        var (ownName, ownLimit, ownRaw) = _ownLimit;
        var (name, limit, raw) = _callerLimit;
        if ((name ?? ownName ?? (most is null ? null : "max_tokens")) is not { } written)
        {
            return;
        }

        json.WritePropertyName(written);
        if (most is null && (name is null || (ownName is null && used == 0)))
        {
            // Of one limit nothing is to be made: it is the upstream's to read.
            json.WriteRawValue(name is null ? ownRaw.Span : raw.Span, skipInputValidation: true);
        }
        else
        {
            var left = Math.Min(name is null ? double.MaxValue : limit - used, ownName is null ? double.MaxValue : ownLimit);
            json.WriteNumberValue((long)Math.Clamp(Math.Floor(Math.Min(left, most ?? double.MaxValue)), long.MinValue, long.MaxValue));
        }
    }

    private static (string? Name, double Limit, ReadOnlyMemory<byte> Raw) OutputLimit(JsonBody body)
    {
        foreach (ref readonly var member in body.Members)
        {
            var name = Encoding.UTF8.GetString(body.Name(member));
            if (!IsOutputLimit(name) || member.Kind != JsonTokenType.Number)
            {
                continue;
            }

            var reader = new Utf8JsonReader(body.Value(member).Span);
            reader.Read();
            return (name, reader.GetDouble(), body.Value(member));
        }

        return (null, 0, default);
    }

    private static bool IsOutputLimit(string name) => name is "max_tokens" or "max_completion_tokens";
}
