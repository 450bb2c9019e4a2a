using System.Buffers.Binary;
using System.Text.Json;

namespace Gateway.Simulator;

/// <summary>POST /v1/embeddings.</summary>
internal static class EmbeddingsRoute
{
    private const int DefaultDimensions = 384;
    private const int MaxDimensions = 4096;
    private const int MaxInputs = 2048;

    public static async Task HandleAsync(Exchange exchange)
    {
        using var body = await RequestBody.ReadAsync(exchange.Http.Request, exchange.Gone);
        var root = body.ParseObject();
        var model = SimulatorRequest.ReadModel(root);
        var texts = TextInputs.Read(root.Member("input")
            ?? throw RefusalException.Missing("input"), "input", MaxInputs);
        if (texts.Contains(""))
        {
            throw RefusalException.WrongValue("input", "it must not be an empty string.");
        }

        var dimensions = root.Whole("dimensions", 1, MaxDimensions) ?? DefaultDimensions;
        var isBase64 = root.Text("encoding_format") switch
        {
            null or "float" => false,
            "base64" => true,
            var other => throw RefusalException.WrongValue("encoding_format", $"'{other}'. Supported values are: float, base64."),
        };

        var trouble = await exchange.EnterAsync(Trouble.Read(model, null, out _), $"{model}\n{texts[0]}", root);
        await exchange.SendAsync(Write(model, texts, dimensions, isBase64), "application/json", trouble);
    }

    private static byte[] Write(string model, List<string> texts, int dimensions, bool isBase64) => JsonText.Write(json =>
    {
        json.WriteStartObject();
        json.WriteString("object", "list");
        json.WriteStartArray("data");
        for (var i = 0; i < texts.Count; i++)
        {
            json.WriteStartObject();
            json.WriteString("object", "embedding");
            json.WriteNumber("index", i);
            json.WritePropertyName("embedding");
            WriteVector(json, WordVector.Of(texts[i], dimensions), isBase64);
            json.WriteEndObject();
        }

        var tokens = texts.Sum(text => Words.Count(text));
        json.WriteEndArray();
        json.WriteString("model", model);
        json.WriteStartObject("usage");
        json.WriteNumber("prompt_tokens", tokens);
        json.WriteNumber("total_tokens", tokens);
        json.WriteEndObject();
        json.WriteEndObject();
    });

    private static void WriteVector(Utf8JsonWriter json, float[] vector, bool isBase64)
    {
        if (isBase64)
        {
            var bytes = new byte[vector.Length * sizeof(float)];
            for (var i = 0; i < vector.Length; i++)
            {
                BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(i * sizeof(float)), vector[i]);
            }

            json.WriteBase64StringValue(bytes);
            return;
        }

        json.WriteStartArray();
        foreach (var value in vector)
        {
            json.WriteNumberValue(value);
        }

        json.WriteEndArray();
    }
}
