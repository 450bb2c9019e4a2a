using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Gateway.Benchmarks;

internal static class BenchServer
{
    /// <summary>Kestrel with nothing around it: no configuration files, no logs.</summary>
    /// <param name="url">Where it listens for HTTP/1.1, such as <c>http://127.0.0.1:9100</c>.</param>
    /// <param name="http2Url">Where it listens for HTTP/2 without TLS; null: nowhere.</param>
    public static WebApplicationBuilder Create(string url, string? http2Url = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.Http2.MaxStreamsPerConnection = 1000;
            kestrel.Listen(Address(url), endpoint => endpoint.Protocols = HttpProtocols.Http1);
            if (http2Url is not null)
            {
                kestrel.Listen(Address(http2Url), endpoint => endpoint.Protocols = HttpProtocols.Http2);
            }
        });
        return builder;
    }

    private static IPEndPoint Address(string url) => new(IPAddress.Parse(new Uri(url).Host), new Uri(url).Port);
}
