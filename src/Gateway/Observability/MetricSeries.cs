namespace Gateway.Observability;

/// <summary>One line of a metric, or one set of histogram lines: what was measured with one set of labels.</summary>
/// <param name="labels">As they are written, without braces; empty for none.</param>
/// <param name="bounds">Upper bounds of a histogram's buckets, ascending; null for everything else.</param>
internal sealed class MetricSeries(string labels, double[]? bounds)
{
    private readonly long[] _buckets = bounds is null ? [] : new long[bounds.Length + 1];
    private double _value;

    public string Labels => labels;

    /// <summary>A sum, or the last value of a gauge; of a histogram the sum of what was measured.</summary>
    public double Value => Volatile.Read(ref _value);

    /// <summary>Whether the scrape that runs now was told a value; of no meaning for what is not observed.</summary>
    public bool IsSeen { get; set; }

    /// <summary>How many measurements fell into a bucket and not into those before it; the last one is <c>+Inf</c>.</summary>
    public long CountOf(int bucket) => Volatile.Read(ref _buckets[bucket]);

    public void Set(double value) => Volatile.Write(ref _value, value);

    public void Add(double value)
    {
        var seen = Volatile.Read(ref _value);
        while (true)
        {
            var before = Interlocked.CompareExchange(ref _value, seen + value, seen);
            // Bits, since a NaN would never equal itself.
            if (BitConverter.DoubleToInt64Bits(before) == BitConverter.DoubleToInt64Bits(seen))
            {
                return;
            }

            seen = before;
        }
    }

    public void Record(double value)
    {
        var bucket = 0;
        while (bucket < bounds!.Length && value > bounds[bucket])
        {
            bucket++;
        }

        Interlocked.Increment(ref _buckets[bucket]);
        Add(value);
    }
}
