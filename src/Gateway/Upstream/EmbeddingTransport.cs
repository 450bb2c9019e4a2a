namespace Gateway.Upstream;

/// <summary>
/// Sends what the OpenAI client composes over the gateway's own connections, with the provider's credential and headers in
/// place of the client's.
/// </summary>
internal sealed class EmbeddingTransport(HttpMessageInvoker invoker, Provider provider) : HttpMessageHandler
{
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        request.Headers.Remove("Authorization");
        request.Headers.Remove("User-Agent");
        UpstreamClient.AddHeaders(request, provider);
        return invoker.SendAsync(request, cancellationToken);
    }
}
