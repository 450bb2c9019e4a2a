namespace Gateway.Benchmarks.Results;

internal static class Statistics
{
    /// <summary>Above this spread a number says more about the machine than about what was measured.</summary>
    public const double StableSpread = 0.25;

    /// <exception cref="InvalidOperationException">There is no value.</exception>
    public static double Median(IReadOnlyCollection<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted.Count == 0
            ? throw new InvalidOperationException("Nothing was measured.")
            : sorted.Count % 2 == 1
                ? sorted[sorted.Count / 2]
                : (sorted[(sorted.Count / 2) - 1] + sorted[sorted.Count / 2]) / 2;
    }

    /// <summary>
    /// From the lowest round to the highest, as a share of <paramref name="whole"/>; 0 where all are equal, and 1 where they are not
    /// and the whole is 0.
    /// </summary>
    public static double Spread(IReadOnlyCollection<double> values, double whole)
    {
        var range = values.Max() - values.Min();
        return range == 0 ? 0 : whole == 0 ? 1 : range / Math.Abs(whole);
    }
}
