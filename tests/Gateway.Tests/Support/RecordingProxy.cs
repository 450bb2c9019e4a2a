using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Gateway.Tests.Support;

/// <summary>One request through a <see cref="RecordingProxy"/> and its raw reply.</summary>
/// <param name="Target">Path and query as they stood in the request line.</param>
/// <param name="Reply">Null when the gateway gave no headers.</param>
/// <param name="CallerLeft">The SDK closed its connection before the reply's end.</param>
public sealed record Exchange(string Method, string Target, byte[] RequestBody, RawReply? Reply, bool CallerLeft);

/// <summary>
/// Stands between an SDK and the gateway, passes everything on as it comes (breaks too, both ways) and keeps the raw
/// replies, so that they can be held against the schemas whatever the SDK made of them.
/// </summary>
public sealed class RecordingProxy : IAsyncDisposable
{
    private static readonly HashSet<string> HopByHop = new(StringComparer.OrdinalIgnoreCase)
    {
        "Connection", "Keep-Alive", "Transfer-Encoding", "Upgrade", "Host", "Date", "Server",
    };

    private readonly WebApplication _app;
    private readonly string _gateway;
    private readonly Lock _gate = new();
    private readonly List<Exchange> _exchanges = [];
    private readonly HttpMessageInvoker _client = new(new SocketsHttpHandler
    {
        UseProxy = false,
        UseCookies = false,
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
    });
    private int _arrived;
    private int _underWay;

    private RecordingProxy(WebApplication app, string gateway) => (_app, _gateway) = (app, gateway);

    /// <summary>Scheme, host and port.</summary>
    public string BaseUrl => _app.Urls.First();

    /// <summary>How many requests have arrived since the last <see cref="Reset"/>: an SDK's retries count.</summary>
    public int Arrived => Volatile.Read(ref _arrived);

    public static async Task<RecordingProxy> StartAsync(string gatewayUrl)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.AddServerHeader = false;
        });
        builder.Services.Configure<Microsoft.Extensions.Hosting.HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromSeconds(1));
        var proxy = new RecordingProxy(builder.Build(), gatewayUrl);
        proxy._app.Run(proxy.ForwardAsync);
        await proxy._app.StartAsync();
        return proxy;
    }

    /// <summary>All exchanges since the last <see cref="Reset"/>, once none is under way.</summary>
    /// <exception cref="TimeoutException">One was still under way after 10 s.</exception>
    public async Task<IReadOnlyList<Exchange>> ExchangesAsync(CancellationToken cancel)
    {
        for (var waited = 0; Volatile.Read(ref _underWay) > 0; waited += 10)
        {
            if (waited > 10_000)
            {
                throw new TimeoutException("A request through the recording proxy did not end.");
            }

            await Task.Delay(10, cancel);
        }

        lock (_gate)
        {
            return [.. _exchanges];
        }
    }

    public void Reset()
    {
        lock (_gate)
        {
            _exchanges.Clear();
            _arrived = 0;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        _client.Dispose();
    }

    private async Task ForwardAsync(HttpContext http)
    {
        Interlocked.Increment(ref _arrived);
        Interlocked.Increment(ref _underWay);
        try
        {
            var exchange = await ForwardAndRecordAsync(http);
            lock (_gate)
            {
                _exchanges.Add(exchange);
            }

            if (exchange.Reply is null or { Broken: true })
            {
                http.Abort();
            }
        }
        finally
        {
            Interlocked.Decrement(ref _underWay);
        }
    }

    private async Task<Exchange> ForwardAndRecordAsync(HttpContext http)
    {
        var target = http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        using var sent = new MemoryStream();
        using var received = new MemoryStream();
        HttpResponseMessage? reply = null;
        var broken = false;
        try
        {
            await http.Request.Body.CopyToAsync(sent, http.RequestAborted);
            using var request = Copy(http.Request, target, sent.ToArray());
            reply = await _client.SendAsync(request, http.RequestAborted);
            await CopyAsync(reply, received, http);
        }
        catch (Exception e) when (e is IOException or HttpRequestException or OperationCanceledException)
        {
            // Whose end broke is told by RequestAborted: it fires for the caller's side alone.
            broken = true;
        }

        using (reply)
        {
            var callerLeft = broken && http.RequestAborted.IsCancellationRequested;
            var raw = reply is null
                ? null
                : new RawReply((int)reply.StatusCode, RawReply.HeadersOf(reply), received.ToArray(), broken && !callerLeft, TimeSpan.Zero);
            return new Exchange(http.Request.Method, target, sent.ToArray(), raw, callerLeft);
        }
    }

    private HttpRequestMessage Copy(HttpRequest from, string target, byte[] body)
    {
        // The address must reach the gateway as the SDK wrote it: %2F is not a slash.
        var address = new Uri(_gateway + target, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        var request = new HttpRequestMessage(new HttpMethod(from.Method), address);
        if (body.Length > 0)
        {
            request.Content = new ByteArrayContent(body);
        }

        foreach (var (name, values) in from.Headers)
        {
            if (!HopByHop.Contains(name) && !request.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values))
            {
                request.Content?.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values);
            }
        }

        return request;
    }

    private static async Task CopyAsync(HttpResponseMessage reply, MemoryStream received, HttpContext http)
    {
        http.Response.StatusCode = (int)reply.StatusCode;
        foreach (var (name, values) in reply.Headers.NonValidated.Concat(reply.Content.Headers.NonValidated))
        {
            if (!HopByHop.Contains(name))
            {
                http.Response.Headers.Append(name, values.ToArray());
            }
        }

        await http.Response.StartAsync(http.RequestAborted);
        await using var body = await reply.Content.ReadAsStreamAsync(http.RequestAborted);
        var buffer = new byte[16 * 1024];
        int read;
        while ((read = await body.ReadAsync(buffer, http.RequestAborted)) > 0)
        {
            received.Write(buffer, 0, read);
            await http.Response.Body.WriteAsync(buffer.AsMemory(0, read), http.RequestAborted);
            await http.Response.Body.FlushAsync(http.RequestAborted);
        }
    }
}
