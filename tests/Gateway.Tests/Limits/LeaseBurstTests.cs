using Gateway.Limits;
using Gateway.Tests.Support;

namespace Gateway.Tests.Limits;

/// <summary>Who blocks every thread of the pool blocks every other test.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class LeaseBurstRunsAlone
{
    public const string Name = "Lease burst";
}

/// <summary>Leases in a burst that keeps the thread pool busy.</summary>
[Collection(LeaseBurstRunsAlone.Name)]
public sealed class LeaseBurstTests(TestPostgres postgres)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_lease_comes_however_much_waits_for_the_thread_pool()
    {
        // Arrange
        var database = await LimitDesk.MakeDatabaseAsync(postgres, Cancel);
        using var pump = LeasePumps.Over(database);
        await pump.StartAsync(Cancel);
        await LeasePumps.WaitForLeaseAsync(LeasePumps.Window(pump, "before"));
        var window = LeasePumps.Window(pump, "burst");
        using var isOver = new ManualResetEventSlim();
        using var left = new CountdownEvent(3_000);
        for (var n = 0; n < left.InitialCount; n++)
        {
            ThreadPool.UnsafeQueueUserWorkItem(_ => { isOver.Wait(); left.Signal(); }, null);
        }

        // Act
        Assert.False(window.TryTake(1, out var waiter));
        SpinWait.SpinUntil(() => waiter!.Done.Task.IsCompleted, TimeSpan.FromSeconds(10));
        var isAnswered = waiter!.Done.Task.IsCompleted;
        isOver.Set();
        left.Wait(Cancel);

        // Assert
        Assert.True(isAnswered);
        Assert.Equal(LeaseOutcome.Taken, await waiter.WaitAsync(TimeSpan.Zero, Cancel));
    }
}
