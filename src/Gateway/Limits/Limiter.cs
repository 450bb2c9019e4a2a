using Gateway.Data;
using Gateway.Http;
using Gateway.Usage;

namespace Gateway.Limits;

/// <summary>Rates, budgets and places.</summary>
internal sealed class Limiter
{
    private long _reserved;

    public ValueTask<ApiError?> ReserveAsync(
        Metered request, Caller caller, Need need, (string Id, LimitValues Limits)? bot, CancellationToken cancel)
    {
        Interlocked.Increment(ref _reserved);
        return new((ApiError?)null);
    }

    /// <summary>Gives back what was reserved beyond what was used. Never throws, never waits.</summary>
    public void Settle(Metered request) => Interlocked.Decrement(ref _reserved);
}
