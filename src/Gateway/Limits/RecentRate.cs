namespace Gateway.Limits;

/// <summary>How much goes in a second, as far as the last two tell. A value; for one thread at a time.</summary>
internal struct RecentRate
{
    /// <summary>
    /// Where traffic begins, it is believed to go on as it began, up to so many times what there was: a caller who begins to
    /// send much would else lease one by one for a second, and few who only came at once are no traffic.
    /// </summary>
    public const double MostGrowth = 16;

    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private long _began;
    private long _amount;
    private long _amountBefore;
    private int _times;
    private int _timesBefore;

    /// <param name="amount">0: counts as nothing.</param>
    public void Add(long amount, TimeProvider clock, long now)
    {
        Turn(clock, now);
        _amount += amount;
        _times += amount > 0 ? 1 : 0;
    }

    /// <summary>What a second takes.</summary>
    public long Amount(TimeProvider clock, long now)
    {
        Turn(clock, now);
        if (_amountBefore > 0)
        {
            return Math.Max(_amountBefore, _amount);
        }

        var grown = _amount * Math.Clamp(Second / clock.GetElapsedTime(_began, now), 1, MostGrowth);
        return grown < long.MaxValue / 2 ? (long)grown : long.MaxValue / 2;
    }

    /// <summary>How often something was taken, in one of the last two seconds.</summary>
    public int Times(TimeProvider clock, long now)
    {
        Turn(clock, now);
        return Math.Max(_times, _timesBefore);
    }

    private void Turn(TimeProvider clock, long now)
    {
        var since = clock.GetElapsedTime(_began, now);
        if (since >= Second)
        {
            (_amountBefore, _timesBefore) = since < 2 * Second ? (_amount, _times) : (0, 0);
            (_amount, _times, _began) = (0, 0, now);
        }
    }
}
