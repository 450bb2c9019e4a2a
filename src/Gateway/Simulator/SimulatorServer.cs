using System.Diagnostics;

namespace Gateway.Simulator;

/// <summary>
/// A rule-based stand-in for an OpenAI-compatible upstream, on a Kestrel of its own: it shares no configuration, log or
/// signal handling with the process around it. The README beside this file says what it answers.
/// </summary>
internal sealed class SimulatorServer : IAsyncDisposable
{
    private const long MaxBodyBytes = 256 * 1_048_576;
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(2);

    private readonly WebApplication _app;
    private readonly CancellationTokenSource _stopping;

    private SimulatorServer(WebApplication app, CancellationTokenSource stopping)
    {
        _app = app;
        _stopping = stopping;
        Address = Reachable(app.Urls.First());
    }

    /// <summary>
    /// Where it is reached from this machine, such as http://127.0.0.1:12345/. An upstream's base URL is this and
    /// <c>v1</c>.
    /// </summary>
    public Uri Address { get; }

    /// <summary>Starts listening. Runs until it is disposed, which breaks off what is still being answered.</summary>
    /// <exception cref="IOException">The address is in use.</exception>
    public static async Task<SimulatorServer> StartAsync(SimulatorOptions options, CancellationToken cancel)
    {
        // An empty builder reads neither appsettings.json nor ASPNETCORE_URLS, which are the gateway's.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { EnvironmentName = Environments.Production });
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        // Under the usual name its requests would be taken for the gateway's own, which runs in the same process.
        builder.Services.AddSingleton(new ActivitySource("Gateway.Simulator"));
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = MaxBodyBytes;
            // Slow callers are what it is tested with.
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
        });

        var app = builder.Build();
        foreach (var url in options.Urls.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            app.Urls.Add(url);
        }

        var stopping = new CancellationTokenSource();
        var routes = new SimulatorRoutes(options.Clock, stopping.Token);
        app.Run(routes.HandleAsync);
        try
        {
            await app.StartAsync(cancel);
        }
        catch
        {
            await app.DisposeAsync();
            stopping.Dispose();
            throw;
        }

        return new SimulatorServer(app, stopping);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        using var limit = new CancellationTokenSource(StopLimit);
        await _app.StopAsync(limit.Token);
        await _app.DisposeAsync();
        _stopping.Dispose();
    }

    private static Uri Reachable(string bound)
    {
        // Kestrel's wildcards are no host names, and all of them take IPv4.
        var address = new UriBuilder(
            bound.Replace("//+", "//0.0.0.0", StringComparison.Ordinal).Replace("//*", "//0.0.0.0", StringComparison.Ordinal));
        if (address.Host is "0.0.0.0" or "[::]")
        {
            address.Host = "127.0.0.1";
        }

        return address.Uri;
    }

    /// <summary>The usual lifetime would take Ctrl-C and SIGTERM from the process that this runs in.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
