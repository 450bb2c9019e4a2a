using System.Buffers;
using System.Buffers.Text;
using System.Text;
using System.Text.Json;

namespace Gateway.Simulator;

/// <summary>
/// Puts the events of one stream together in a buffer of its own. What is the same in every chunk is written once and
/// copied,
/// and the pipe is asked for memory once per flush instead of several times per chunk: a chunk costs a few copies.
/// </summary>
internal sealed class ChunkWriter : IDisposable
{
    private const int FlushBytes = 32 * 1024;

    private readonly byte[] _head;
    private readonly byte[] _tail;
    private readonly bool _isChat;
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(2 * FlushBytes);
    private int _length;

    /// <param name="kind">The <c>object</c> of a chunk; a chat's has deltas, a text completion's has texts.</param>
    /// <param name="hasUsage">Whether a usage chunk will come, so that all others say <c>"usage":null</c>.</param>
    public ChunkWriter(string id, string kind, long created, string model, bool hasUsage)
    {
        _isChat = kind == "chat.completion.chunk";
        _head = [.. "data: "u8, .. JsonText.Write(json => ChatWriter.WriteHead(json, id, kind, created, model))];
        _tail = hasUsage ? [.. "],\"usage\":null}\n\n"u8] : [.. "]}\n\n"u8];
    }

    /// <summary>Enough has gathered that it should be sent before more is added.</summary>
    public bool IsFull => _length >= FlushBytes;

    public ReadOnlyMemory<byte> Pending => _buffer.AsMemory(0, _length);

    public void Clear() => _length = 0;

    /// <summary>A piece of the answer's text.</summary>
    /// <param name="logprobs">JSON text.</param>
    public void Text(int index, ReadOnlySpan<char> text, ReadOnlySpan<byte> logprobs)
    {
        Put(_head);
        if (_isChat)
        {
            Put("{\"index\":"u8);
            PutNumber(index);
            Put(",\"delta\":{\"content\":\""u8);
            PutEscaped(text);
            Put("\"}"u8);
        }
        else
        {
            Put("{\"text\":\""u8);
            PutEscaped(text);
            Put("\",\"index\":"u8);
            PutNumber(index);
        }

        Put(",\"logprobs\":"u8);
        Put(logprobs);
        Put(",\"finish_reason\":null}"u8);
        Put(_tail);
    }

    /// <summary>Any other delta of a chat.</summary>
    public void Delta(int index, ReadOnlySpan<byte> delta)
    {
        Put(_head);
        Put("{\"index\":"u8);
        PutNumber(index);
        Put(",\"delta\":"u8);
        Put(delta);
        Put(",\"logprobs\":null,\"finish_reason\":null}"u8);
        Put(_tail);
    }

    public void Finish(int index, string reason)
    {
        Put(_head);
        Put(_isChat ? "{\"index\":"u8 : "{\"text\":\"\",\"index\":"u8);
        PutNumber(index);
        Put(_isChat
            ? ",\"delta\":{},\"logprobs\":null,\"finish_reason\":"u8
            : ",\"logprobs\":null,\"finish_reason\":"u8);
        Put(JsonText.Quoted(reason));
        Put("}"u8);
        Put(_tail);
    }

    public void Usage(Usage usage)
    {
        Put(_head);
        Put("],\"usage\":"u8);
        Put(JsonText.Write(json => ChatWriter.WriteUsage(json, usage)));
        Put("}\n\n"u8);
    }

    /// <summary>The beginning of a chunk, ended as if it were whole.</summary>
    public void Malformed()
    {
        Put(_head);
        Put("{\"index\":0,\"del\n\n"u8);
    }

    public void Error(ReadOnlySpan<byte> envelope)
    {
        Put("data: "u8);
        Put(envelope);
        Put("\n\n"u8);
    }

    public void Ping() => Put(": ping\n\n"u8);

    public void Done() => Put("data: [DONE]\n\n"u8);

    public void Dispose() => ArrayPool<byte>.Shared.Return(_buffer);

    private void PutEscaped(ReadOnlySpan<char> text)
    {
        if (Ascii.IsValid(text) && text.IndexOfAny("\"\\") < 0 && text.IndexOfAnyInRange('\0', '\x1f') < 0
            && !text.Contains('\x7f'))
        {
            Reserve(text.Length);
            _length += Encoding.UTF8.GetBytes(text, _buffer.AsSpan(_length));
            return;
        }

        Put(JsonEncodedText.Encode(text, JsonText.Options.Encoder).EncodedUtf8Bytes);
    }

    private void PutNumber(int number)
    {
        Reserve(11);
        Utf8Formatter.TryFormat(number, _buffer.AsSpan(_length), out var written);
        _length += written;
    }

    private void Put(ReadOnlySpan<byte> bytes)
    {
        Reserve(bytes.Length);
        bytes.CopyTo(_buffer.AsSpan(_length));
        _length += bytes.Length;
    }

    private void Reserve(int more)
    {
        if (_length + more <= _buffer.Length)
        {
            return;
        }

        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_length + more, 2 * _buffer.Length));
        Pending.Span.CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }
}
