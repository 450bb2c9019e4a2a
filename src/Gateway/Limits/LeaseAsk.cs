namespace Gateway.Limits;

/// <summary>What a round trip is made up for.</summary>
internal enum LeaseRound
{
    /// <summary>What cannot wait for the tick: those who wait, leases that end sooner, and what is to go back.</summary>
    Look,

    /// <summary>All there is to ask and to tell.</summary>
    Tick,

    /// <summary>The gateway ends: everything is told and given back.</summary>
    Last,
}

/// <summary>What one gateway wants of one limit in a round trip.</summary>
/// <param name="Keep">What it holds already and goes on to hold.</param>
/// <param name="Smallest">Less than this is of no use.</param>
/// <param name="Wanted">What those who wait need; 0: nobody waits.</param>
/// <param name="Slice">What it takes beyond that at most, for those who come next; 0 too: this is a report alone.</param>
/// <param name="Debt">What was used beyond the lease, told by this report; 0 or negative.</param>
internal readonly record struct LeaseAsk(
    LimitWindow Window, long Most, long Spent, long Keep, long Smallest, long Wanted, long Slice, long Debt);
