using System.Reflection;
using OpenTelemetry;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Gateway.Observability;

/// <summary>
/// Sends spans by OTLP while the gateway runs, where OpenTelemetry's own variables say: <c>OTEL_EXPORTER_OTLP_ENDPOINT</c>
/// and its kin. A collector that is away costs spans and nothing else.
/// </summary>
internal sealed class TraceExport(IConfiguration configuration) : IHostedService, IDisposable
{
    /// <summary>Longest that the end waits for a collector.</summary>
    private const int LongestFlushMilliseconds = 5_000;

    private TracerProvider? _provider;

    /// <summary>Whether an operator has named a collector.</summary>
    public static bool IsWanted(IConfiguration configuration) =>
        configuration["OTEL_EXPORTER_OTLP_ENDPOINT"] is { Length: > 0 }
        || configuration["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] is { Length: > 0 };

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _provider = Sdk.CreateTracerProviderBuilder()
            .ConfigureServices(services => services.AddSingleton(configuration))
            // The variables OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES come last and win.
            .SetResourceBuilder(ResourceBuilder.CreateEmpty()
                .AddTelemetrySdk()
                .AddService("gateway", serviceVersion: Assembly.GetExecutingAssembly().GetName().Version?.ToString(3), autoGenerateServiceInstanceId: false)
                .AddEnvironmentVariableDetector())
            .AddSource(GatewayTracing.SourceName, GatewayTracing.ServerSourceName)
            .AddOtlpExporter()
            .Build();
        return Task.CompletedTask;
    }

    /// <summary>Registered first, so stopped last: the spans of requests that were drained are there.</summary>
    public Task StopAsync(CancellationToken cancellationToken)
    {
        _provider?.Shutdown(LongestFlushMilliseconds);
        return Task.CompletedTask;
    }

    public void Dispose() => _provider?.Dispose();
}
