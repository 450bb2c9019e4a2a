using System.Buffers;
using System.Text.Json;
using Gateway.Upstream;

namespace Gateway.Chat;

/// <summary>
/// An upstream's reply in the form from before tools: the first tool call of each choice becomes its
/// <c>function_call</c>. Everything else keeps its bytes, so that nothing an upstream writes can fail to be written
/// again.
/// </summary>
internal ref struct LegacyReply
{
    private static ReadOnlySpan<byte> FunctionCall => "\"function_call\""u8;

    private readonly ReadOnlySpan<byte> _source;
    private readonly ReadOnlySpan<byte> _part;
    private readonly ArrayBufferWriter<byte> _written;
    private Utf8JsonReader _json;
    private int _copied;

    private LegacyReply(ReadOnlySpan<byte> source, ReadOnlySpan<byte> part)
    {
        _source = source;
        _part = part;
        _written = new ArrayBufferWriter<byte>(source.Length + 64);
        _json = new Utf8JsonReader(source, new JsonReaderOptions { MaxDepth = PlainReply.MaxDepth });
    }

    /// <param name="source">One JSON object, known to be well formed.</param>
    /// <param name="part">What a choice's content is in: <c>message</c>, or <c>delta</c> of a chunk.</param>
    public static byte[] Rewrite(ReadOnlySpan<byte> source, ReadOnlySpan<byte> part)
    {
        var reply = new LegacyReply(source, part);
        reply.ReadReply();
        reply.Replace(source.Length, source.Length, default);
        return reply._written.WrittenSpan.ToArray();
    }

    private void ReadReply()
    {
        _json.Read();
        while (_json.Read() && _json.TokenType == JsonTokenType.PropertyName)
        {
            var isChoices = Is("choices"u8);
            _json.Read();
            if (!isChoices || _json.TokenType != JsonTokenType.StartArray)
            {
                _json.Skip();
                continue;
            }

            while (_json.Read() && _json.TokenType != JsonTokenType.EndArray)
            {
                if (_json.TokenType == JsonTokenType.StartObject)
                {
                    ReadChoice();
                }
                else
                {
                    _json.Skip();
                }
            }
        }
    }

    private void ReadChoice()
    {
        while (_json.Read() && _json.TokenType == JsonTokenType.PropertyName)
        {
            var isReason = Is("finish_reason"u8);
            var isPart = Is(_part);
            _json.Read();
            if (isReason && _json.TokenType == JsonTokenType.String && Is("tool_calls"u8))
            {
                Replace((int)_json.TokenStartIndex, (int)_json.BytesConsumed, FunctionCall);
            }
            else if (isPart && _json.TokenType == JsonTokenType.StartObject)
            {
                ReadPart();
            }
            else
            {
                _json.Skip();
            }
        }
    }

    private void ReadPart()
    {
        // Where the member before ends, or the object begins.
        var before = (int)_json.BytesConsumed;
        var isFirst = true;
        while (_json.Read() && _json.TokenType == JsonTokenType.PropertyName)
        {
            var start = (int)_json.TokenStartIndex;
            var isCalls = Is("tool_calls"u8);
            _json.Read();
            if (!isCalls || _json.TokenType != JsonTokenType.StartArray)
            {
                _json.Skip();
                (before, isFirst) = ((int)_json.BytesConsumed, false);
                continue;
            }

            var function = ReadCalls();
            if (!function.IsEmpty)
            {
                Replace(start, (int)_json.BytesConsumed, FunctionCall);
                _written.Write(":"u8);
                _written.Write(function);
                (before, isFirst) = ((int)_json.BytesConsumed, false);
            }
            else
            {
                // The old form knows one call: the others are left out, with the comma that parted them.
                var end = (int)_json.BytesConsumed;
                var comma = isFirst ? _source[end..].IndexOfAnyExcept(" \t\r\n"u8) : -1;
                end += comma >= 0 && _source[end + comma] == (byte)',' ? comma + 1 : 0;
                Replace(before, end, default);
                before = end;
            }
        }
    }

    /// <summary>The function of the first call, as it stands there; empty when these are pieces of later calls.</summary>
    private ReadOnlySpan<byte> ReadCalls()
    {
        ReadOnlySpan<byte> first = default;
        while (_json.Read() && _json.TokenType != JsonTokenType.EndArray)
        {
            if (_json.TokenType != JsonTokenType.StartObject)
            {
                _json.Skip();
                continue;
            }

            var isFirst = true;
            ReadOnlySpan<byte> function = default;
            while (_json.Read() && _json.TokenType == JsonTokenType.PropertyName)
            {
                var (isIndex, isFunction) = (Is("index"u8), Is("function"u8));
                _json.Read();
                var start = (int)_json.TokenStartIndex;
                isFirst &= !isIndex || _json.TokenType != JsonTokenType.Number || (_json.TryGetInt32(out var index) && index == 0);
                _json.Skip();
                function = isFunction ? _source[start..(int)_json.BytesConsumed] : function;
            }

            first = first.IsEmpty && isFirst ? function : first;
        }

        return first;
    }

    /// <summary>Not <c>ValueTextEquals</c>, which throws on half of an escaped surrogate pair.</summary>
    private readonly bool Is(ReadOnlySpan<byte> text) => _json.ValueSpan.SequenceEqual(text);

    private void Replace(int start, int end, ReadOnlySpan<byte> bytes)
    {
        _written.Write(_source[_copied..start]);
        _written.Write(bytes);
        _copied = end;
    }
}
