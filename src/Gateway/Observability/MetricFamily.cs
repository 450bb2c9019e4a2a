using System.Diagnostics.Metrics;

namespace Gateway.Observability;

/// <summary>How a metric is exposed, which also says what a measurement does to it.</summary>
internal enum MetricKind
{
    /// <summary>Adds up; never falls.</summary>
    Counter,

    /// <summary>Adds up and falls: how many there are now.</summary>
    UpDown,

    /// <summary>The last value counts.</summary>
    Gauge,

    Histogram,
}

/// <summary>
/// One instrument and all that was measured with it. Measuring with labels that were seen before takes no lock and
/// allocates nothing.
/// </summary>
internal sealed class MetricFamily
{
    /// <summary>
    /// Most sets of labels of one metric; what comes with further ones is counted together. The number and the label's
    /// name are those of OpenTelemetry's metrics SDK specification, "Cardinality limits".
    /// </summary>
    public const int MostSeries = 2_000;

    private const string OverflowLabels = "otel_metric_overflow=\"true\"";

    /// <summary>For seconds whose instrument does not say better.</summary>
    private static readonly double[] Seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

    private readonly Lock _gate = new();
    private readonly Dictionary<string, MetricSeries> _series = new(StringComparer.Ordinal);
    private readonly double[]? _bounds;
    private readonly bool _isTotal;
    private Entry?[] _entries = new Entry?[16];
    private int _entryCount;

    public MetricFamily(Instrument instrument, MetricKind kind, bool isObserved)
    {
        Name = PrometheusText.NameOf(instrument.Name, instrument.Unit, kind == MetricKind.Counter);
        Help = instrument.Description ?? "";
        Kind = kind;
        IsObserved = isObserved;
        // What is observed tells its value as it stands, even of a counter.
        _isTotal = isObserved || kind == MetricKind.Gauge;
        if (kind == MetricKind.Histogram)
        {
            _bounds = (instrument as Histogram<double>)?.Advice?.HistogramBucketBoundaries?.ToArray() ?? Seconds;
        }
    }

    public string Name { get; }

    public string Help { get; }

    public MetricKind Kind { get; }

    /// <summary>Whether it has values only when it is asked.</summary>
    public bool IsObserved { get; }

    public ReadOnlySpan<double> Bounds => _bounds;

    /// <summary>By labels, so that two scrapes look alike.</summary>
    public IReadOnlyList<MetricSeries> Series()
    {
        lock (_gate)
        {
            return [.. _series.Values.OrderBy(s => s.Labels, StringComparer.Ordinal)];
        }
    }

    public void Measure(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var hash = HashOf(tags);
        var series = Find(hash, tags) ?? Make(hash, tags);
        if (Kind == MetricKind.Histogram)
        {
            series.Record(value);
        }
        else if (_isTotal)
        {
            series.Set(value);
            series.IsSeen = true;
        }
        else
        {
            series.Add(value);
        }
    }

    private static int HashOf(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        // Labels are few and the operator's own: to read each letter of each of them, a dozen times a request, is not worth it.
        var hash = tags.Length;
        foreach (var (_, value) in tags)
        {
            hash = (hash * 31) + (value is string { Length: > 0 } text
                ? (((text[0] * 31) + text[^1]) * 31) + text[text.Length / 2] + text.Length
                : value?.GetHashCode() ?? 0);
        }

        return hash ^ (hash >>> 16);
    }

    private MetricSeries? Find(int hash, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var entries = Volatile.Read(ref _entries);
        for (var entry = Volatile.Read(ref entries[hash & (entries.Length - 1)]); entry is not null; entry = entry.Next)
        {
            if (entry.Hash == hash && Same(entry.Tags, tags))
            {
                return entry.Series;
            }
        }

        return null;
    }

    private static bool Same(KeyValuePair<string, object?>[] known, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (known.Length != tags.Length)
        {
            return false;
        }

        for (var i = 0; i < known.Length; i++)
        {
            if (known[i].Key != tags[i].Key || !Equals(known[i].Value, tags[i].Value))
            {
                return false;
            }
        }

        return true;
    }

    private MetricSeries Make(int hash, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        lock (_gate)
        {
            if (Find(hash, tags) is { } made)
            {
                return made;
            }

            // The same labels in another order are the same series, by another entry.
            var isFull = _entryCount >= MostSeries;
            var labels = isFull ? OverflowLabels : PrometheusText.LabelsOf(tags);
            if (!_series.TryGetValue(labels, out var series))
            {
                _series[labels] = series = new MetricSeries(labels, _bounds);
            }

            if (!isFull)
            {
                Remember(new Entry(hash, tags.ToArray(), series));
            }

            return series;
        }
    }

    private void Remember(Entry entry)
    {
        if (++_entryCount > _entries.Length)
        {
            var larger = new Entry?[_entries.Length * 4];
            foreach (var first in _entries)
            {
                for (var old = first; old is not null; old = old.Next)
                {
                    Insert(larger, new Entry(old.Hash, old.Tags, old.Series));
                }
            }

            Volatile.Write(ref _entries, larger);
        }

        Insert(_entries, entry);
    }

    private static void Insert(Entry?[] entries, Entry entry)
    {
        ref var first = ref entries[entry.Hash & (entries.Length - 1)];
        entry.Next = first;
        Volatile.Write(ref first, entry);
    }

    private sealed class Entry(int hash, KeyValuePair<string, object?>[] tags, MetricSeries series)
    {
        public int Hash => hash;

        public KeyValuePair<string, object?>[] Tags => tags;

        public MetricSeries Series => series;

        public Entry? Next { get; set; }
    }
}
