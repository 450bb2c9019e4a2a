using Gateway.Data;

namespace Gateway.Limits;

/// <summary>
/// What one gateway has of a limit in one minute, day or month, and how fast it goes. Guarded by its <see cref="LimitWindow"/>.
/// </summary>
/// <param name="rate">Of the minute, day or month before: traffic does not begin anew with each.</param>
internal sealed class LeaseBalance(LimitMeter meter, TimeProvider clock, RecentRate rate)
{
    /// <summary>So many takings in a second are traffic for which it is worth to lease before the lease is used up.</summary>
    private const int BusyTakings = 4;

    /// <summary>For how many seconds one gateway of several leases at most: its part of the traffic may be a small one.</summary>
    private const int MostSeconds = 4;

    /// <summary>Where traffic begins, a lease is this part of a minute's limit.</summary>
    private const int FirstPart = 240;

    /// <summary>What is leased and not used for so long goes back to the others.</summary>
    private static readonly TimeSpan IdleLimit = TimeSpan.FromSeconds(1);

    /// <summary>Between two that are asked for ahead.</summary>
    private static readonly TimeSpan AheadPause = TimeSpan.FromMilliseconds(100);

    private RecentRate _rate = rate;
    private long _touched;
    private long _aheadSince;

    /// <summary>Leased, and neither reserved nor spent. Negative: used beyond the lease.</summary>
    public long Free { get; private set; }

    /// <summary>By requests in flight.</summary>
    public long Reserved { get; private set; }

    public long Spent { get; private set; }

    /// <summary>What other gateways had used and held at the last round trip.</summary>
    public long Others { get; private set; }

    /// <summary>Whether the next lease is asked for, before this one is used up.</summary>
    public bool IsAskedAhead { get; private set; }

    /// <summary>For the window that follows.</summary>
    public RecentRate Rate => _rate;

    public void Take(long amount, long now)
    {
        Free -= amount;
        Reserved += amount;
        _touched = now;
        _rate.Add(amount, clock, now);
    }

    /// <summary>Turns what was reserved into what was used; the rest is free again. More than was reserved becomes a debt.</summary>
    public void Settle(long reserved, long used, long now)
    {
        Reserved -= reserved;
        Spent += used;
        Free += reserved - used;
        _touched = now;
    }

    /// <summary>A round trip's answer.</summary>
    /// <param name="extra">What it gave.</param>
    public void Lease(in LeaseAsk ask, long extra, long others, long now)
    {
        Free += extra - ask.Debt;
        Others = others;
        // For those who asked and left, since they come again; what was only thought ahead is idle as before.
        _touched = ask.Wanted > 0 ? now : _touched;
        IsAskedAhead &= ask.Slice == 0;
    }

    public void AskAhead(long now) => (IsAskedAhead, _aheadSince) = (true, now);

    /// <summary>What was asked for ahead did not come.</summary>
    public void FailAhead() => IsAskedAhead = false;

    /// <summary>What is free is another's, and nothing is asked for ahead.</summary>
    public void Drop() => (Free, IsAskedAhead) = (0, false);

    /// <summary>Whether nothing was taken or settled for so long that what is free is better with others.</summary>
    public bool IsIdle(long now) => clock.GetElapsedTime(_touched, now) > IdleLimit;

    /// <summary>
    /// Whether what is free lasts for less than so many seconds: the next lease is fetched while there is some, so that requests
    /// wait for the database only where traffic begins or the limit ends.
    /// </summary>
    public bool IsRunningOut(double seconds, long now) =>
        !IsAskedAhead && _rate.Times(clock, now) >= BusyTakings && Free < _rate.Amount(clock, now) * seconds
        && clock.GetElapsedTime(_aheadSince, now) >= AheadPause;

    /// <summary>
    /// What is leased beyond the need. Of a minute's limit a sixtieth, or as much as goes here in a few seconds, if that is less; a
    /// budget has no rate, so of that as much as goes here until the next tick but one; where traffic begins, as if as much as is
    /// needed now went on for a while. The database gives less of it when little is left.
    /// </summary>
    /// <param name="wanted">What those who wait need.</param>
    public long Slice(long most, long wanted, TimeSpan tick, long now)
    {
        var recent = _rate.Amount(clock, now);
        if (LimitMeters.IsBudget(meter))
        {
            var slice = recent > 0 ? recent * 2 * tick.TotalSeconds : wanted * RecentRate.MostGrowth;
            return (long)Math.Min(slice, most);
        }

        return Math.Min(Math.Max(most / FirstPart, Math.Min(recent, most) * MostSeconds), most / 60);
    }
}
