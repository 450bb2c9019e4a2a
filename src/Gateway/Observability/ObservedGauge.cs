using System.Diagnostics.Metrics;

namespace Gateway.Observability;

/// <summary>
/// A gauge that is read when somebody looks, from whoever has registered: one per process in the gateway, several in a test.
/// </summary>
internal sealed class ObservedGauge<T>
    where T : struct
{
    private readonly Lock _gate = new();
    private Func<IEnumerable<Measurement<T>>>[] _sources = [];

    public ObservedGauge(Meter meter, string name, string? unit, string description) =>
        meter.CreateObservableGauge(name, Observe, unit, description);

    /// <summary>Adds a source until the result is disposed. It is called on every scrape and must not wait for anything.</summary>
    public IDisposable Register(Func<IEnumerable<Measurement<T>>> source)
    {
        lock (_gate)
        {
            _sources = [.. _sources, source];
        }

        return new Registration(this, source);
    }

    /// <summary>Adds a source of one value without labels.</summary>
    public IDisposable Register(Func<T> source) => Register(() => [new Measurement<T>(source())]);

    private IEnumerable<Measurement<T>> Observe() => _sources.SelectMany(source => source());

    private void Remove(Func<IEnumerable<Measurement<T>>> source)
    {
        lock (_gate)
        {
            _sources = [.. _sources.Where(kept => kept != source)];
        }
    }

    private sealed class Registration(ObservedGauge<T> gauge, Func<IEnumerable<Measurement<T>>> source) : IDisposable
    {
        public void Dispose() => gauge.Remove(source);
    }
}
