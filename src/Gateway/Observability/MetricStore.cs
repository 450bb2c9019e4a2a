using System.Diagnostics.Metrics;
using System.Text;

namespace Gateway.Observability;

/// <summary>
/// Listens to the instruments that operators want to see, and writes down what was measured. Written here since no package
/// for it was to be had; it knows sums, gauges and histograms of whole numbers and doubles, which is what these meters have.
/// </summary>
internal sealed class MetricStore : IDisposable
{
    /// <summary>
    /// Of Kestrel and the hosting layer only what tells of connections and of requests as a standard dashboard shows them:
    /// the rest costs every request something and repeats what our own metrics say.
    /// </summary>
    private static readonly HashSet<string> OfServer = new(StringComparer.Ordinal)
    {
        "kestrel.active_connections",
        "kestrel.queued_connections",
        "kestrel.rejected_connections",
        "kestrel.connection.duration",
        "http.server.request.duration",
    };

    private readonly MeterListener _listener = new();
    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, MetricFamily> _families = new(StringComparer.Ordinal);

    /// <summary>.NET 10 publishes these two as counters, and they fall.</summary>
    private static readonly HashSet<string> NoCounters = new(StringComparer.Ordinal)
    {
        "dotnet.thread_pool.thread.count", "dotnet.thread_pool.queue.length",
    };

    private readonly IMeterFactory _ours;

    /// <param name="ours">Who makes the meters of our own server; the simulator's, in the same process, are none of ours.</param>
    public MetricStore(IMeterFactory ours)
    {
        _ours = ours;
        _listener.InstrumentPublished = Enable;
        _listener.SetMeasurementEventCallback<int>(static (_, value, tags, family) => ((MetricFamily)family!).Measure(value, tags));
        _listener.SetMeasurementEventCallback<long>(static (_, value, tags, family) => ((MetricFamily)family!).Measure(value, tags));
        _listener.SetMeasurementEventCallback<double>(static (_, value, tags, family) => ((MetricFamily)family!).Measure(value, tags));
        _listener.Start();
        GatewayMetrics.Declare();
    }

    /// <summary>All that was measured, as Prometheus reads it. Asks the observed instruments; one scrape at a time.</summary>
    public byte[] Scrape()
    {
        var text = new StringBuilder(32 * 1024);
        lock (_gate)
        {
            foreach (var series in _families.Values.Where(family => family.IsObserved).SelectMany(family => family.Series()))
            {
                series.IsSeen = false;
            }

            try
            {
                _listener.RecordObservableInstruments();
            }
            catch (AggregateException)
            {
                // One source failed; what the others said is worth seeing.
            }

            foreach (var family in _families.Values)
            {
                PrometheusText.Write(text, family);
            }
        }

        return Encoding.UTF8.GetBytes(text.ToString());
    }

    public void Dispose() => _listener.Dispose();

    private void Enable(Instrument instrument, MeterListener listener)
    {
        var isWanted = instrument.Meter.Name switch
        {
            GatewayMetrics.MeterName or "System.Runtime" => true,
            "Microsoft.AspNetCore.Server.Kestrel" or "Microsoft.AspNetCore.Hosting" =>
                ReferenceEquals(instrument.Meter.Scope, _ours) && OfServer.Contains(instrument.Name),
            _ => false,
        };
        if (!isWanted || KindOf(instrument) is not { } kind)
        {
            return;
        }

        var family = new MetricFamily(instrument, kind, instrument.IsObservable);
        lock (_gate)
        {
            // A second meter of the same name, as two servers in one process have: both are told together.
            if (!_families.TryAdd(family.Name, family))
            {
                family = _families[family.Name];
            }
        }

        listener.EnableMeasurementEvents(instrument, family);
    }

    private static MetricKind? KindOf(Instrument instrument)
    {
        if (NoCounters.Contains(instrument.Name))
        {
            return MetricKind.UpDown;
        }

        var type = instrument.GetType();
        return (type.IsGenericType ? type.GetGenericTypeDefinition() : null) switch
        {
            { } counter when counter == typeof(Counter<>) || counter == typeof(ObservableCounter<>) => MetricKind.Counter,
            { } sum when sum == typeof(UpDownCounter<>) || sum == typeof(ObservableUpDownCounter<>) => MetricKind.UpDown,
            { } gauge when gauge == typeof(Gauge<>) || gauge == typeof(ObservableGauge<>) => MetricKind.Gauge,
            { } histogram when histogram == typeof(Histogram<>) => MetricKind.Histogram,
            _ => null,
        };
    }
}
