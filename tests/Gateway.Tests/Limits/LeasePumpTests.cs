using System.Diagnostics;
using System.Globalization;
using Gateway.Data;
using Gateway.Limits;
using Gateway.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Gateway.Tests.Limits;

/// <summary>How the leases of all limits travel: when, how often, and over what.</summary>
public sealed class LeasePumpTests(TestPostgres postgres, ITestOutputHelper output)
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(250);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_lease_comes_however_much_waits_for_the_thread_pool()
    {
        // Arrange
        var database = await LimitDesk.MakeDatabaseAsync(postgres, Cancel);
        using var pump = Pump(new LeaseStore(database));
        await pump.StartAsync(Cancel);
        await WaitForLeaseAsync(Window(pump, "before"));
        var window = Window(pump, "burst");
        var isOver = new ManualResetEventSlim();
        for (var n = 0; n < 3_000; n++)
        {
            ThreadPool.UnsafeQueueUserWorkItem(over => over.Wait(), isOver, preferLocal: false);
        }

        // Act
        Assert.False(window.TryTake(1, out var waiter));
        SpinWait.SpinUntil(() => waiter!.Done.Task.IsCompleted, TimeSpan.FromSeconds(10));
        var isAnswered = waiter!.Done.Task.IsCompleted;
        isOver.Set();

        // Assert
        Assert.True(isAnswered);
        Assert.Equal(LeaseOutcome.Taken, await window.WaitAsync(waiter, TimeSpan.Zero, Cancel));
    }

    [Fact]
    public async Task Who_comes_late_to_an_answer_that_is_there_has_it_all_the_same()
    {
        var database = await LimitDesk.MakeDatabaseAsync(postgres, Cancel);
        using var pump = Pump(new LeaseStore(database));
        await pump.StartAsync(Cancel);
        var window = Window(pump, "late");

        Assert.False(window.TryTake(1, out var waiter));
        await waiter!.Done.Task;

        Assert.Equal(LeaseOutcome.Taken, await window.WaitAsync(waiter, TimeSpan.FromSeconds(-1), Cancel));
    }

    [Fact]
    public async Task Leases_of_many_busy_keys_are_fetched_together_before_they_are_used_up()
    {
        // Arrange
        await using var desk = await LimitDesk.OpenAsync(
            await LimitDesk.MakeDatabaseAsync(postgres, Cancel), ShiftedClock.InMidMinute(), Cancel);
        var callers = Enumerable.Range(0, 20).Select(_ => LimitDesk.Caller(new LimitValues(60_000, null, null, null))).ToArray();
        var (trips, waits, clock) = (0L, 0, Stopwatch.StartNew());

        // Act: each about fifty times a second.
        for (var n = 0; n < 2_000; n++)
        {
            if (n == 500)
            {
                // What the rates are is known.
                (trips, waits) = (desk.Store.Trips, 0);
                clock.Restart();
            }

            var reserve = desk.UseAsync(callers[n % callers.Length], Cancel);
            waits += reserve.IsCompleted ? 0 : 1;
            Assert.Null(await reserve);
            if (n % 2 == 0)
            {
                await Task.Delay(1, Cancel);
            }
        }

        // Assert
        trips = desk.Store.Trips - trips;
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{trips} round trips within {clock.Elapsed.TotalSeconds:0.0} s, {waits} requests waited"));
        Assert.InRange(trips, 1, (long)(clock.Elapsed / Tick) + waits + 3);
    }

    [Fact]
    public async Task The_more_gateways_share_a_database_the_more_seldom_each_asks_it()
    {
        // Arrange
        var database = await LimitDesk.MakeDatabaseAsync(postgres, Cancel);
        using var pump = Pump(new LeaseStore(database));
        await pump.StartAsync(Cancel);
        await WaitForLeaseAsync(Window(pump, "alone"));
        var alone = pump.Tick;

        // Act
        for (var others = 0; others < 2; others++)
        {
            using var other = new LeaseStore(database);
            other.Exchange([], report: 1, isSeen: true);
        }

        await WaitForLeaseAsync(Window(pump, "with others"));

        // Assert
        Assert.Equal((Tick, 3 * Tick), (alone, pump.Tick));
    }

    [Fact]
    public async Task A_connection_that_was_lost_meanwhile_costs_nobody_an_answer()
    {
        var database = await LimitDesk.MakeDatabaseAsync(postgres, Cancel);
        using var pump = Pump(new LeaseStore(database));
        await pump.StartAsync(Cancel);
        await WaitForLeaseAsync(Window(pump, "before"));
        await using (var end = NpgsqlDataSource.Create(database))
        {
            await using var command = end.CreateCommand(
                "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()");
            Assert.NotEqual(0L, await command.ExecuteScalarAsync(Cancel));
        }

        await WaitForLeaseAsync(Window(pump, "after"));
    }

    private static async Task WaitForLeaseAsync(LimitWindow window)
    {
        Assert.False(window.TryTake(1, out var waiter));
        Assert.Equal(LeaseOutcome.Taken, await waiter!.Done.Task);
    }

    private static LeasePump Pump(LeaseStore store) => new(store, TimeProvider.System, NullLogger<LeasePump>.Instance);

    private static LimitWindow Window(LeasePump pump, string key) =>
        new LimitSubject(new LimitOwner(Guid.NewGuid(), LimitScope.Key, key), pump, TimeProvider.System).Window(LimitMeter.TokensPerDay, 1_000);
}
