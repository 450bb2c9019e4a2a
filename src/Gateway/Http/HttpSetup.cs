using Gateway.Data;

namespace Gateway.Http;

internal static class HttpSetup
{
    /// <summary>A body slower than this is given up, after a few seconds' grace: slow-loris.</summary>
    private const double SlowestBodyBytesPerSecond = 240;

    public static WebApplicationBuilder AddHttpEdge(this WebApplicationBuilder builder, AdminPorts adminPorts)
    {
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            // Bodies are counted where they are read, by what they are; see RequestBody.
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = new(SlowestBodyBytesPerSecond, TimeSpan.FromSeconds(5));
        });

        builder.Services.AddSingleton(adminPorts);
        builder.Services.AddSingleton(s =>
        {
            var settings = s.GetRequiredService<GatewaySettings>();
            return new BodyLimits(settings.MaxRequestBytes, settings.MaxUploadBytes);
        });
        builder.Services.AddSingleton<KeyTable>();
        builder.Services.AddSingleton<IConfigReader>(s => s.GetRequiredService<KeyTable>());
        builder.Services.AddSingleton<Authentication>();
        builder.Services.AddSingleton<Cors>();
        builder.Services.AddSingleton<Spool>();
        builder.Services.AddSingleton<Drain>();
        builder.Services.AddHostedService<DrainService>();
        builder.Services.AddHostedService<IdleMemory>();
        builder.Services.AddOptions<HostOptions>().Configure<GatewaySettings>(
            (host, settings) => host.ShutdownTimeout = DrainService.LongestStop(settings));
        return builder;
    }

    /// <summary>Order matters: the path is tidied before it is routed, and the edge knows the route that matched.</summary>
    public static WebApplication UseHttpEdge(this WebApplication app)
    {
        app.Use((http, next) =>
        {
            EdgePath.Tidy(http.Request);
            return next(http);
        });
        app.UseRouting();
        app.UseMiddleware<Edge>();
        return app;
    }

    /// <summary>Listens where the operator says, and where nothing is said on loopback alone.</summary>
    public static void ListenAt(this WebApplication app, AdminPorts adminPorts)
    {
        var urls = app.Configuration["URLS"] is { Length: > 0 } set ? set : "http://127.0.0.1:8080";
        foreach (var url in urls.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Concat(adminPorts.Urls))
        {
            app.Urls.Add(url);
        }
    }
}
