using Gateway.Data;
using Gateway.Limits;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Tests.Limits;

/// <summary>What happens to one limit between a round trip's question and its answer.</summary>
public sealed class LimitWindowTests
{
    private readonly LimitWindow _window;

    public LimitWindowTests()
    {
        var now = TimeProvider.System.GetUtcNow().UtcDateTime;
        var id = new LimitWindowId(
            new LimitOwner(Guid.NewGuid(), LimitScope.Key, "key"), LimitMeter.Tokens, now.AddMinutes(-1), now.AddMinutes(10));
        // Never started: what it would carry is carried here by hand.
        var pump = new LeasePump(new LeaseStore(""), new DatabaseNews(TimeProvider.System), TimeProvider.System, NullLogger<LeasePump>.Instance);
        _window = new LimitWindow(id, pump, TimeProvider.System) { Most = 100_000 };
    }

    [Fact]
    public async Task One_who_used_more_than_was_reserved_makes_the_limit_empty_for_nobody_else()
    {
        // Arrange: one has 100, another waits for 100, and the first turns out to have used 150.
        Assert.Equal(LeaseOutcome.Taken, await TakeAsync(100));
        Assert.False(_window.TryTake(100, out var waiter));
        var asked = _window.Ask(LeaseRound.Tick, out _)!.Value;
        Assert.Equal(100, asked.Wanted);
        _window.Settle(100, 150);

        // Act: all that was asked for is given, and is too little by now; it is asked once more.
        _window.Answer(asked, 100, 0);
        Assert.False(waiter!.Done.Task.IsCompleted);
        var again = _window.Ask(LeaseRound.Tick, out _)!.Value;
        _window.Answer(again, again.Wanted, 0);

        // Assert
        Assert.InRange(again.Wanted, 50, 100);
        Assert.Equal(LeaseOutcome.Taken, await waiter.Done.Task);
    }

    [Fact]
    public async Task A_limit_that_gives_less_than_was_asked_for_is_empty()
    {
        Assert.False(_window.TryTake(100, out var waiter));
        var asked = _window.Ask(LeaseRound.Tick, out _)!.Value;

        _window.Answer(asked, 60, 0);

        Assert.Equal(LeaseOutcome.Empty, await waiter!.Done.Task);
    }

    [Fact]
    public async Task Slow_traffic_leases_nothing_ahead()
    {
        Assert.Equal(LeaseOutcome.Taken, await TakeAsync(100));
        Assert.Equal(LeaseOutcome.Taken, await TakeAsync(100));

        Assert.Null(_window.Ask(LeaseRound.Tick, out _));
    }

    private async Task<LeaseOutcome> TakeAsync(long amount)
    {
        Assert.False(_window.TryTake(amount, out var waiter));
        var asked = _window.Ask(LeaseRound.Tick, out _)!.Value;
        _window.Answer(asked, asked.Wanted, 0);
        return await waiter!.Done.Task;
    }
}
