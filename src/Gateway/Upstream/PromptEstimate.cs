using System.Text;
using System.Text.Json;
using Gateway.Http;

namespace Gateway.Upstream;

/// <summary>How many tokens a request may have: a guess by length, on the high side, since no tokenizer fits all models.</summary>
internal static class PromptEstimate
{
    /// <summary>What is reserved for a reply when neither the caller nor the operator says how long it may be.</summary>
    public const int DefaultOutputTokens = 4096;

    /// <summary>About four bytes are a token in English; three leaves room for other text.</summary>
    public const int BytesPerToken = 3;

    /// <summary>What an image or a sound counts, whose bytes say nothing of its tokens.</summary>
    private const int TokensPerAttachment = 1_000;

    private const int ShortestAttachment = 256;

    /// <summary>Of the prompt: messages, tools, input.</summary>
    public static long Prompt(JsonBody body)
    {
        var tokens = 0L;
        foreach (ref readonly var member in body.Members)
        {
            if (member.Kind is JsonTokenType.StartArray or JsonTokenType.StartObject or JsonTokenType.String)
            {
                tokens += Tokens(body.Value(member).Span);
            }
        }

        return tokens;
    }

    /// <summary>Of a text as JSON.</summary>
    public static long Tokens(ReadOnlySpan<byte> json)
    {
        var attachments = 0L;
        var bytes = (long)json.Length;
        for (var at = json.IndexOf("base64,"u8); at >= 0; at = json.IndexOf("base64,"u8))
        {
            json = json[(at + 7)..];
            var end = json.IndexOf((byte)'"');
            end = end < 0 ? json.Length : end;
            if (end >= ShortestAttachment)
            {
                bytes -= end;
                attachments += TokensPerAttachment;
            }

            json = json[end..];
        }

        return ((bytes + BytesPerToken - 1) / BytesPerToken) + attachments;
    }

    /// <summary>Of a text as it is.</summary>
    public static int Text(string text) => (Encoding.UTF8.GetByteCount(text) + BytesPerToken - 1) / BytesPerToken;

    /// <summary>The most that the reply may have, in all its choices: what is asked for, else what the context leaves room for.</summary>
    public static long Output(JsonBody body, Model model, int choices, long prompt)
    {
        var guess = model.DefaultOutputTokens ?? DefaultOutputTokens;
        var each = Asked(body) ?? (model.ContextTokens is { } context ? Math.Clamp(context - prompt, 1, guess) : guess);
        return Math.Max(1, choices) * each;
    }

    /// <summary>The most that a choice may have by the request's own word; null when it does not say.</summary>
    public static long? Asked(JsonBody body) => Limit(body, "max_completion_tokens"u8) ?? Limit(body, "max_tokens"u8);

    private static long? Limit(JsonBody body, ReadOnlySpan<byte> name)
    {
        if (!body.TryGet(name, out var member) || member.Kind != JsonTokenType.Number)
        {
            return null;
        }

        var number = new Utf8JsonReader(body.Value(member).Span);
        return number.Read() && number.TryGetDouble(out var limit) && limit >= 0 ? (long)Math.Min(limit, int.MaxValue) : null;
    }
}
