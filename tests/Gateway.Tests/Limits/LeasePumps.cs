using Gateway.Data;
using Gateway.Limits;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Tests.Limits;

/// <summary>A pump of leases and its limits, without the rest of a gateway.</summary>
internal static class LeasePumps
{
    public static LeasePump Over(string database, TimeProvider? clock = null) => new(
        new LeaseStore(database), new DatabaseNews(clock ?? TimeProvider.System), clock ?? TimeProvider.System, NullLogger<LeasePump>.Instance);

    /// <summary>Of a key's budget of a thousand tokens a day.</summary>
    public static LimitWindow Window(LeasePump pump, string key, TimeProvider? clock = null) =>
        new LimitSubject(new LimitOwner(Guid.NewGuid(), LimitScope.Key, key), pump, clock ?? TimeProvider.System).Window(LimitMeter.TokensPerDay, 1_000);

    /// <summary>Takes one of a limit of which nothing is leased yet.</summary>
    public static async Task WaitForLeaseAsync(LimitWindow window)
    {
        Assert.False(window.TryTake(1, out var waiter));
        Assert.Equal(LeaseOutcome.Taken, await waiter!.Done.Task);
    }
}
