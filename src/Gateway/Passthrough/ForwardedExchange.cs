using System.Net.Http.Headers;
using Gateway.Http;
using Gateway.Upstream;
using Yarp.ReverseProxy.Forwarder;

namespace Gateway.Passthrough;

/// <summary>
/// What goes out and comes back of one attempt. Of the caller's headers only what describes the request travels: not its
/// key, cookies or client; of the upstream's only what describes the reply.
/// </summary>
internal sealed class ForwardedExchange(
    Attempt attempt, AttemptTrail trail, string contentType, long contentLength, IReadOnlyCollection<string> dropped)
    : HttpTransformer, IDisposable
{
    private const string EventStream = "text/event-stream";

    private static readonly string[] Kept = ["Content-Type", "Content-Length", "Content-Disposition", "Content-Encoding"];

    private WatchedReply? _reply;
    private AttemptFailure? _refusal;

    /// <summary>A refusal, or how the reply broke; null while neither.</summary>
    public AttemptFailure? Failure => _refusal ?? _reply?.Failure;

    /// <summary>As the reply reported it; null when it did not, or was too large to be looked at.</summary>
    public TokenUsage? Usage => _reply?.Usage;

    public override ValueTask TransformRequestAsync(
        HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix, CancellationToken cancellationToken)
    {
        var path = httpContext.Request.Path.Value!["/v1/".Length..];
        proxyRequest.RequestUri = new Uri($"{destinationPrefix}/{path}{httpContext.Request.QueryString}");
        UpstreamClient.AddHeaders(proxyRequest, attempt.Deployment.Provider);
        if (httpContext.Request.Headers.Accept is { Count: > 0 } accept && !proxyRequest.Headers.Contains("Accept"))
        {
            proxyRequest.Headers.TryAddWithoutValidation("Accept", (IEnumerable<string?>)accept);
        }

        attempt.Trace(proxyRequest, path);
        proxyRequest.Content!.Headers.TryAddWithoutValidation("Content-Type", contentType);
        proxyRequest.Content.Headers.ContentLength = contentLength;
        return default;
    }

    public override async ValueTask<bool> TransformResponseAsync(
        HttpContext httpContext, HttpResponseMessage? proxyResponse, CancellationToken cancellationToken)
    {
        if (proxyResponse is null)
        {
            return false;
        }

        attempt.Clock.Stop();
        if (!proxyResponse.IsSuccessStatusCode)
        {
            _refusal = await ReadRefusalAsync(proxyResponse);
            return false;
        }

        CopyHeaders(httpContext.Response, proxyResponse);
        DroppedParams.Name(httpContext, dropped);
        attempt.Began();
        AttemptHeaders.Set(httpContext, trail);
        // A plain reply has only the total; what comes bit by bit must not fall silent.
        var type = proxyResponse.Content.Headers.ContentType?.MediaType;
        var isJson = type == "application/json";
        _reply = new WatchedReply(
            await proxyResponse.Content.ReadAsStreamAsync(cancellationToken), attempt, trail.Usage,
            isJson ? null : attempt.Route.Model.Timeouts.Idle, isJson && IsWorthReading(proxyResponse.Content.Headers));
        proxyResponse.Content = new StreamOnly(_reply);
        return true;
    }

    public override ValueTask TransformResponseTrailersAsync(
        HttpContext httpContext, HttpResponseMessage proxyResponse, CancellationToken cancellationToken) => default;

    /// <summary>The forwarder disposes of a reply that it has copied; this is for one that it did not come to copy.</summary>
    public void Dispose() => _reply?.Dispose();

    private async Task<AttemptFailure> ReadRefusalAsync(HttpResponseMessage response)
    {
        var (bytes, length) = await UpstreamClient.ReadErrorAsync(response, attempt.Clock);
        return AttemptFailure.Refused(response, bytes.AsSpan(0, length), attempt.Route, attempt.Deployment.Provider);
    }

    private static void CopyHeaders(HttpResponse response, HttpResponseMessage reply)
    {
        foreach (var name in Kept)
        {
            if (reply.Content.Headers.NonValidated.TryGetValues(name, out var values))
            {
                Copy(response, name, values.ToString());
            }
        }

        foreach (var (name, values) in reply.Headers.NonValidated)
        {
            if (name.StartsWith("openai-", StringComparison.OrdinalIgnoreCase))
            {
                Copy(response, name, values.ToString());
            }
        }

        // The body's length is told in one way alone, and the chunks' is surer.
        if (reply.Headers.TransferEncodingChunked == true)
        {
            response.ContentLength = null;
        }

        if (reply.Content.Headers.ContentType?.MediaType == EventStream)
        {
            response.Headers.CacheControl = "no-cache";
            response.Headers["X-Accel-Buffering"] = "no";
        }
    }

    /// <summary>A value that our server would not send, such as a file name with umlauts, is not worth failing for.</summary>
    private static void Copy(HttpResponse response, string name, string value)
    {
        if (!value.AsSpan().ContainsAnyExceptInRange(' ', '~'))
        {
            response.Headers[name] = value;
        }
    }

    private static bool IsWorthReading(HttpContentHeaders headers) =>
        headers.ContentLength is not > WatchedReply.MaxReadBytes && headers.ContentEncoding.Count == 0;

    /// <summary>A content that is a stream and is read only as one.</summary>
    private sealed class StreamOnly(Stream stream) : HttpContent
    {
        protected override Task<Stream> CreateContentReadStreamAsync() => Task.FromResult(stream);

        protected override Task<Stream> CreateContentReadStreamAsync(CancellationToken cancellationToken) =>
            Task.FromResult(stream);

        protected override Task SerializeToStreamAsync(Stream stream, System.Net.TransportContext? context) =>
            throw new NotSupportedException();

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }

        protected override void Dispose(bool disposing)
        {
            stream.Dispose();
            base.Dispose(disposing);
        }
    }
}
