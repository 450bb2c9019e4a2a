using System.ClientModel;
using System.ClientModel.Primitives;
using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using Gateway.Usage;
using OpenAI;
using OpenAI.Embeddings;

namespace Gateway.Upstream;

/// <summary>Makes vectors of texts, by the OpenAI client over the gateway's own transport.</summary>
internal sealed class Embeddings(Transport transport)
{
    private static readonly TimeSpan LongestCall = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);

    /// <summary>Models that said that they take no <c>dimensions</c>.</summary>
    private readonly ConcurrentDictionary<string, bool> _withoutDimensions = new(StringComparer.Ordinal);

    /// <summary>Makes one vector for each text, and records the call.</summary>
    /// <exception cref="EmbeddingException">There are none.</exception>
    /// <exception cref="OperationCanceledException">The caller left, or its time is over.</exception>
    public async Task<float[][]> EmbedAsync(
        EmbeddingModel model, IReadOnlyList<string> texts, RequestUsage usage, EmbeddingCall call, CancellationToken cancel)
    {
        var estimate = texts.Sum(text => (long)PromptEstimate.Text(text));
        usage.Dispatch(model.Name, estimate);
        var started = usage.ElapsedMs;
        try
        {
            var reply = await AskAsync(model, texts, call, cancel);
            Record("ok", reply.Tokens ?? estimate, reply.Tokens is null);
            return reply.Vectors;
        }
        catch (EmbeddingException failed)
        {
            Record(failed.Outcome, 0, isEstimated: false);
            throw;
        }
        catch (OperationCanceledException)
        {
            // The provider may have read all of it, and charge for that.
            Record(call.LeftAs(), call.IsSent ? estimate : 0, call.IsSent);
            throw;
        }

        void Record(string outcome, long tokens, bool isEstimated) => usage.Add(new AttemptUsage(
            model.Label, model.Name, outcome, started, usage.ElapsedMs - started, null, tokens, 0, 0, 0, isEstimated, model.Cost(tokens)));
    }

    private async Task<EmbeddingReply> AskAsync(EmbeddingModel model, IReadOnlyList<string> texts, EmbeddingCall call, CancellationToken cancel)
    {
        var hasDimensions = !_withoutDimensions.ContainsKey(model.Label);
        try
        {
            return EmbeddingReply.Read(await SendAsync(model, texts, hasDimensions, call, cancel), model, texts.Count);
        }
        catch (ClientResultException refused) when (hasDimensions && refused.Status == 400)
        {
            // Servers with one fixed size often refuse the parameter; those that answer without it do so from now on.
        }
        catch (Exception broken) when (Explain(broken, model, cancel) is { } failure)
        {
            throw failure;
        }

        try
        {
            var reply = await SendAsync(model, texts, hasDimensions: false, call, cancel);
            _withoutDimensions[model.Label] = true;
            return EmbeddingReply.Read(reply, model, texts.Count);
        }
        catch (Exception broken) when (Explain(broken, model, cancel) is { } failure)
        {
            throw failure;
        }
    }

    private async Task<BinaryData> SendAsync(
        EmbeddingModel model, IReadOnlyList<string> texts, bool hasDimensions, EmbeddingCall call, CancellationToken cancel)
    {
        using var handler = new EmbeddingTransport(transport.For(ModelTimeouts.Default.Connect), model, call);
        using var http = new HttpClient(handler, disposeHandler: false) { Timeout = Timeout.InfiniteTimeSpan };
        using var pipeline = new HttpClientPipelineTransport(http);
        var client = new EmbeddingClient(model.UpstreamModel, new ApiKeyCredential("replaced by the transport"), new OpenAIClientOptions
        {
            Endpoint = new Uri(model.Provider.BaseUrl),
            Transport = pipeline,
            RetryPolicy = new ShortRetries(call.Retries),
            NetworkTimeout = LongestCall,
        });
        using var body = BinaryContent.Create(BinaryData.FromBytes(Body(model, texts, hasDimensions)));
        var result = await client.GenerateEmbeddingsAsync(body, new RequestOptions { CancellationToken = cancel });
        return result.GetRawResponse().Content;
    }

    private static byte[] Body(EmbeddingModel model, IReadOnlyList<string> texts, bool hasDimensions)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>(texts.Sum(t => t.Length) + 1_024);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("model", model.UpstreamModel);
            json.WriteString("encoding_format", "base64");
            if (hasDimensions)
            {
                json.WriteNumber("dimensions", model.Dimensions);
            }

            json.WriteStartArray("input");
            foreach (var text in texts)
            {
                json.WriteStringValue(text);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>What to throw in its place. Null: nothing, it is a mistake of ours and says so itself.</summary>
    private static Exception? Explain(Exception broken, EmbeddingModel model, CancellationToken cancel)
    {
        if (cancel.IsCancellationRequested)
        {
            return new OperationCanceledException(cancel);
        }

        // The client wraps what broke more than one try.
        var last = broken is AggregateException several ? several.InnerExceptions[^1] : broken;
        return last switch
        {
            EmbeddingException explained => explained,
            ClientResultException { Status: > 0 } refused => new EmbeddingException(
                $"The provider of the embedding model '{model.Name}' answers with status {refused.Status}.",
                refused.Status.ToString(CultureInfo.InvariantCulture), refused.Status is 408 or 409 or 429 or >= 500, RetryAfter(refused)),
            ClientResultException or HttpRequestException or IOException => new EmbeddingException(
                $"The provider of the embedding model '{model.Name}' cannot be reached.", "connect", isPassing: true),
            OperationCanceledException => new EmbeddingException(
                $"The provider of the embedding model '{model.Name}' does not answer in time.", "total", isPassing: true),
            _ => ReferenceEquals(last, broken) ? null : last,
        };
    }

    private static TimeSpan? RetryAfter(ClientResultException refused) => RetryAfter(refused.GetRawResponse());

    private static TimeSpan? RetryAfter(PipelineResponse? response) =>
        response?.Headers.TryGetValue("Retry-After", out var value) == true
        && int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            ? TimeSpan.FromSeconds(Math.Min(seconds, 86_400))
            : null;

    /// <summary>Tries again, unless the provider says that it takes longer: then who asked decides what to do meanwhile.</summary>
    private sealed class ShortRetries(int most) : ClientRetryPolicy(most)
    {
        protected override ValueTask<bool> ShouldRetryAsync(PipelineMessage message, Exception? exception) =>
            exception is EmbeddingException || RetryAfter(message.Response) > LongestWait
                ? ValueTask.FromResult(false)
                : base.ShouldRetryAsync(message, exception);
    }
}
