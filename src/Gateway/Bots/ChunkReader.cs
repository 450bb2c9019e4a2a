using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Gateway.Upstream;

namespace Gateway.Bots;

/// <summary>Reads the chunks of a step into events. Only the first choice counts: a turn has one answer.</summary>
internal sealed partial class ChunkReader
{
    private readonly List<BotEvent> _events = new(4);

    /// <summary>As the upstream said it; <c>stop</c> for a word that OpenAI's clients do not know.</summary>
    public string FinishReason { get; private set; } = "stop";

    /// <summary>What one chunk says. The list is used again by the next call.</summary>
    public IReadOnlyList<BotEvent> Read(ReadOnlySpan<byte> data)
    {
        _events.Clear();
        var json = new Utf8JsonReader(data, new JsonReaderOptions { MaxDepth = PlainReply.MaxDepth });
        json.Read();
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var isChoices = json.ValueSpan.SequenceEqual("choices"u8);
            json.Read();
            if (!isChoices || json.TokenType != JsonTokenType.StartArray)
            {
                json.Skip();
                continue;
            }

            while (json.Read() && json.TokenType == JsonTokenType.StartObject)
            {
                ReadChoice(data, ref json);
            }
        }

        return _events;
    }

    private void ReadChoice(ReadOnlySpan<byte> data, ref Utf8JsonReader json)
    {
        byte[]? logprobs = null;
        var from = _events.Count;
        var isFirst = true;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueSpan.SequenceEqual("delta"u8))
            {
                json.Read();
                if (json.TokenType == JsonTokenType.StartObject)
                {
                    ReadDelta(ref json);
                }
            }
            else if (json.ValueSpan.SequenceEqual("finish_reason"u8))
            {
                json.Read();
                if (json.TokenType == JsonTokenType.String && isFirst && json.ValueSpan.Length > 0)
                {
                    FinishReason = Known(Text(ref json));
                }
            }
            else if (json.ValueSpan.SequenceEqual("index"u8))
            {
                json.Read();
                isFirst = json.TokenType != JsonTokenType.Number || (json.TryGetInt32(out var index) && index == 0);
            }
            else
            {
                var isLogprobs = json.ValueSpan.SequenceEqual("logprobs"u8);
                json.Read();
                var start = (int)json.TokenStartIndex;
                var isObject = json.TokenType == JsonTokenType.StartObject;
                json.Skip();
                logprobs = isLogprobs && isObject ? data[start..(int)json.BytesConsumed].ToArray() : logprobs;
            }
        }

        if (!isFirst)
        {
            _events.RemoveRange(from, _events.Count - from);
        }
        else if (logprobs is not null)
        {
            var at = _events.FindIndex(from, e => e is BotEvent.Text);
            var text = at < 0 ? new BotEvent.Text("", logprobs) : (BotEvent.Text)_events[at] with { Logprobs = logprobs };
            _events[at < 0 ? Append(text) : at] = text;
        }
    }

    private int Append(BotEvent happened)
    {
        _events.Add(happened);
        return _events.Count - 1;
    }

    private void ReadDelta(ref Utf8JsonReader json)
    {
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var isContent = json.ValueSpan.SequenceEqual("content"u8);
            var isReasoning = json.ValueSpan.SequenceEqual("reasoning_content"u8) || json.ValueSpan.SequenceEqual("reasoning"u8);
            var isRefusal = json.ValueSpan.SequenceEqual("refusal"u8);
            var isCalls = json.ValueSpan.SequenceEqual("tool_calls"u8);
            json.Read();
            if (isCalls && json.TokenType == JsonTokenType.StartArray)
            {
                while (json.Read() && json.TokenType == JsonTokenType.StartObject)
                {
                    ReadCall(ref json);
                }

                continue;
            }

            if ((isContent || isReasoning || isRefusal) && json.TokenType == JsonTokenType.String && json.ValueSpan.Length > 0)
            {
                var piece = Text(ref json);
                _events.Add(isContent ? new BotEvent.Text(piece, null)
                    : isReasoning ? new BotEvent.Reasoning(piece) : new BotEvent.Refusal(piece));
            }

            json.Skip();
        }
    }

    private void ReadCall(ref Utf8JsonReader json)
    {
        var (index, id, type, name, arguments) = (0, (string?)null, (string?)null, (string?)null, (string?)null);
        var depth = json.CurrentDepth;
        while (json.Read() && !(json.TokenType == JsonTokenType.EndObject && json.CurrentDepth == depth))
        {
            if (json.TokenType != JsonTokenType.PropertyName)
            {
                continue;
            }

            // function.name and function.arguments, or custom.name and custom.input, are one level further in.
            var what = json.ValueSpan.SequenceEqual("index"u8) ? 1 : json.ValueSpan.SequenceEqual("id"u8) ? 2
                : json.ValueSpan.SequenceEqual("type"u8) ? 3 : json.ValueSpan.SequenceEqual("name"u8) ? 4
                : json.ValueSpan.SequenceEqual("arguments"u8) || json.ValueSpan.SequenceEqual("input"u8) ? 5 : 0;
            json.Read();
            if (what == 1 && json.TokenType == JsonTokenType.Number)
            {
                json.TryGetInt32(out index);
            }
            else if (what > 1 && json.TokenType == JsonTokenType.String)
            {
                var text = Text(ref json);
                (id, type, name, arguments) = what switch
                {
                    2 => (text, type, name, arguments),
                    3 => (id, text, name, arguments),
                    4 => (id, type, text, arguments),
                    _ => (id, type, name, text),
                };
            }
        }

        _events.Add(new BotEvent.CallerToolCall(index, id, type, name, arguments));
    }

    /// <summary>A string's text. Half of a surrogate pair, which is no text, becomes the replacement character.</summary>
    private static string Text(ref Utf8JsonReader json)
    {
        try
        {
            return json.GetString()!;
        }
        catch (InvalidOperationException)
        {
            var whole = EscapedSurrogate().Replace(Encoding.UTF8.GetString(json.ValueSpan), @"\ufffd");
            var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes($"\"{whole}\""));
            reader.Read();
            return reader.GetString()!;
        }
    }

    [GeneratedRegex(@"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")]
    private static partial Regex EscapedSurrogate();

    private static string Known(string reason) => reason switch
    {
        "stop" or "length" or "tool_calls" or "content_filter" => reason,
        "function_call" => "tool_calls",
        _ => "stop",
    };
}
