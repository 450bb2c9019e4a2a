using System.Globalization;
using Gateway.Data;
using Gateway.Http;
using Gateway.Tests.Support;
using Gateway.Usage;
using Npgsql;

namespace Gateway.Tests.Limits;

/// <summary>Limits shared by several gateways through one real database.</summary>
public sealed class LeaseTests(TestPostgres postgres, ITestOutputHelper output)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Exactly_as_many_requests_pass_a_minute_as_the_limit_says_and_all_are_there_again_in_the_next()
    {
        var clock = ShiftedClock.InMidMinute();
        await using var desk = await LimitDesk.OpenAsync(await LimitDesk.MakeDatabaseAsync(postgres, Cancel), clock, Cancel);
        var caller = LimitDesk.Caller(new LimitValues(7, null, null, null));

        var first = await ManyAsync(20, _ => desk.UseAsync(caller, Cancel));
        clock.Advance(TimeSpan.FromMinutes(1));
        var next = await ManyAsync(20, _ => desk.UseAsync(caller, Cancel));

        Assert.Equal(7, first.Count(e => e is null));
        Assert.Equal(7, next.Count(e => e is null));
        Assert.All(first.OfType<ApiError>(), e =>
        {
            Assert.Equal((429, "requests", "rate_limit_exceeded"), (e.Status, e.Type, e.Code));
            Assert.InRange(e.RetryAfter!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(50));
            Assert.Contains("key 'web' on requests per min (RPM): Limit 7, Used 7, Requested 1.", e.Message, StringComparison.Ordinal);
        });
    }

    /// <summary>Eight seconds of fifty requests, told by the test's clock: a lease is a second's worth, so each would be waited for.</summary>
    [Fact]
    public async Task Busy_traffic_hardly_ever_waits_for_a_lease()
    {
        var clock = ShiftedClock.InMidMinute();
        await using var desk = await LimitDesk.OpenAsync(await LimitDesk.MakeDatabaseAsync(postgres, Cancel), clock, Cancel);
        var caller = LimitDesk.Caller(new LimitValues(100_000, null, null, null));

        var waited = 0;
        for (var n = 0; n < 450; n++)
        {
            var reserve = desk.UseAsync(caller, Cancel);
            // While traffic begins, its rate is not known.
            waited += n >= 50 && !reserve.IsCompleted ? 1 : 0;
            Assert.Null(await reserve);
            clock.Advance(TimeSpan.FromMilliseconds(15));
            await Task.Delay(5, Cancel);
        }

        output.WriteLine($"{waited} of 400 waited");
        Assert.True(waited <= 4, $"{waited} of 400 requests waited for a lease.");
    }

    [Theory]
    [InlineData(60, 400, 4)]
    [InlineData(500, 1000, 4)]
    [InlineData(10, 300, 3)]
    public async Task Gateways_on_one_database_never_let_more_through_than_the_limit_and_hardly_less(int rpm, int requests, int gateways)
    {
        var clock = ShiftedClock.InMidMinute();
        var database = await LimitDesk.MakeDatabaseAsync(postgres, Cancel);
        var desks = await Task.WhenAll(Enumerable.Range(0, gateways).Select(_ => LimitDesk.OpenAsync(database, clock, Cancel)));
        var caller = LimitDesk.Caller(new LimitValues(rpm, null, null, null));

        var answers = await ManyAsync(requests, n => desks[n % gateways].UseAsync(caller, Cancel));

        var passed = answers.Count(e => e is null);
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{requests} requests at {gateways} gateways, {rpm} allowed: {passed} passed, {desks.Sum(d => d.Store.Trips)} round trips"));
        foreach (var desk in desks)
        {
            await desk.DisposeAsync();
        }

        Assert.All(answers.OfType<ApiError>(), e => Assert.Contains(e.Code, new[] { "rate_limit_exceeded", "limits_unavailable" }));
        Assert.InRange(passed, rpm * 9 / 10, rpm);
    }

    [Fact]
    public async Task What_one_gateway_leased_and_does_not_use_soon_serves_another()
    {
        // Arrange: one has had traffic enough to lease ahead.
        var clock = ShiftedClock.InMidMinute();
        var database = await LimitDesk.MakeDatabaseAsync(postgres, Cancel);
        await using var one = await LimitDesk.OpenAsync(database, clock, Cancel);
        await using var other = await LimitDesk.OpenAsync(database, clock, Cancel);
        var caller = LimitDesk.Caller(new LimitValues(600, null, null, null));
        for (var n = 0; n < 30; n++)
        {
            Assert.Null(await one.UseAsync(caller, Cancel));
        }

        // Act
        await Task.Delay(TimeSpan.FromSeconds(2), Cancel);
        var answers = await ManyAsync(700, _ => other.UseAsync(caller, Cancel));

        // Assert
        Assert.Equal(570, answers.Count(e => e is null));
    }

    [Fact]
    public async Task What_was_reserved_and_not_used_is_there_for_the_next()
    {
        var clock = ShiftedClock.InMidMinute();
        await using var desk = await LimitDesk.OpenAsync(await LimitDesk.MakeDatabaseAsync(postgres, Cancel), clock, Cancel);
        var caller = LimitDesk.Caller(new LimitValues(null, 1_000, null, null));

        var (running, none) = await desk.ReserveAsync(caller, Cancel, new Need(900, null) { IsFirm = true });
        var refused = await desk.UseAsync(caller, Cancel, new Need(200, null) { IsFirm = true });
        running!.Settle(100, null);
        await Task.Delay(TimeSpan.FromMilliseconds(200), Cancel);
        var passed = await desk.UseAsync(caller, Cancel, new Need(900, null) { IsFirm = true }, tokens: 900);

        Assert.Null(none);
        Assert.Equal(("tokens", "rate_limit_exceeded"), (refused?.Type, refused?.Code));
        Assert.Null(passed);
        Assert.Equal("tokens", (await desk.UseAsync(caller, Cancel, new Need(1, null) { IsFirm = true }))?.Type);
    }

    [Fact]
    public async Task A_guess_is_cut_to_what_is_left_and_no_further_than_to_an_eighth()
    {
        var clock = ShiftedClock.InMidMinute();
        await using var desk = await LimitDesk.OpenAsync(await LimitDesk.MakeDatabaseAsync(postgres, Cancel), clock, Cancel);
        var caller = LimitDesk.Caller(new LimitValues(null, null, null, new Budget(null, 1_000, BudgetPer.Day)));

        Assert.Null(await desk.UseAsync(caller, Cancel, new Need(5_000, null), tokens: 600));
        Assert.Null(await desk.UseAsync(caller, Cancel, new Need(5_000, null), tokens: 300));

        Assert.Equal("insufficient_quota", (await desk.UseAsync(caller, Cancel, new Need(5_000, null)))?.Code);
        Assert.Null(await desk.UseAsync(caller, Cancel, new Need(100, null) { IsFirm = true }, tokens: 100));
    }

    [Fact]
    public async Task More_than_was_reserved_is_a_debt_to_every_gateway()
    {
        var clock = ShiftedClock.InMidMinute();
        var database = await LimitDesk.MakeDatabaseAsync(postgres, Cancel);
        await using var one = await LimitDesk.OpenAsync(database, clock, Cancel);
        await using var other = await LimitDesk.OpenAsync(database, clock, Cancel);
        var caller = LimitDesk.Caller(new LimitValues(null, 1_000, null, null));

        Assert.Null(await one.UseAsync(caller, Cancel, new Need(100, null) { IsFirm = true }, tokens: 950));
        await Task.Delay(TimeSpan.FromSeconds(3), Cancel);

        Assert.Equal(429, (await other.UseAsync(caller, Cancel, new Need(60, null) { IsFirm = true }))?.Status);
        Assert.Null(await other.UseAsync(caller, Cancel, new Need(50, null) { IsFirm = true }, tokens: 50));
    }

    [Fact]
    public async Task A_step_larger_than_the_minute_is_cut_to_it_and_a_budget_takes_a_guess_but_not_a_word()
    {
        var clock = ShiftedClock.InMidMinute();
        await using var desk = await LimitDesk.OpenAsync(await LimitDesk.MakeDatabaseAsync(postgres, Cancel), clock, Cancel);
        var minute = LimitDesk.Caller(new LimitValues(null, 1_000, null, null));
        var budget = LimitDesk.Caller(new LimitValues(null, null, null, new Budget(1m, null, BudgetPer.Day)));

        Assert.Null(await desk.UseAsync(minute, Cancel, new Need(5_000, null) { IsFirm = true }, tokens: 10));
        Assert.Null(await desk.UseAsync(budget, Cancel, new Need(5_000, 3m), usd: 0.1m));
        var refused = await desk.UseAsync(budget, Cancel, new Need(5_000, 3m) { IsFirm = true });

        Assert.Equal((429, "insufficient_quota", "insufficient_quota", true), (refused!.Status, refused.Type, refused.Code, refused.IsFinal));
        Assert.Contains("key 'web' (1 USD per day)", refused.Message, StringComparison.Ordinal);
        Assert.Contains("0.9 USD left, and it may use up to 3 USD", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(BudgetPer.Day, 1)]
    [InlineData(BudgetPer.Month, 31)]
    public async Task A_budget_in_USD_is_never_overspent_by_gateways_together_and_is_renewed(object per, int days)
    {
        // Arrange
        var clock = ShiftedClock.InMidMinute();
        var database = await LimitDesk.MakeDatabaseAsync(postgres, Cancel);
        var desks = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => LimitDesk.OpenAsync(database, clock, Cancel)));
        var caller = LimitDesk.Caller(new LimitValues(null, null, null, new Budget(1m, null, (BudgetPer)per)));
        var chance = new Random(7);
        var costs = Enumerable.Range(0, 800).Select(_ => chance.Next(1, 100) / 10_000m).ToArray();

        // Act: up to a cent each, of which a part is used.
        var spent = 0m;
        using var twenty = new SemaphoreSlim(20);
        var answers = await ManyAsync(800, async n =>
        {
            await twenty.WaitAsync(Cancel);
            var error = await desks[n % 4].UseAsync(caller, Cancel, new Need(1_000, 0.01m) { IsFirm = true }, tokens: 500, usd: costs[n]);
            if (error is null)
            {
                lock (costs)
                {
                    spent += costs[n];
                }
            }

            twenty.Release();
            return error;
        });

        // Assert
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{answers.Count(e => e is null)} passed and used {spent} USD"));
        Assert.InRange(spent, 0.7m, 1m);
        Assert.All(answers.OfType<ApiError>(), e => Assert.Contains(e.Code, new[] { "insufficient_quota", "limits_unavailable" }));
        clock.Advance(TimeSpan.FromDays(days));
        Assert.Null(await desks[0].UseAsync(caller, Cancel, new Need(1_000, 0.9m) { IsFirm = true }));
        foreach (var desk in desks)
        {
            await desk.DisposeAsync();
        }
    }

    [Fact]
    public async Task What_a_killed_gateway_held_comes_back_and_what_it_spent_does_not()
    {
        // Arrange
        var clock = ShiftedClock.InMidMinute();
        var database = await LimitDesk.MakeDatabaseAsync(postgres, Cancel);
        await using var other = await LimitDesk.OpenAsync(database, clock, Cancel);
        var killed = await LimitDesk.OpenAsync(database, clock, Cancel);
        var caller = LimitDesk.Caller(new LimitValues(null, null, null, new Budget(null, 1_000, BudgetPer.Day)));
        Assert.Null(await killed.UseAsync(caller, Cancel, new Need(300, null) { IsFirm = true }, tokens: 300));
        await killed.ReserveAsync(caller, Cancel, new Need(600, null) { IsFirm = true });
        await Task.Delay(TimeSpan.FromSeconds(3), Cancel);

        // Act
        await killed.DieAsync();
        var before = await other.UseAsync(caller, Cancel, new Need(200, null) { IsFirm = true });
        // As if the time had passed: the database tells it, and nobody can put its clock forward.
        await ExecuteAsync(database, $"UPDATE instances SET seen_at = seen_at - interval '45 seconds' WHERE id = '{killed.Store.Instance}'");
        await Task.Delay(TimeSpan.FromMilliseconds(200), Cancel);
        var (later, after) = await other.ReserveAsync(caller, Cancel, new Need(700, null) { IsFirm = true });

        // Assert
        Assert.Equal("insufficient_quota", before?.Code);
        Assert.Null(after);
        Assert.Equal("insufficient_quota", (await other.UseAsync(caller, Cancel, new Need(1, null) { IsFirm = true }))?.Code);
        later!.Settle(0, null);
    }

    [Fact]
    public async Task All_limits_of_key_workspace_and_bot_must_allow_and_a_refused_request_takes_from_none()
    {
        // Arrange
        var clock = ShiftedClock.InMidMinute();
        var database = await LimitDesk.MakeDatabaseAsync(postgres, Cancel);
        await using var desk = await LimitDesk.OpenAsync(database, clock, Cancel);
        var workspace = Guid.NewGuid();
        var key = LimitDesk.Caller(new LimitValues(3, null, null, null), workspace);
        var bot = ("support", new LimitValues(1, null, null, null));

        // Act
        var (_, first) = await desk.ReserveAsync(key, Cancel, bot: bot);
        var (_, second) = await desk.ReserveAsync(key, Cancel, bot: bot);
        var (_, third) = await desk.ReserveAsync(key, Cancel);
        var (_, fourth) = await desk.ReserveAsync(key, Cancel);
        var (_, fifth) = await desk.ReserveAsync(key, Cancel);

        // Assert: the bot's refusal cost the key nothing.
        Assert.Null(first);
        Assert.Contains("bot 'support'", second?.Message, StringComparison.Ordinal);
        Assert.Null(third);
        Assert.Null(fourth);
        Assert.Contains("key 'web'", fifth?.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Steps_of_one_request_count_as_one_and_each_reserves()
    {
        var clock = ShiftedClock.InMidMinute();
        await using var desk = await LimitDesk.OpenAsync(await LimitDesk.MakeDatabaseAsync(postgres, Cancel), clock, Cancel);
        var caller = LimitDesk.Caller(new LimitValues(1, 1_000, 1, null));
        var limits = desk.Limiter.Begin(caller)!;

        Assert.Null(await desk.ReserveAsync(limits, caller, new Need(400, null) { IsFirm = true }, null, Cancel));
        clock.Advance(TimeSpan.FromMilliseconds(200));
        Assert.Null(await desk.ReserveAsync(limits, caller, new Need(400, null) { IsFirm = true }, null, Cancel));
        Assert.Equal("tokens", (await desk.ReserveAsync(limits, caller, new Need(400, null) { IsFirm = true }, null, Cancel))?.Type);
        limits.Settle(500, null);
        limits.Settle(500, null);

        await Task.Delay(TimeSpan.FromSeconds(3), Cancel);
        Assert.Equal(["Requests 1+0", "Tokens 500+0"], await LeasesAsync(desk.Database));
    }

    private static async Task<string[]> LeasesAsync(NpgsqlDataSource database)
    {
        await using var read = database.CreateCommand("SELECT meter, spent, held FROM limit_leases ORDER BY meter");
        await using var reader = await read.ExecuteReaderAsync(Cancel);
        var leases = new List<string>();
        while (await reader.ReadAsync(Cancel))
        {
            leases.Add(string.Create(
                CultureInfo.InvariantCulture, $"{(LimitMeter)reader.GetInt32(0)} {reader.GetInt64(1)}+{reader.GetInt64(2)}"));
        }

        return [.. leases];
    }

    private static async Task ExecuteAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(Cancel);
        await using var command = new NpgsqlCommand(sql, connection);
        Assert.True(await command.ExecuteNonQueryAsync(Cancel) > 0);
    }

    private static Task<ApiError?[]> ManyAsync(int count, Func<int, Task<ApiError?>> ask) =>
        Task.WhenAll(Enumerable.Range(0, count).Select(n => Task.Run(() => ask(n), Cancel)));
}
