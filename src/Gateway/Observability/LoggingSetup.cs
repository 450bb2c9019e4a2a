using Serilog;
using Serilog.Events;

namespace Gateway.Observability;

internal static class LoggingSetup
{
    /// <summary>
    /// Serilog behind <c>ILogger</c>, to the console, written by a thread of its own so that no request waits for a
    /// terminal. Section <c>Serilog</c> of the settings changes levels and sinks.
    /// </summary>
    public static WebApplicationBuilder AddObservability(this WebApplicationBuilder builder)
    {
        builder.Logging.ClearProviders();
        var logger = new LoggerConfiguration()
            .MinimumLevel.Information()
            .MinimumLevel.Override("Microsoft", LogEventLevel.Warning)
            .MinimumLevel.Override("System", LogEventLevel.Warning)
            .MinimumLevel.Override("Yarp", LogEventLevel.Warning)
            // Kestrel's own word on an aborted connection; the request's line says how it ended.
            .MinimumLevel.Override("Microsoft.AspNetCore.Server.Kestrel", LogEventLevel.Error)
            .WriteTo.Async(
                to => to.Console(
                    outputTemplate: "{Timestamp:HH:mm:ss.fff} {Level:u3} {Message:lj}{NewLine}",
                    formatProvider: System.Globalization.CultureInfo.InvariantCulture),
                bufferSize: 20_000)
            .ReadFrom.Configuration(builder.Configuration)
            .CreateLogger();
        builder.Logging.AddSerilog(logger, dispose: true);
        return builder;
    }
}
