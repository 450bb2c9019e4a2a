using System.Text.Json;
using Gateway.Observability;

namespace Gateway.Upstream;

/// <summary>What one event of a stream is to the one who passes it on.</summary>
internal enum EventKind
{
    /// <summary>A comment, or lines without data.</summary>
    NoData,

    /// <summary>A chunk that says nothing yet: a role, an empty delta.</summary>
    Preamble,

    /// <summary>A chunk with something for the caller: text, reasoning, a refusal, audio, a tool call, an ending.</summary>
    Content,

    /// <summary>The chunk that carries only the usage.</summary>
    UsageOnly,

    /// <summary><c>[DONE]</c>.</summary>
    Done,

    /// <summary>The upstream says that it failed.</summary>
    Error,

    /// <summary>Data that is no JSON object.</summary>
    Malformed,
}

/// <summary>
/// What is known of a stream from its events so far: which choices have ended, and the usage. One pass over each event,
/// without allocation. Names are compared as they were sent: an escaped one could be half of a surrogate pair, which is
/// no text to compare, and no provider escapes these.
/// </summary>
internal sealed class StreamFacts(int choices, bool keepsText = false) : IDisposable
{
    private const int MostChoices = 128;

    /// <summary>A common guess for English; enough where an upstream said nothing.</summary>
    private const int BytesPerToken = 4;

    private readonly ChunkMould _mould = new();
    private UInt128 _seen;
    private UInt128 _finished;
    private long _outputBytes;

    /// <summary>Whether nothing but the first choice, and no call, was seen in the event that is being read.</summary>
    private bool _isAlone;

    /// <summary>As last reported by the upstream; null until then.</summary>
    public TokenUsage? Usage { get; private set; }

    /// <summary>Every choice that was asked for has its <c>finish_reason</c>: whatever happens now, the answer is whole.</summary>
    public bool IsFinished => IsEachSeenFinished && UInt128.PopCount(_finished) >= (UInt128)choices;

    /// <summary>Every choice that the upstream began has its <c>finish_reason</c>; enough where the upstream says [DONE].</summary>
    public bool IsEachSeenFinished => _seen != 0 && _seen == _finished;

    /// <summary>The answer's text so far, as far as it is kept.</summary>
    public KeptText? Text { get; } = keepsText ? new KeptText() : null;

    /// <summary>Whether anything but plain text of the first choice came: reasoning, a refusal, a tool call, audio.</summary>
    public bool HasMoreThanText { get; private set; }

    /// <summary>Chunks with text; most providers send one for each token.</summary>
    public int TextChunks { get; private set; }

    /// <summary>What came so far, counted by its length.</summary>
    public int EstimatedOutputTokens => (int)Math.Min(int.MaxValue, (_outputBytes + BytesPerToken - 1) / BytesPerToken);

    /// <summary>The <c>id</c> of the first chunk, as JSON without its quotes; null before it, or when text is not kept.</summary>
    public byte[]? Id { get; private set; }

    /// <summary>The model that the first chunk names; null before it, and while nobody traces.</summary>
    public string? Model { get; private set; }

    /// <summary>
    /// Whether the last event is known to say a text of the first choice, at <see cref="TextAt"/>, and nothing else. If not, it
    /// has to be read to know what it says.
    /// </summary>
    public bool IsTextAlone { get; private set; }

    /// <summary>Whether the last event, where it had to be read, has logprobs.</summary>
    public bool HasLogprobs { get; private set; }

    /// <summary>Where that text stands in the event's data, in which nothing is escaped, in bytes.</summary>
    public Range TextAt { get; private set; }

    /// <summary>Forgets all but what a chunk looks like: the events come again.</summary>
    public void Reset()
    {
        (_seen, _finished, _outputBytes, Usage, HasMoreThanText, TextChunks) = (0, 0, 0, null, false, 0);
        Text?.Clear();
    }

    public void Dispose() => Text?.Dispose();

    /// <summary>Reads the data of one event.</summary>
    public EventKind Read(ReadOnlySpan<byte> data)
    {
        if (_mould.Fits(data, out var text))
        {
            Took(text, _mould.IsContent);
            var start = data.Length - _mould.LengthBehind - text.Length;
            (IsTextAlone, TextAt) = (_mould.IsTextAlone, start..(start + text.Length));
            return EventKind.Content;
        }

        (IsTextAlone, HasLogprobs, _isAlone) = (false, false, true);
        if (data.SequenceEqual("[DONE]"u8) || data.TrimEnd((byte)' ').SequenceEqual("[DONE]"u8))
        {
            return EventKind.Done;
        }

        var json = new Utf8JsonReader(data, new JsonReaderOptions { MaxDepth = PlainReply.MaxDepth });
        try
        {
            if (!json.Read() || json.TokenType != JsonTokenType.StartObject)
            {
                return EventKind.Malformed;
            }

            var usage = Usage;
            var finished = _finished;
            _mould.Begin();
            var kind = ReadChunk(ref json);
            if (kind == EventKind.Content && finished == _finished && usage == Usage)
            {
                _mould.Take(data, _isAlone && !HasLogprobs);
            }

            return kind;
        }
        catch (JsonException)
        {
            return EventKind.Malformed;
        }
    }

    private EventKind ReadChunk(ref Utf8JsonReader json)
    {
        var (hasContent, hasUsage, hasChoice, hasError) = (false, false, false, false);
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueSpan.SequenceEqual("choices"u8))
            {
                json.Read();
                if (json.TokenType == JsonTokenType.StartArray)
                {
                    while (json.Read() && json.TokenType == JsonTokenType.StartObject)
                    {
                        hasChoice = true;
                        hasContent |= ReadChoice(ref json);
                    }
                }
                else
                {
                    json.Skip();
                }
            }
            else if (json.ValueSpan.SequenceEqual("usage"u8))
            {
                json.Read();
                if (json.TokenType == JsonTokenType.StartObject)
                {
                    hasUsage = true;
                    Usage = TokenUsage.Read(ref json) ?? Usage;
                }
                else
                {
                    json.Skip();
                }
            }
            else
            {
                var isError = json.ValueSpan.SequenceEqual("error"u8);
                var isModel = Model is null && GatewayTracing.IsOn && json.ValueSpan.SequenceEqual("model"u8);
                var isId = Text is not null && Id is null && json.ValueSpan.SequenceEqual("id"u8);
                json.Read();
                Id = isId && json.TokenType == JsonTokenType.String ? json.ValueSpan.ToArray() : Id;
                Model = isModel && json.TokenType == JsonTokenType.String ? json.GetString() : Model;
                hasError |= isError && json.TokenType != JsonTokenType.Null;
                json.Skip();
            }
        }

        // Data after the object, such as a second one, is not JSON either.
        json.Read();
        return hasError ? EventKind.Error
            : hasContent ? EventKind.Content
            : hasUsage && !hasChoice ? EventKind.UsageOnly
            : EventKind.Preamble;
    }

    private bool ReadChoice(ref Utf8JsonReader json)
    {
        var (index, hasContent, isFinished) = (0, false, false);
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueSpan.SequenceEqual("delta"u8))
            {
                json.Read();
                hasContent |= json.TokenType == JsonTokenType.StartObject && ReadDelta(ref json);
            }
            else if (json.ValueSpan.SequenceEqual("finish_reason"u8))
            {
                json.Read();
                isFinished = json.TokenType == JsonTokenType.String && json.ValueSpan.Length > 0;
            }
            else if (json.ValueSpan.SequenceEqual("index"u8))
            {
                json.Read();
                index = json.TokenType == JsonTokenType.Number && json.TryGetInt32(out var number) ? number : 0;
                _isAlone &= json.ValueSpan.SequenceEqual("0"u8);
            }
            else
            {
                // /v1/completions has its text here.
                var isText = json.ValueSpan.SequenceEqual("text"u8);
                var isLogprobs = json.ValueSpan.SequenceEqual("logprobs"u8);
                json.Read();
                HasLogprobs |= isLogprobs && json.TokenType == JsonTokenType.StartObject;
                if (isText && json.TokenType == JsonTokenType.String && json.ValueSpan.Length > 0)
                {
                    hasContent = true;
                    _outputBytes += json.ValueSpan.Length;
                }

                json.Skip();
            }
        }

        if (index is >= 0 and < MostChoices)
        {
            var bit = UInt128.One << index;
            _seen |= bit;
            _finished |= isFinished ? bit : 0;
        }

        HasMoreThanText |= index != 0;

        return hasContent || isFinished;
    }

    private bool ReadDelta(ref Utf8JsonReader json)
    {
        var hasContent = false;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var isContent = json.ValueSpan.SequenceEqual("content"u8);
            var isText = isContent || json.ValueSpan.SequenceEqual("reasoning_content"u8)
                || json.ValueSpan.SequenceEqual("reasoning"u8) || json.ValueSpan.SequenceEqual("refusal"u8);
            var isCall = !isText && (json.ValueSpan.SequenceEqual("tool_calls"u8) || json.ValueSpan.SequenceEqual("function_call"u8)
                || json.ValueSpan.SequenceEqual("audio"u8));
            json.Read();
            if (isText && json.TokenType == JsonTokenType.String && json.ValueSpan.Length > 0)
            {
                hasContent = true;
                _mould.Text((int)json.TokenStartIndex, (int)json.BytesConsumed, isContent);
                Took(json.ValueSpan, isContent);
            }

            if (isCall && (json.TokenType is JsonTokenType.StartArray or JsonTokenType.StartObject))
            {
                var start = json.BytesConsumed;
                json.Skip();
                hasContent = HasMoreThanText = true;
                _isAlone = false;
                _outputBytes += json.BytesConsumed - start;
                continue;
            }

            json.Skip();
        }

        return hasContent;
    }

    private void Took(ReadOnlySpan<byte> text, bool isContent)
    {
        _outputBytes += text.Length;
        if (isContent)
        {
            TextChunks++;
            Text?.Add(text);
        }
        else
        {
            HasMoreThanText = true;
        }
    }
}
