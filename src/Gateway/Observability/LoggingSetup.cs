using System.Globalization;
using System.Reflection;
using Gateway.Data;
using Serilog;
using Serilog.Configuration;
using Serilog.Events;
using Serilog.Settings.Configuration;

namespace Gateway.Observability;

internal static class LoggingSetup
{
    private static readonly string[] Quoting =
        ["Microsoft.AspNetCore.Server.Kestrel", "Microsoft.AspNetCore.Hosting.Diagnostics", "Yarp."];

    /// <summary>What settings can name. Unnamed, they would be looked for among all files of the program, at each start.</summary>
    private static readonly Assembly[] Sinks =
        [typeof(Serilog.ILogger).Assembly, typeof(ConsoleLoggerConfigurationExtensions).Assembly, typeof(LoggerConfigurationAsyncExtensions).Assembly];

    /// <summary>
    /// Serilog behind <c>ILogger</c>, to the console, written by a thread of its own so that no request waits for a
    /// terminal. Section <c>Serilog</c> of the settings changes levels and sinks. Metrics, traces and health with it.
    /// </summary>
    public static WebApplicationBuilder AddObservability(this WebApplicationBuilder builder, GatewaySettings settings)
    {
        builder.Logging.ClearProviders();
        var logger = new LoggerConfiguration()
            .MinimumLevel.Information()
            .MinimumLevel.Override("Microsoft", LogEventLevel.Warning)
            .MinimumLevel.Override("System", LogEventLevel.Warning)
            .MinimumLevel.Override("Yarp", LogEventLevel.Warning)
            // Whoever asks the database says what came of it, in one line.
            .MinimumLevel.Override("Microsoft.EntityFrameworkCore", LogEventLevel.Fatal)
            // Kestrel's own word on an aborted connection; the request's line says how it ended.
            .MinimumLevel.Override("Microsoft.AspNetCore.Server.Kestrel", LogEventLevel.Error)
            // As long as this one may write anything, every request is given a scope and an activity for it.
            .MinimumLevel.Override("Microsoft.AspNetCore.Hosting.Diagnostics", LevelAlias.Off)
            .Filter.ByExcluding(Quotes)
            .WriteTo.Async(to => Console(to, settings), bufferSize: 20_000)
            .ReadFrom.Configuration(builder.Configuration, new ConfigurationReaderOptions(Sinks))
            .CreateLogger();
        builder.Logging.AddSerilog(logger, dispose: true);

        if (TraceExport.IsWanted(builder.Configuration))
        {
            builder.Services.AddHostedService<TraceExport>();
        }

        builder.Services.AddSingleton<MetricStore>();
        builder.Services.AddSingleton<DatabaseHealth>();
        return builder;
    }

    /// <summary>
    /// Whether these are the framework's words on what was sent, in detail: a request line, a header that could not be read,
    /// the address of a provider. Secrets stand in those, so no setting brings them into the log.
    /// </summary>
    private static bool Quotes(LogEvent written) =>
        written.Level < LogEventLevel.Warning
        && written.Properties.TryGetValue("SourceContext", out var context)
        && context is ScalarValue { Value: string source }
        && Array.Exists(Quoting, source.StartsWith);

    private static void Console(LoggerSinkConfiguration to, GatewaySettings settings)
    {
        if (settings.LogsAsJson)
        {
            to.Console(new JsonLogFormatter());
            return;
        }

        to.Console(outputTemplate: "{Timestamp:HH:mm:ss.fff} {Level:u3} {Message:lj}{NewLine}", formatProvider: CultureInfo.InvariantCulture);
    }
}
