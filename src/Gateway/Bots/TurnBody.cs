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
    private readonly BotBasis _bot;
    private readonly List<Parameter> _parameters = new(8);
    private readonly OutputLimit _callerLimit;
    private CallerTools? _callerTools;

    /// <param name="caller">The request as the caller sent it.</param>
    /// <param name="dropped">Takes the names of parameters in which the caller has no say.</param>
    /// <exception cref="InvalidOperationException">A name in the caller's tools holds half of a surrogate pair.</exception>
    public TurnBody(JsonBody caller, Bot bot, List<string> dropped)
    {
        (_caller, _bot) = (caller, bot.Basis);
        ReadParameters(dropped);
        _callerLimit = OutputLimit.Of(caller);
        if (_callerLimit.Name is not null && (_bot.IsLocked("max_tokens"u8) || _bot.IsLocked("max_completion_tokens"u8)))
        {
            dropped.Add(_callerLimit.Name);
            _callerLimit = default;
        }

        // Most turns never ask for them; what cannot be read is to be known before anything is sent.
        if (HasEscapes(Find("tools"u8, JsonTokenType.StartArray)) || HasEscapes(Find("tool_choice"u8, null)))
        {
            _ = CallerTools;
        }
    }

    /// <summary>One that is sent, of the caller's body or the bot's own.</summary>
    private readonly record struct Parameter(JsonBody Body, int At)
    {
        public ReadOnlySpan<byte> Name => Body.Name(Body.Members[At]);

        public ReadOnlyMemory<byte> Value => Body.Value(Body.Members[At]);

        public JsonTokenType Kind => Body.Members[At].Kind;
    }

    public CallerTools CallerTools => _callerTools ??= CallerTools.Read(Find("tools"u8, JsonTokenType.StartArray), Find("tool_choice"u8, null));

    /// <summary>Whether the answer is to have a form that text of several steps would not have.</summary>
    public bool HasAnswerForm
    {
        get
        {
            if (Find("response_format"u8, JsonTokenType.StartObject) is not { } format)
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
    public JsonBody Compose(SystemPrompt prompt, TurnMessages messages, Toolset tools, ToolOffer? offer, long used, int? most)
    {
        var json = new JsonBodyWriter(_caller.Bytes.Length + prompt.Message.Length + 256);
        json.Name("model"u8);
        json.Write(_bot.ModelJson);
        WriteMessages(json, prompt, messages);
        WriteParameters(json, offer);
        if (offer is not null)
        {
            WriteTools(json, tools, offer);
        }

        OutputLimit.Write(json, _bot.OutputLimit, _callerLimit, used, most);
        json.Name("stream"u8);
        json.Write("true"u8);
        json.Name("stream_options"u8);
        json.Write("{\"include_usage\":true}"u8);
        return json.ToBody();
    }

    private static void WriteMessages(JsonBodyWriter json, SystemPrompt prompt, TurnMessages messages)
    {
        json.Name("messages"u8);
        json.Write("["u8);
        json.Write(prompt.Message);
        var isFirst = prompt.Message.Length == 0;
        for (var i = 0; i < messages.All.Count; i++)
        {
            json.Write(isFirst ? default : ","u8);
            json.Write(messages.All[i].Json.Span);
            isFirst = false;
        }

        json.Write("]"u8);
    }

    private void WriteParameters(JsonBodyWriter json, ToolOffer? offer)
    {
        var hasTools = offer is null || offer.OfBot || offer.OfCaller.Count > 0;
        foreach (var parameter in _parameters)
        {
            var name = parameter.Name;
            if ((offer is null || !(name.SequenceEqual("tools"u8) || name.SequenceEqual("tool_choice"u8)))
                && (hasTools || !name.SequenceEqual("parallel_tool_calls"u8)))
            {
                json.Name(name);
                json.Write(parameter.Value.Span);
            }
        }
    }

    private static void WriteTools(JsonBodyWriter body, Toolset tools, ToolOffer offer)
    {
        if (offer.OfBot || offer.OfCaller.Count > 0)
        {
            body.Name("tools"u8);
            using var json = new Utf8JsonWriter(body, JsonParts.Plain);
            json.WriteStartArray();
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
            body.Name("tool_choice"u8);
            body.Write(choice.Span);
        }
    }

    private void ReadParameters(List<string> dropped)
    {
        var own = _bot.Parameters;
        for (var i = 0; i < _caller.Members.Length; i++)
        {
            ref readonly var member = ref _caller.Members[i];
            var name = _caller.Name(member);
            if (IsNone(name) || name.SequenceEqual("model"u8) || name.SequenceEqual("messages"u8) || name.SequenceEqual("stream"u8)
                || name.SequenceEqual("stream_options"u8))
            {
                continue;
            }

            // A null means absent: there is nothing to take from it, and it takes nothing from what the owner set.
            if (_bot.IsLocked(name))
            {
                if (member.Kind != JsonTokenType.Null)
                {
                    dropped.Add(Encoding.UTF8.GetString(name));
                }
            }
            else if (member.Kind != JsonTokenType.Null || !own.TryGet(name, out _))
            {
                _parameters.Add(new Parameter(_caller, i));
            }
        }

        for (var i = 0; i < own.Members.Length; i++)
        {
            var name = own.Name(own.Members[i]);
            if (!IsNone(name) && (_bot.IsLocked(name) || !_caller.TryGet(name, out _)))
            {
                _parameters.Add(new Parameter(own, i));
            }
        }
    }

    /// <summary>Whether it is no parameter of the model's, or one that is written apart.</summary>
    // A wish to search the web is the bot's to fulfil, whose model may know nothing of it.
    private static bool IsNone(ReadOnlySpan<byte> name) => name.SequenceEqual("web_search_options"u8) || OutputLimit.IsOne(name);

    private static bool HasEscapes(ReadOnlyMemory<byte>? json) => json is { } value && value.Span.IndexOf("\\u"u8) >= 0;

    /// <summary>A parameter as it is sent; null where it is not, or is null.</summary>
    /// <param name="kind">What it begins with, for it to count; null: anything.</param>
    private ReadOnlyMemory<byte>? Find(ReadOnlySpan<byte> name, JsonTokenType? kind)
    {
        foreach (var parameter in _parameters)
        {
            if (parameter.Name.SequenceEqual(name))
            {
                return parameter.Kind == JsonTokenType.Null || (kind is { } wanted && parameter.Kind != wanted) ? null : parameter.Value;
            }
        }

        return null;
    }
}
