using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Yarp.ReverseProxy.Forwarder;

namespace Gateway.Benchmarks;

/// <summary>
/// The least that a .NET proxy can do: YARP's forwarder with one connection pool, the body copied unread. No keys, no
/// selectors, no usage. What the gateway is measured against.
/// </summary>
internal static class BareYarp
{
    /// <summary>Runs until SIGTERM.</summary>
    public static async Task RunAsync(string url, string upstream)
    {
        using var transport = Transport();
        await using var app = Build(url, upstream, transport);
        await app.RunAsync();
    }

    public static WebApplication Build(string url, string upstream, HttpMessageInvoker transport)
    {
        var builder = BenchServer.Create(url);
        builder.Services.AddHttpForwarder();
        var app = builder.Build();
        var forwarder = app.Services.GetRequiredService<IHttpForwarder>();
        var request = new ForwarderRequestConfig { ActivityTimeout = TimeSpan.FromSeconds(100) };
        app.Run(async http => await forwarder.SendAsync(http, upstream, transport, request, HttpTransformer.Default));
        return app;
    }

    /// <summary>The settings of YARP's own documentation for direct forwarding; no trace headers, as nothing reads them.</summary>
    public static HttpMessageInvoker Transport() => new(new SocketsHttpHandler
    {
        UseProxy = false,
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        UseCookies = false,
        ActivityHeadersPropagator = null,
        ConnectTimeout = TimeSpan.FromSeconds(15),
    });
}
