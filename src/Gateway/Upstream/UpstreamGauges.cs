using System.Diagnostics.Metrics;
using Gateway.Observability;

namespace Gateway.Upstream;

/// <summary>Shows the states of circuits and queues to who scrapes metrics.</summary>
internal sealed class UpstreamGauges(CircuitBreakers breakers, Catalog catalog) : IHostedService
{
    private readonly List<IDisposable> _registered = [];

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _registered.Add(GatewayMetrics.BreakerState.Register(() => breakers.States.Select(b =>
            new Measurement<int>((int)b.State, new("provider", b.Provider), new KeyValuePair<string, object?>("model", b.Model)))));
        _registered.Add(GatewayMetrics.ProviderInFlight.Register(() => Limited().Select(p =>
            new Measurement<int>(
                p.MaxConcurrency!.Value - (int)p.Places!.GetStatistics()!.CurrentAvailablePermits,
                new KeyValuePair<string, object?>("provider", p.Name)))));
        _registered.Add(GatewayMetrics.ProviderQueued.Register(() => Limited().Select(p =>
            new Measurement<int>((int)p.Places!.GetStatistics()!.CurrentQueuedCount, new KeyValuePair<string, object?>("provider", p.Name)))));
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        _registered.ForEach(registered => registered.Dispose());
        return Task.CompletedTask;
    }

    private IEnumerable<Provider> Limited() => catalog.Current.Providers.Where(p => p.Places is not null);
}
