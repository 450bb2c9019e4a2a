using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Gateway.Bots;
using Gateway.Upstream;

namespace Gateway.Chat;

/// <summary>A turn's events gathered into one answer.</summary>
/// <param name="maxLength">Most that is gathered, in characters of everything the upstream says.</param>
internal sealed class BotReply(long maxLength)
{
    private SortedDictionary<int, Call>? _calls;
    private List<byte[]>? _logprobs;
    private List<BotEvent.Cited>? _citations;
    private List<BotEvent.ToolDone>? _tools;
    private long _length;

    /// <summary>A tool call of the caller's, its arguments joined.</summary>
    internal sealed class Call
    {
        public string Id { get; set; } = "";

        public string Type { get; set; } = "function";

        public string Name { get; set; } = "";

        public StringBuilder Arguments { get; } = new();
    }

    public StringBuilder Text { get; } = new(512);

    /// <summary>Null: it showed none; so with <see cref="Refusal"/>.</summary>
    public StringBuilder? Reasoning { get; private set; }

    public StringBuilder? Refusal { get; private set; }

    /// <summary>In the order of their indexes.</summary>
    public IReadOnlyCollection<Call> Calls => _calls?.Values ?? (IReadOnlyCollection<Call>)[];

    /// <summary>The logprobs of each piece of text, as the upstream sent them.</summary>
    public IReadOnlyList<byte[]> Logprobs => _logprobs ?? (IReadOnlyList<byte[]>)[];

    /// <summary>What the text refers to.</summary>
    public IReadOnlyList<BotEvent.Cited> Citations => _citations ?? (IReadOnlyList<BotEvent.Cited>)[];

    /// <summary>The bot's own tools, each when it had run.</summary>
    public IReadOnlyList<BotEvent.ToolDone> Tools => _tools ?? (IReadOnlyList<BotEvent.ToolDone>)[];

    /// <summary>Of all texts, in characters.</summary>
    public long Length => _length;

    public string FinishReason { get; private set; } = "stop";

    public TokenUsage? Usage { get; private set; }

    /// <returns>False when the answer becomes too large; it is then of no use any more.</returns>
    public bool TryAdd(BotEvent happened)
    {
        _length += happened switch
        {
            BotEvent.Text text => text.Piece.Length + (text.Logprobs?.Length ?? 0),
            BotEvent.Reasoning reasoning => reasoning.Piece.Length,
            BotEvent.Refusal refusal => refusal.Piece.Length,
            BotEvent.CallerToolCall call =>
                (call.Id?.Length ?? 0) + (call.Type?.Length ?? 0) + (call.Name?.Length ?? 0) + (call.Arguments?.Length ?? 0),
            _ => 0,
        };
        if (_length > maxLength)
        {
            return false;
        }

        switch (happened)
        {
            case BotEvent.Text text:
                Text.Append(text.Piece);
                if (text.Logprobs is not null)
                {
                    (_logprobs ??= []).Add(text.Logprobs);
                }

                break;
            case BotEvent.Reasoning reasoning:
                (Reasoning ??= new StringBuilder()).Append(reasoning.Piece);
                break;
            case BotEvent.Refusal refusal:
                (Refusal ??= new StringBuilder()).Append(refusal.Piece);
                break;
            case BotEvent.CallerToolCall piece:
                AddCall(piece);
                break;
            case BotEvent.Cited cited:
                (_citations ??= []).Add(cited);
                break;
            case BotEvent.ToolDone tool:
                (_tools ??= []).Add(tool);
                break;
            case BotEvent.Finished finished:
                (FinishReason, Usage) = (finished.Reason, finished.Usage);
                break;
        }

        return true;
    }

    /// <summary>Writes the logprobs of all pieces as one object.</summary>
    public void WriteLogprobs(Utf8JsonWriter json)
    {
        // Each piece is read once and let go before the next: of a long answer there are thousands.
        var (content, refusal) = (new ArrayBufferWriter<byte>(), new ArrayBufferWriter<byte>());
        foreach (var piece in Logprobs)
        {
            using var parsed = JsonDocument.Parse(piece, new JsonDocumentOptions { MaxDepth = PlainReply.MaxDepth });
            Append(parsed.RootElement, "content", content);
            Append(parsed.RootElement, "refusal", refusal);
        }

        json.WriteStartObject("logprobs");
        WriteTokens(json, "content", content);
        WriteTokens(json, "refusal", refusal);
        json.WriteEndObject();
    }

    private static void Append(JsonElement piece, string part, ArrayBufferWriter<byte> tokens)
    {
        if (!piece.TryGetProperty(part, out var list) || list.ValueKind != JsonValueKind.Array)
        {
            return;
        }

        foreach (var token in list.EnumerateArray())
        {
            tokens.Write(tokens.WrittenCount > 0 ? ","u8 : default);
            tokens.Write(JsonMarshal.GetRawUtf8Value(token));
        }
    }

    private static void WriteTokens(Utf8JsonWriter json, string part, ArrayBufferWriter<byte> tokens)
    {
        json.WritePropertyName(part);
        json.WriteRawValue(tokens.WrittenCount > 0 ? [.. "["u8, .. tokens.WrittenSpan, .. "]"u8] : "null"u8, skipInputValidation: true);
    }

    private void AddCall(BotEvent.CallerToolCall piece)
    {
        _calls ??= [];
        if (!_calls.TryGetValue(piece.Index, out var call))
        {
            _calls.Add(piece.Index, call = new Call());
        }

        call.Id = piece.Id ?? call.Id;
        call.Type = piece.Type ?? call.Type;
        call.Name = piece.Name ?? call.Name;
        call.Arguments.Append(piece.Arguments);
    }
}
