using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Gateway.Http;

namespace Gateway.Upstream;

/// <summary>The request that asks another deployment to carry on.</summary>
internal static class RescueBody
{
    /// <summary>Whether the answer is plain text that says all there is: nothing else can be carried on in the middle.</summary>
    public static bool IsPlainText(JsonBody body) =>
        !HasItems(body, "tools"u8) && !HasItems(body, "functions"u8) && !IsTrue(body, "logprobs"u8) && !IsObject(body, "audio"u8)
        && !Says(body, "modalities"u8, "audio"u8) && (!IsObject(body, "response_format"u8) || IsTextFormat(body));

    /// <summary>
    /// The request with what was sent as the beginning of the answer, and with so much less room for the rest. Null when
    /// the request itself ends in an assistant's message, behind which there cannot be another.
    /// </summary>
    public static JsonBody? WithPrefix(JsonBody body, string sent, int sentTokens)
    {
        if (!body.TryGet("messages"u8, out var messages) || EndsInAssistant(body.Value(messages).Span))
        {
            return null;
        }

        if (!IsWellFormed(sent))
        {
            return null;
        }

        var bytes = body.Bytes.Span;
        var written = new ArrayBufferWriter<byte>(bytes.Length + sent.Length + 128);
        var at = 0;
        foreach (ref readonly var member in body.Members)
        {
            if (member.ValueStart == messages.ValueStart)
            {
                written.Write(bytes[at..(member.ValueEnd - 1)]);
                written.Write(",{\"role\":\"assistant\",\"content\":"u8);
                var text = JsonEncodedText.Encode(sent, JavaScriptEncoder.UnsafeRelaxedJsonEscaping);
                written.Write("\""u8);
                written.Write(text.EncodedUtf8Bytes);
                written.Write("\"}]"u8);
                at = member.ValueEnd;
            }
            else if (IsLimit(body, member, out var limit))
            {
                written.Write(bytes[at..member.ValueStart]);
                written.Write(Encoding.ASCII.GetBytes(Math.Max(1, limit - sentTokens).ToString(null, null)));
                at = member.ValueEnd;
            }
        }

        written.Write(bytes[at..]);
        return JsonBody.TryRead(written.WrittenMemory, null, out var made, out _) ? made : null;
    }

    /// <summary>Whether every half of a character has its other half.</summary>
    private static bool IsWellFormed(string text)
    {
        for (var at = 0; at < text.Length; at++)
        {
            if (!char.IsSurrogate(text[at]))
            {
                continue;
            }

            if (at + 1 == text.Length || !char.IsSurrogatePair(text[at], text[at + 1]))
            {
                return false;
            }

            at++;
        }

        return true;
    }

    private static bool IsLimit(JsonBody body, in JsonMember member, out long limit)
    {
        limit = 0;
        var name = body.Name(member);
        if (member.Kind != JsonTokenType.Number || !(name.SequenceEqual("max_tokens"u8) || name.SequenceEqual("max_completion_tokens"u8)))
        {
            return false;
        }

        var number = new Utf8JsonReader(body.Value(member).Span);
        return number.Read() && number.TryGetInt64(out limit);
    }

    private static bool EndsInAssistant(ReadOnlySpan<byte> messages)
    {
        try
        {
            var reader = new Utf8JsonReader(messages);
            using var json = JsonDocument.ParseValue(ref reader);
            return json.RootElement.ValueKind != JsonValueKind.Array || json.RootElement.GetArrayLength() == 0
                || !json.RootElement[json.RootElement.GetArrayLength() - 1].TryGetProperty("role", out var role)
                || role.ValueEquals("assistant"u8);
        }
        catch (Exception wrong) when (wrong is JsonException or InvalidOperationException)
        {
            return true;
        }
    }

    private static bool HasItems(JsonBody body, ReadOnlySpan<byte> name) =>
        body.TryGet(name, out var member) && member.Kind == JsonTokenType.StartArray
        && body.Value(member).Span.IndexOf((byte)'{') >= 0;

    private static bool IsTrue(JsonBody body, ReadOnlySpan<byte> name) =>
        body.TryGet(name, out var member) && member.Kind == JsonTokenType.True;

    private static bool IsObject(JsonBody body, ReadOnlySpan<byte> name) =>
        body.TryGet(name, out var member) && member.Kind == JsonTokenType.StartObject;

    private static bool Says(JsonBody body, ReadOnlySpan<byte> name, ReadOnlySpan<byte> word) =>
        body.TryGet(name, out var member) && body.Value(member).Span.IndexOf(word) >= 0;

    private static bool IsTextFormat(JsonBody body) =>
        body.TryGet("response_format"u8, out var format)
        && JsonBody.TryRead(body.Value(format), null, out var inner, out _)
        && inner.TryGet("type"u8, out var type) && inner.Value(type).Span.SequenceEqual("\"text\""u8);
}
