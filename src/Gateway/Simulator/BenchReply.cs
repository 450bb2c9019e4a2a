using System.Text.Json;

namespace Gateway.Simulator;

/// <summary>
/// The answer of the model <c>bench</c>: constant, about 600 bytes, given after one look at the request, so that a
/// comparison of
/// forwarders measures the forwarders.
/// </summary>
internal static class BenchReply
{
    private static readonly ReadOnlyMemory<byte> Body = """
        {"id":"chatcmpl-bench","object":"chat.completion","created":1767225600,"model":"bench","system_fingerprint":"fp_simulator","choices":[{"index":0,"message":{"role":"assistant","content":"I am a simulator, and this is the answer that I always give when my speed or that of something in front of me is measured.","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":28,"total_tokens":38,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0}}}
        """u8.ToArray();

    public static async Task SendAsync(HttpContext http)
    {
        http.Response.ContentType = "application/json";
        http.Response.ContentLength = Body.Length;
        await http.Response.BodyWriter.WriteAsync(Body, http.RequestAborted);
    }

    /// <summary>
    /// Whether the body is an object with model "bench" and no stream. Anything odd is left to the thorough reader.
    /// </summary>
    public static bool IsWanted(ReadOnlySpan<byte> body)
    {
        var isBench = false;
        var reader = new Utf8JsonReader(body);
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                return false;
            }

            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isModel = reader.ValueTextEquals("model"u8);
                var isStream = reader.ValueTextEquals("stream"u8);
                reader.Read();
                if (isModel)
                {
                    isBench = reader.TokenType == JsonTokenType.String && reader.ValueTextEquals("bench"u8);
                    if (!isBench)
                    {
                        return false;
                    }
                }
                else if (isStream && reader.TokenType != JsonTokenType.False)
                {
                    return false;
                }

                reader.Skip();
            }

            return isBench && reader.TokenType == JsonTokenType.EndObject && !reader.Read();
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return false;
        }
    }
}
