using System.Text;
using System.Text.Json.Nodes;

namespace Gateway.Tests.Support;

/// <summary>Holds every raw reply that went through a <see cref="RecordingProxy"/> against OpenAI's schemas.</summary>
public static class ReplyContract
{
    /// <summary>Fails with the first reply that breaks the contract, or when there was none to judge.</summary>
    /// <param name="usageMayBeMissing">For streams that an upstream cut between finish_reason and usage.</param>
    public static async Task AssertAllValidAsync(
        RecordingProxy proxy, SchemaValidator schemas, CancellationToken cancel, bool usageMayBeMissing = false)
    {
        var exchanges = await proxy.ExchangesAsync(cancel);
        Assert.NotEmpty(exchanges);
        foreach (var exchange in exchanges)
        {
            if (exchange.Reply is { } reply)
            {
                Assert.False(string.IsNullOrEmpty(reply.Headers.GetValueOrDefault("x-request-id")), $"No x-request-id on {exchange.Target}.");
                await AssertValidAsync(exchange, reply, schemas, usageMayBeMissing, cancel);
            }
            else
            {
                Assert.True(exchange.CallerLeft, $"No answer to {exchange.Method} {exchange.Target}.");
            }
        }
    }

    private static async Task AssertValidAsync(
        Exchange exchange, RawReply reply, SchemaValidator schemas, bool usageMayBeMissing, CancellationToken cancel)
    {
        if (reply.ContentType?.StartsWith("text/event-stream", StringComparison.Ordinal) == true)
        {
            await AssertValidStreamAsync(exchange, reply, schemas, usageMayBeMissing, cancel);
            return;
        }

        if (exchange.CallerLeft)
        {
            return;
        }

        Assert.False(reply.Broken, $"A plain reply was cut: {exchange.Target} {reply.Text}");
        Assert.StartsWith("application/json", reply.ContentType, StringComparison.Ordinal);
        if (reply.Status >= 400)
        {
            await schemas.AssertValidAsync("ErrorResponse", reply.Body, cancel);
            return;
        }

        var path = exchange.Target.Split('?')[0];
        var (definition, body) = path switch
        {
            "/v1/chat/completions" => ("CreateChatCompletionResponse", reply.Body),
            "/v1/models" => ("ListModelsResponse", reply.Body),
            "/v1/embeddings" => ("CreateEmbeddingResponse", WithVectorsAsNumbers(reply.Body)),
            _ when path.StartsWith("/v1/models/", StringComparison.Ordinal) => ("Model", reply.Body),
            _ => throw new InvalidOperationException($"No schema is known for {path}."),
        };
        await schemas.AssertValidAsync(definition, body, cancel);
    }

    private static async Task AssertValidStreamAsync(
        Exchange exchange, RawReply reply, SchemaValidator schemas, bool usageMayBeMissing, CancellationToken cancel)
    {
        Assert.Equal(200, reply.Status);
        var request = JsonNode.Parse(exchange.RequestBody)!;
        if (!exchange.CallerLeft && !reply.Broken)
        {
            var asked = request["stream_options"]?["include_usage"]?.GetValue<bool>() ?? false;
            var n = request["n"]?.GetValue<int>() ?? 1;
            await Transcript.AssertValidStreamAsync(schemas, reply.Body, usageMayBeMissing ? null : asked, n, cancel);
            return;
        }

        // Only two ways to end early: the caller left, or an error event and then the break.
        Assert.True(exchange.CallerLeft || reply.Ending == StreamEnding.ErrorThenAbort, $"{reply.Ending}: {reply.Text}");
        var events = Transcript.Events(reply.Body, mayBeCut: exchange.CallerLeft);
        Assert.DoesNotContain("[DONE]", events);
        for (var i = 0; i < events.Count; i++)
        {
            var isError = Transcript.IsError(events[i]);
            Assert.True(!isError || i == events.Count - 1, $"Something follows an error event: {reply.Text}");
            await schemas.AssertValidAsync(
                isError ? "ErrorResponse" : "CreateChatCompletionStreamResponse", Encoding.UTF8.GetBytes(events[i]), cancel);
        }
    }

    /// <summary>OpenAI's schema knows vectors as numbers alone, and its SDKs ask for base64 of little-endian floats.</summary>
    private static byte[] WithVectorsAsNumbers(byte[] body)
    {
        var reply = JsonNode.Parse(body)!;
        foreach (var item in reply["data"]!.AsArray())
        {
            if (item!["embedding"] is JsonValue text)
            {
                var bytes = Convert.FromBase64String(text.GetValue<string>());
                Assert.Equal(0, bytes.Length % sizeof(float));
                var numbers = Enumerable.Range(0, bytes.Length / sizeof(float))
                    .Select(i => JsonValue.Create(BitConverter.ToSingle(bytes, i * sizeof(float))));
                item["embedding"] = new JsonArray([.. numbers]);
            }
        }

        return Encoding.UTF8.GetBytes(reply.ToJsonString());
    }
}
