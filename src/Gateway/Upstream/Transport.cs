using System.Collections.Concurrent;
using System.Net;

namespace Gateway.Upstream;

/// <summary>
/// The connections to providers. One tuned handler for each connect timeout in use, which is one for nearly everybody:
/// the handler's own timeout covers the TLS handshake too, which a token around the request could not tell apart.
/// </summary>
/// <param name="create">Makes the handler for a connect timeout.</param>
internal sealed class Transport(Func<TimeSpan, HttpMessageHandler> create) : IDisposable
{
    private readonly ConcurrentDictionary<TimeSpan, HttpMessageInvoker> _invokers = new();

    public Transport()
        : this(Create)
    {
    }

    public HttpMessageInvoker For(TimeSpan connectTimeout) => _invokers.GetOrAdd(
        connectTimeout, static (timeout, create) => new HttpMessageInvoker(create(timeout)), create);

    public void Dispose()
    {
        foreach (var invoker in _invokers.Values)
        {
            invoker.Dispose();
        }
    }

    private static SocketsHttpHandler Create(TimeSpan connectTimeout) => new()
    {
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        UseCookies = false,
        ConnectTimeout = connectTimeout,
        // Providers move behind their names; connections that live for ever would not follow.
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(60),
        EnableMultipleHttp2Connections = true,
        // Traces are propagated by what records them, not by default.
        ActivityHeadersPropagator = null,
        // A caller who left closes the upstream at once: draining what nobody reads would keep it generating.
        ResponseDrainTimeout = TimeSpan.Zero,
    };
}
