namespace Gateway.Limits;

/// <summary>How a wait for a lease ended.</summary>
internal enum LeaseOutcome
{
    Taken,

    /// <summary>There is not that much left.</summary>
    Empty,

    /// <summary>The database did not say in time.</summary>
    Unavailable,
}

/// <summary>One who waits for a lease.</summary>
internal sealed class LeaseWaiter(long amount)
{
    public long Amount { get; } = amount;

    /// <summary>Whether a round trip under way asks for it; the answer of an earlier one cannot refuse it.</summary>
    public bool IsAsked { get; set; }

    public TaskCompletionSource<LeaseOutcome> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}

/// <summary>What one gateway wants of one limit in a round trip.</summary>
/// <param name="Keep">What it holds already and goes on to hold.</param>
/// <param name="Smallest">Less than this is of no use.</param>
/// <param name="Wanted">What those who wait need; 0: nobody waits.</param>
/// <param name="Slice">What it takes beyond that at most, for those who come next; 0 too: this is a report alone.</param>
/// <param name="Debt">What was used beyond the lease, told by this report; 0 or negative.</param>
internal readonly record struct LeaseAsk(
    LimitWindow Window, long Most, long Spent, long Keep, long Smallest, long Wanted, long Slice, long Debt);
