using System.Diagnostics;
using System.Globalization;
using Gateway.Data;
using Gateway.Limits;
using Gateway.Tests.Support;
using Npgsql;

namespace Gateway.Tests.Limits;

/// <summary>How the leases of all limits travel: when, how often, and over what.</summary>
public sealed class LeasePumpTests(TestPostgres postgres, ITestOutputHelper output)
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(500);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Who_comes_late_to_an_answer_that_is_there_has_it_all_the_same()
    {
        var database = await LimitDesk.MakeDatabaseAsync(postgres, Cancel);
        using var pump = LeasePumps.Over(database);
        await pump.StartAsync(Cancel);
        var window = LeasePumps.Window(pump, "late");

        Assert.False(window.TryTake(1, out var waiter));
        await waiter!.Done.Task;

        Assert.Equal(LeaseOutcome.Taken, await waiter.WaitAsync(TimeSpan.FromSeconds(-1), Cancel));
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
        using var pump = LeasePumps.Over(database);
        await pump.StartAsync(Cancel);
        await LeasePumps.WaitForLeaseAsync(LeasePumps.Window(pump, "alone"));
        var alone = pump.Tick;

        // Act
        for (var others = 0; others < 2; others++)
        {
            using var other = new LeaseStore(database);
            other.Exchange([], report: 1, isSeen: true);
        }

        await LeasePumps.WaitForLeaseAsync(LeasePumps.Window(pump, "with others"));

        // Assert
        Assert.Equal((Tick, 3 * Tick), (alone, pump.Tick));
    }

    [Fact]
    public async Task A_connection_that_was_lost_meanwhile_costs_nobody_an_answer()
    {
        var database = await LimitDesk.MakeDatabaseAsync(postgres, Cancel);
        using var pump = LeasePumps.Over(database);
        await pump.StartAsync(Cancel);
        await LeasePumps.WaitForLeaseAsync(LeasePumps.Window(pump, "before"));
        await using (var end = NpgsqlDataSource.Create(database))
        {
            await using var command = end.CreateCommand(
                "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()");
            Assert.NotEqual(0L, await command.ExecuteScalarAsync(Cancel));
        }

        await LeasePumps.WaitForLeaseAsync(LeasePumps.Window(pump, "after"));
    }

    [Fact]
    public async Task What_goes_wrong_in_looking_through_the_limits_ends_nothing()
    {
        // Arrange
        var database = await LimitDesk.MakeDatabaseAsync(postgres, Cancel);
        var clock = new BreakingClock();
        using var pump = LeasePumps.Over(database, clock);
        await pump.StartAsync(Cancel);
        var window = LeasePumps.Window(pump, "watched", clock);
        await LeasePumps.WaitForLeaseAsync(window);

        // Act: the window is looked through at every tick, and its minute is compared with the time.
        clock.IsBroken = true;
        window.Settle(1, 1);
        await clock.Broke.WaitAsync(Cancel);
        clock.IsBroken = false;

        // Assert
        await LeasePumps.WaitForLeaseAsync(LeasePumps.Window(pump, "after"));
    }

    [Fact]
    public async Task What_is_new_in_the_database_comes_along_with_leases()
    {
        // Arrange
        var database = await LimitDesk.MakeDatabaseAsync(postgres, Cancel);
        await using var desk = await LimitDesk.OpenAsync(database, TimeProvider.System, Cancel);
        var lookedAt = TimeProvider.System.GetTimestamp();
        await using var connection = NpgsqlDataSource.Create(database);
        await using var change = connection.CreateCommand("UPDATE config_version SET version = 4711");
        Assert.Equal(1, await change.ExecuteNonQueryAsync(Cancel));
        Assert.Equal(TimeSpan.Zero, desk.News.UntilVersion(4711, TimeSpan.FromMinutes(1), out _));

        // Act
        Assert.Null(await desk.UseAsync(LimitDesk.Caller(new LimitValues(100, null, null, null)), Cancel));

        // Assert: no job is there, so none is due.
        Assert.InRange(desk.News.UntilVersion(4711, TimeSpan.FromHours(1), out _), TimeSpan.FromMinutes(1), TimeSpan.FromHours(1));
        Assert.InRange(desk.News.UntilJobs(lookedAt, TimeSpan.FromHours(1)), TimeSpan.FromMinutes(1), TimeSpan.FromHours(1));
    }

    /// <summary>Does not say what time it is, while it is broken.</summary>
    private sealed class BreakingClock : TimeProvider
    {
        public volatile bool IsBroken;

        public SemaphoreSlim Broke { get; } = new(0);

        public override DateTimeOffset GetUtcNow()
        {
            if (IsBroken)
            {
                Broke.Release();
                throw new InvalidOperationException("The test's clock is broken.");
            }

            return base.GetUtcNow();
        }
    }
}
