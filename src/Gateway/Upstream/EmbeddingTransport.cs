using System.Threading.RateLimiting;

namespace Gateway.Upstream;

/// <summary>
/// Sends what the OpenAI client composes over the gateway's own connections, with the provider's credential and headers in
/// place of the client's. Each try has a place at the provider until its answer is read: the waits between tries have none.
/// </summary>
internal sealed class EmbeddingTransport(HttpMessageInvoker invoker, EmbeddingModel model, EmbeddingCall call) : HttpMessageHandler
{
    private const long MostBytes = 256L * 1_048_576;

    /// <exception cref="EmbeddingException">Too many wait for a place at the provider.</exception>
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var provider = model.Provider;
        using var share = call.IsBackground ? await EnterAsync(provider.BackgroundPlaces, cancellationToken) : null;
        using var place = await EnterAsync(provider.Places, cancellationToken);
        request.Headers.Remove("Authorization");
        request.Headers.Remove("User-Agent");
        UpstreamClient.AddHeaders(request, provider);
        call.IsSent = true;
        var reply = await invoker.SendAsync(request, cancellationToken);
        try
        {
            await reply.Content.LoadIntoBufferAsync(MostBytes, cancellationToken);
            return reply;
        }
        catch
        {
            reply.Dispose();
            throw;
        }
    }

    private async ValueTask<RateLimitLease?> EnterAsync(ConcurrencyLimiter? places, CancellationToken cancel)
    {
        var place = places is null ? null : await places.AcquireAsync(1, cancel);
        return place is { IsAcquired: false }
            ? throw new EmbeddingException($"Every place at the provider of '{model.Name}' is taken.", "occupied", isPassing: true)
            : place;
    }
}
