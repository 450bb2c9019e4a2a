using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Gateway.Benchmarks;

internal static class BenchServer
{
    /// <summary>Kestrel with nothing around it: no configuration files, no logs, HTTP/1.1.</summary>
    /// <param name="url">Where it listens, such as <c>http://127.0.0.1:9100</c>.</param>
    public static WebApplicationBuilder Create(string url)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls(url);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.ConfigureEndpointDefaults(endpoint => endpoint.Protocols = HttpProtocols.Http1);
        });
        return builder;
    }
}
