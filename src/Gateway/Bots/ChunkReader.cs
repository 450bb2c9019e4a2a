using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Gateway.Upstream;

namespace Gateway.Bots;

/// <summary>Reads the chunks of a step into events. Only the first choice counts: a turn has one answer.</summary>
internal sealed partial class ChunkReader
{
    private readonly List<BotEvent> _events = new(4);
    private List<CallPiece>? _pieces;
    private List<Call>? _calls;

    /// <summary>
    /// OpenAI's word where the upstream's means the same, else the upstream's own; see <see cref="BotEvent.Finished.Checked"/>.
    /// </summary>
    public string FinishReason { get; private set; } = "stop";

    /// <summary>What one chunk says. The list is used again by the next call.</summary>
    public List<BotEvent> Read(ReadOnlySpan<byte> data)
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

        for (var i = 0; isFirst && i < _pieces?.Count; i++)
        {
            AddCall(_pieces[i], _calls ??= []);
        }

        _pieces?.Clear();
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
                for (var position = 0; json.Read() && json.TokenType == JsonTokenType.StartObject; position++)
                {
                    ReadCall(ref json, position);
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

    private void ReadCall(ref Utf8JsonReader json, int position)
    {
        var (index, id, type, name, arguments) = ((int?)null, (string?)null, (string?)null, (string?)null, (string?)null);
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
                : json.ValueSpan.SequenceEqual("arguments"u8) || json.ValueSpan.SequenceEqual("input"u8) ? 5
                : json.ValueSpan.SequenceEqual("custom"u8) ? 6 : 0;
            json.Read();
            if (what == 1 && json.TokenType == JsonTokenType.Number)
            {
                index = json.TryGetInt32(out var number) ? number : null;
            }
            else if (what == 6 && json.TokenType == JsonTokenType.StartObject)
            {
                type ??= "custom";
            }
            else if (what is > 1 and < 6 && json.TokenType == JsonTokenType.String)
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

        // Whose choice it is may stand behind it, so that it waits for that.
        (_pieces ??= []).Add(new CallPiece(position, index, Filled(id), Filled(type), Filled(name), arguments));
    }

    private static string? Filled(string? text) => text is "" ? null : text;

    /// <summary>
    /// One event of the promised form, whatever dialect: some upstreams repeat id, type and name on each piece, number
    /// all calls 0, or give no index.
    /// </summary>
    private void AddCall(CallPiece piece, List<Call> calls)
    {
        var (position, index, id, type, name, arguments) = piece;
        var call = index is null ? FindByOrder(calls, position, id, name) : FindByIndex(calls, index, id, name);
        var isNew = call is null;
        if (call is null)
        {
            calls.Add(call = new Call(calls.Count, index));
            // Said now, since the pieces that follow are written after it.
            type ??= "function";
        }

        // Each is said once, with the first piece that has it.
        (id, call.Id) = (call.Id is null ? id : null, call.Id ?? id);
        (type, call.Type) = (call.Type is null ? type : null, call.Type ?? type);
        (name, call.Name) = (call.Name is null ? name : null, call.Name ?? name);
        if (isNew || (id, type, name, arguments) is not (null, null, null, null))
        {
            _events.Add(new BotEvent.CallerToolCall(call.Index, id, type, name, arguments));
        }
    }

    /// <summary>
    /// Null for a new call: its index was not seen yet, or stands with an id that is not known there and a name. An id
    /// alone opens none: some upstreams make a new one for every piece.
    /// </summary>
    private static Call? FindByIndex(List<Call> calls, int? sent, string? id, string? name) =>
        calls.FindLast(call => call.SentIndex == sent && (id is null || name is null || call.Id is null || call.Id == id));

    /// <summary>Null for a new call: without an index it shows by an id of its own, or where there is none by its name.</summary>
    private static Call? FindByOrder(List<Call> calls, int position, string? id, string? name)
    {
        if (calls.Count == 0)
        {
            return null;
        }

        var last = calls[^1];
        if (id is not null)
        {
            return calls.FindLast(call => call.Id == id) ?? (last.Id is null && (name is null || last.Name is null) ? last : null);
        }

        return name is not null && last.Name is not null && (position > 0 || name != last.Name) ? null : last;
    }

    /// <summary>A piece of a call as the upstream sent it.</summary>
    /// <param name="Position">Among the pieces of one chunk.</param>
    private readonly record struct CallPiece(int Position, int? Index, string? Id, string? Type, string? Name, string? Arguments);

    /// <summary>What was said of a call so far.</summary>
    /// <param name="index">Counted here, and given to callers.</param>
    /// <param name="sentIndex">The upstream's.</param>
    private sealed class Call(int index, int? sentIndex)
    {
        public int Index => index;

        public int? SentIndex => sentIndex;

        public string? Id { get; set; }

        public string? Type { get; set; }

        public string? Name { get; set; }
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
        "eos" or "eos_token" or "end_turn" or "stop_sequence" or "complete" => "stop",
        "model_length" or "max_tokens" => "length",
        "function_call" or "tool_use" => "tool_calls",
        _ => reason,
    };
}
