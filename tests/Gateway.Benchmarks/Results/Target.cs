namespace Gateway.Benchmarks.Results;

internal enum Bound
{
    AtLeast,
    AtMost,
}

/// <summary>What a figure is to be, and what it was: compared round by round, since what slows the machine slows both sides.</summary>
/// <param name="Text">Such as <c>requests/s ÷ bare YARP's</c>.</param>
/// <param name="Unit">Empty for ratios.</param>
/// <param name="Rounds">What is compared with the limit, for each round.</param>
/// <param name="Whole">What the spread is a share of; for a difference the larger of both sides, as its own may be 0.</param>
internal sealed record Target(string Text, string Unit, Bound Bound, double Limit, IReadOnlyList<double> Rounds, double Whole)
{
    public double Median => Statistics.Median(Rounds);

    public double Spread => Statistics.Spread(Rounds, Whole);

    public bool IsUnstable => Spread > Statistics.StableSpread;

    public bool IsMet => Bound == Bound.AtLeast ? Median >= Limit : Median <= Limit;
}
