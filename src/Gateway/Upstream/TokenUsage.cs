using System.Text.Json;

namespace Gateway.Upstream;

/// <summary>Tokens of a reply as the upstream reported them.</summary>
/// <param name="CachedInput">The part of <paramref name="Input"/> that came from the provider's cache.</param>
/// <param name="Reasoning">The part of <paramref name="Output"/> that was spent on reasoning.</param>
internal readonly record struct TokenUsage(int Input, int Output, int CachedInput, int Reasoning)
{
    /// <summary>Reads a <c>usage</c> object; the reader stands at its brace and is left at its end.</summary>
    /// <returns>
    /// Null when it reports no tokens, as that of a transcription counted in seconds. Parts are never more than their whole:
    /// a price would become negative.
    /// </returns>
    public static TokenUsage? Read(ref Utf8JsonReader json)
    {
        var (input, output, cached, reasoning) = (0, 0, 0, 0);
        var depth = json.CurrentDepth;
        while (json.Read() && !(json.TokenType == JsonTokenType.EndObject && json.CurrentDepth == depth))
        {
            if (json.TokenType != JsonTokenType.PropertyName)
            {
                continue;
            }

            // Embeddings, images and transcriptions name theirs input_tokens and output_tokens.
            if (json.ValueSpan.SequenceEqual("prompt_tokens"u8) || json.ValueSpan.SequenceEqual("input_tokens"u8))
            {
                input = Number(ref json);
            }
            else if (json.ValueSpan.SequenceEqual("completion_tokens"u8) || json.ValueSpan.SequenceEqual("output_tokens"u8))
            {
                output = Number(ref json);
            }
            else if (json.ValueSpan.SequenceEqual("cached_tokens"u8))
            {
                cached = Number(ref json);
            }
            else if (json.ValueSpan.SequenceEqual("reasoning_tokens"u8))
            {
                reasoning = Number(ref json);
            }
        }

        return input == 0 && output == 0
            ? null
            : new TokenUsage(input, output, Math.Min(cached, input), Math.Min(reasoning, output));
    }

    /// <summary>Finds the usage of a whole reply; null when it reports no tokens, or is no JSON object.</summary>
    public static TokenUsage? Find(ReadOnlySpan<byte> reply)
    {
        var json = new Utf8JsonReader(reply, new JsonReaderOptions { MaxDepth = PlainReply.MaxDepth });
        try
        {
            json.Read();
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                var isUsage = json.ValueSpan.SequenceEqual("usage"u8);
                json.Read();
                if (isUsage && json.TokenType == JsonTokenType.StartObject)
                {
                    return Read(ref json);
                }

                json.Skip();
            }
        }
        catch (JsonException)
        {
            // Passed on as it is; only its usage stays unknown.
        }

        return null;
    }

    public static TokenUsage operator +(TokenUsage a, TokenUsage b) =>
        new(a.Input + b.Input, a.Output + b.Output, a.CachedInput + b.CachedInput, a.Reasoning + b.Reasoning);

    private static int Number(ref Utf8JsonReader json) =>
        json.Read() && json.TokenType == JsonTokenType.Number && json.TryGetInt32(out var number) ? Math.Max(0, number) : 0;
}
