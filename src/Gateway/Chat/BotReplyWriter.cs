using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Gateway.Bots;
using Gateway.Http;
using Gateway.Upstream;

namespace Gateway.Chat;

/// <summary>
/// Writes what a bot says in OpenAI's form, as chunks or as one reply. Written member by member and not from records:
/// which members are there, null or absent depends on what was asked, and clients mind each of them.
/// </summary>
/// <param name="model">The selector that was asked for.</param>
/// <param name="created">Seconds since 1970-01-01 UTC; the same in every chunk.</param>
/// <param name="showsSteps">Whether the bot's own tools are told of, in members that are not OpenAI's.</param>
internal sealed class BotReplyWriter(string model, long created, bool wantsUsage, bool isLegacy, bool showsSteps)
    : IDisposable
{
    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <summary>Of a whole answer, all but its texts, as a guess in bytes.</summary>
    private const int AroundTexts = 768;

    /// <summary>That a character of a text may take, for which the JSON writer wants room.</summary>
    private const int MostBytes = 3;

    /// <summary>Longest texts that room is made for beforehand, in characters.</summary>
    private const int MostGuessed = 16 * 1024;

    private readonly string _id = RequestIds.OfCompletion();
    // Both are used again for each chunk, of which a long answer has thousands.
    private readonly ArrayBufferWriter<byte> _written = new();
    private readonly Utf8JsonWriter _json = new(Stream.Null, Plain);
    // The type comes with a call's first piece alone, and names the members of all that follow.
    private HashSet<int>? _customCalls;
    private List<BotEvent.Cited>? _citations;
    private RentedBytes? _whole;
    private bool _hasBegun;

    /// <summary>One event as server-sent events; empty when the caller is not told of it. The memory is used again by the next call.</summary>
    public ReadOnlyMemory<byte> Chunks(BotEvent happened)
    {
        _written.ResetWrittenCount();
        if (happened is BotEvent.Cited cited)
        {
            // With the end, in one chunk: some clients let what a later one says take the place of the earlier.
            (_citations ??= []).Add(cited);
            return default;
        }

        if (happened is BotEvent.ToolStarted or BotEvent.ToolDone && !showsSteps)
        {
            return default;
        }

        if (!_hasBegun)
        {
            _hasBegun = true;
            BeginChunk();
            _json.WriteString("role", "assistant");
            _json.WriteString("content", happened is BotEvent.CallerToolCall ? null : "");
            _json.WriteNull("refusal");
            EndChunk();
        }

        switch (happened)
        {
            case BotEvent.Text text:
                PieceChunk("content", text.Piece, text.Logprobs);
                break;
            case BotEvent.Reasoning reasoning:
                PieceChunk("reasoning_content", reasoning.Piece);
                break;
            case BotEvent.Refusal refusal:
                PieceChunk("refusal", refusal.Piece);
                break;
            case BotEvent.CallerToolCall call:
                BeginChunk();
                WriteCallPiece(_json, call);
                EndChunk();
                break;
            case BotEvent.ToolStarted or BotEvent.ToolDone:
                BeginChunk();
                EndChunk(step: happened);
                break;
            case BotEvent.Finished finished:
                End(finished);
                break;
        }

        return _written.WrittenMemory;
    }

    public void Dispose()
    {
        _json.Dispose();
        _whole?.Dispose();
    }

    /// <summary>The answer as one reply, to be asked for once. The memory is used by others once this is disposed.</summary>
    public ReadOnlyMemory<byte> Whole(BotReply reply)
    {
        var written = _whole = new RentedBytes(AroundTexts + (MostBytes * (int)Math.Min(reply.Length, MostGuessed)));
        _json.Reset(written);
        _json.WriteStartObject();
        WriteHead(_json, "chat.completion");
        _json.WriteStartArray("choices");
        _json.WriteStartObject();
        _json.WriteNumber("index", 0);
        WriteMessage(_json, reply);
        if (reply.Logprobs.Count > 0)
        {
            reply.WriteLogprobs(_json);
        }
        else
        {
            _json.WriteNull("logprobs");
        }

        _json.WriteString("finish_reason", reply.FinishReason);
        _json.WriteEndObject();
        _json.WriteEndArray();
        if (reply.Usage is { } usage)
        {
            WriteUsage(_json, usage);
        }

        if (showsSteps)
        {
            BotSteps.WriteWhole(_json, reply.Tools);
        }

        _json.WriteEndObject();
        _json.Flush();

        return isLegacy ? LegacyFunctions.RewriteReply(written.Written.Span) : written.Written;
    }

    private void WriteMessage(Utf8JsonWriter json, BotReply reply)
    {
        json.WriteStartObject("message");
        json.WriteString("role", "assistant");
        if (reply.Text.Length == 0 && (reply.Calls.Count > 0 || reply.Refusal is not null))
        {
            json.WriteNull("content");
        }
        else
        {
            WriteText(json, "content", reply.Text);
        }

        if (reply.Refusal is { } refusal)
        {
            WriteText(json, "refusal", refusal);
        }
        else
        {
            json.WriteNull("refusal");
        }

        BotAnnotations.Write(json, reply.Citations);
        if (reply.Reasoning is { } reasoning)
        {
            WriteText(json, "reasoning_content", reasoning);
        }

        if (reply.Calls.Count > 0)
        {
            json.WriteStartArray("tool_calls");
            foreach (var call in reply.Calls)
            {
                json.WriteStartObject();
                json.WriteString("id", call.Id);
                json.WriteString("type", call.Type);
                json.WriteStartObject(call.Type);
                json.WriteString("name", call.Name);
                json.WriteString(call.Type == "custom" ? "input" : "arguments", call.Arguments.ToString());
                if (isLegacy)
                {
                    json.WriteString("id", call.Id);
                }

                json.WriteEndObject();
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    /// <summary>A text in the pieces that it is kept in, so that a long one is not copied to be written.</summary>
    private static void WriteText(Utf8JsonWriter json, string name, StringBuilder text)
    {
        json.WritePropertyName(name);
        foreach (var piece in text.GetChunks())
        {
            json.WriteStringValueSegment(piece.Span, isFinalSegment: false);
        }

        json.WriteStringValueSegment(ReadOnlySpan<char>.Empty, isFinalSegment: true);
    }

    private void End(BotEvent.Finished finished)
    {
        if (_citations is not null)
        {
            BeginChunk();
            BotAnnotations.Write(_json, _citations);
            EndChunk();
        }

        BeginChunk();
        EndChunk(isLegacy && finished.Reason == "tool_calls" ? "function_call" : finished.Reason);
        UsageChunk(finished.Usage);
        _written.Write("data: [DONE]\n\n"u8);
    }

    private void PieceChunk(string name, string piece, byte[]? logprobs = null)
    {
        BeginChunk();
        _json.WriteString(name, piece);
        EndChunk(logprobs: logprobs);
    }

    /// <summary>Up to the members of the chunk's delta.</summary>
    private void BeginChunk()
    {
        BeginEvent();
        _json.WriteStartObject();
        _json.WriteNumber("index", 0);
        _json.WriteStartObject("delta");
    }

    /// <param name="step">What a tool did, which is told beside the choice.</param>
    private void EndChunk(string? finishReason = null, byte[]? logprobs = null, BotEvent? step = null)
    {
        _json.WriteEndObject();
        _json.WritePropertyName("logprobs");
        _json.WriteRawValue(logprobs ?? "null"u8, skipInputValidation: true);
        // Clients test for null to know that more is coming, so it goes on the wire even when null.
        _json.WriteString("finish_reason", finishReason);
        _json.WriteEndObject();
        _json.WriteEndArray();
        if (wantsUsage)
        {
            _json.WriteNull("usage");
        }

        if (step is not null)
        {
            BotSteps.WriteChunk(_json, step);
        }

        EndEvent();
    }

    private void UsageChunk(TokenUsage? usage)
    {
        if (!wantsUsage || usage is not { } tokens)
        {
            return;
        }

        BeginEvent();
        _json.WriteEndArray();
        WriteUsage(_json, tokens);
        EndEvent();
    }

    /// <summary>Up to the choices.</summary>
    private void BeginEvent()
    {
        _written.Write("data: "u8);
        _json.Reset(_written);
        _json.WriteStartObject();
        WriteHead(_json, "chat.completion.chunk");
        _json.WriteStartArray("choices");
    }

    private void EndEvent()
    {
        _json.WriteEndObject();
        _json.Flush();
        _written.Write("\n\n"u8);
    }

    private void WriteHead(Utf8JsonWriter json, string kind)
    {
        json.WriteString("id", _id);
        json.WriteString("object", kind);
        json.WriteNumber("created", created);
        json.WriteString("model", model);
    }

    private void WriteCallPiece(Utf8JsonWriter json, BotEvent.CallerToolCall call)
    {
        if (isLegacy)
        {
            // The old form knows one call; the others have no place in it.
            if (call.Index == 0)
            {
                json.WriteStartObject("function_call");
                WriteFunction(json, call, "arguments");
                if (call.Id is not null)
                {
                    json.WriteString("id", call.Id);
                }

                json.WriteEndObject();
            }

            return;
        }

        json.WriteStartArray("tool_calls");
        json.WriteStartObject();
        json.WriteNumber("index", call.Index);
        if (call.Id is not null)
        {
            json.WriteString("id", call.Id);
        }

        if (call.Type is not null || call.Id is not null)
        {
            json.WriteString("type", call.Type ?? "function");
        }

        if (call.Type == "custom")
        {
            (_customCalls ??= []).Add(call.Index);
        }

        var isCustom = _customCalls?.Contains(call.Index) == true;
        json.WriteStartObject(isCustom ? "custom" : "function");
        WriteFunction(json, call, isCustom ? "input" : "arguments");
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndArray();
    }

    private static void WriteFunction(Utf8JsonWriter json, BotEvent.CallerToolCall call, string argumentsName)
    {
        if (call.Name is not null)
        {
            json.WriteString("name", call.Name);
        }

        if (call.Arguments is not null)
        {
            json.WriteString(argumentsName, call.Arguments);
        }
    }

    private static void WriteUsage(Utf8JsonWriter json, TokenUsage usage)
    {
        json.WriteStartObject("usage");
        json.WriteNumber("prompt_tokens", usage.Input);
        json.WriteNumber("completion_tokens", usage.Output);
        json.WriteNumber("total_tokens", usage.Input + usage.Output);
        json.WriteStartObject("prompt_tokens_details");
        json.WriteNumber("cached_tokens", usage.CachedInput);
        json.WriteNumber("audio_tokens", 0);
        json.WriteEndObject();
        json.WriteStartObject("completion_tokens_details");
        json.WriteNumber("reasoning_tokens", usage.Reasoning);
        json.WriteNumber("audio_tokens", 0);
        json.WriteNumber("accepted_prediction_tokens", 0);
        json.WriteNumber("rejected_prediction_tokens", 0);
        json.WriteEndObject();
        json.WriteEndObject();
    }
}
