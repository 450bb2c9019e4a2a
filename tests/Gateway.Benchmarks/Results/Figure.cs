namespace Gateway.Benchmarks.Results;

/// <summary>One quantity of one system, measured once in each round.</summary>
/// <param name="Name">Such as <c>requests/s</c>.</param>
/// <param name="Unit">Such as <c>1/s</c>, <c>ms</c>, <c>MiB</c>; empty: a bare number.</param>
/// <param name="System">Such as <c>nginx</c>.</param>
internal sealed record Figure(string Name, string Unit, string System)
{
    /// <summary>In the order of rounds.</summary>
    public List<double> Rounds { get; } = [];

    public double Median => Statistics.Median(Rounds);

    public double Spread => Statistics.Spread(Rounds, Median);

    public bool IsUnstable => Spread > Statistics.StableSpread;
}
