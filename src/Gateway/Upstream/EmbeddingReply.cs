using System.Buffers.Binary;
using System.Text.Json;

namespace Gateway.Upstream;

/// <summary>Vectors in the order of the texts.</summary>
/// <param name="Tokens">As the provider counts them; null: it does not say.</param>
internal sealed record EmbeddingReply(float[][] Vectors, long? Tokens)
{
    /// <summary>Reads a reply, in either encoding: some servers answer with numbers whatever is asked for.</summary>
    /// <exception cref="EmbeddingException">It is not what was asked for.</exception>
    public static EmbeddingReply Read(BinaryData json, EmbeddingModel model, int texts)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            var vectors = new float[texts][];
            foreach (var item in document.RootElement.GetProperty("data").EnumerateArray())
            {
                vectors[item.GetProperty("index").GetInt32()] = Vector(item.GetProperty("embedding"));
            }

            if (Array.Find(vectors, v => v?.Length != model.Dimensions) is { } other)
            {
                throw new EmbeddingException(
                    $"The embedding model '{model.Name}' makes vectors of {other.Length} dimensions, and {model.Dimensions} are configured. Correct 'dimensions' of the embedding model.",
                    "dimensions", isPassing: false);
            }

            return Array.Exists(vectors, v => v is null) ? throw Malformed(model) : new EmbeddingReply(vectors, TokensOf(document.RootElement));
        }
        catch (Exception wrong) when (wrong is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or IndexOutOfRangeException)
        {
            throw Malformed(model);
        }
    }

    private static EmbeddingException Malformed(EmbeddingModel model) =>
        new($"The provider of the embedding model '{model.Name}' sent a reply that cannot be used.", "malformed", isPassing: true);

    private static float[] Vector(JsonElement embedding)
    {
        if (embedding.ValueKind == JsonValueKind.Array)
        {
            return [.. embedding.EnumerateArray().Select(n => n.GetSingle())];
        }

        var bytes = embedding.GetBytesFromBase64();
        var vector = new float[bytes.Length / sizeof(float)];
        for (var i = 0; i < vector.Length; i++)
        {
            vector[i] = BinaryPrimitives.ReadSingleLittleEndian(bytes.AsSpan(i * sizeof(float)));
        }

        return vector;
    }

    private static long? TokensOf(JsonElement reply) =>
        reply.TryGetProperty("usage", out var usage) && usage.ValueKind == JsonValueKind.Object
        && usage.TryGetProperty("prompt_tokens", out var tokens) && tokens.TryGetInt64(out var count) && count > 0
            ? count
            : null;
}
