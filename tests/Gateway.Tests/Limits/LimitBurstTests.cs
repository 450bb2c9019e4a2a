using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Gateway.Data;
using Gateway.Tests.Support;
using Microsoft.EntityFrameworkCore;

namespace Gateway.Tests.Limits;

/// <summary>
/// Whole gateways on one database, with all requests at once. The size is by environment variable: a burst of 1,000 requests
/// at four gateways is for <c>deploy/verify.sh</c>.
/// </summary>
public sealed partial class LimitBurstTests(TestPostgres postgres, ITestOutputHelper output)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static bool IsFull => Environment.GetEnvironmentVariable("GATEWAY_LIMIT_BURST") == "full";

    [Fact]
    public async Task Requests_beyond_the_limit_of_a_minute_do_not_pass_whichever_gateway_they_meet()
    {
        // Arrange
        var (gateways, requests, rpm) = IsFull ? (4, 1_000, 500) : (2, 200, 60);
        await using var fleet = await FleetAsync(gateways);
        var key = await fleet.Gateways[0].CreateLimitedKeyAsync(fleet.Database, l => l.Rpm = rpm, Cancel);
        var clients = await ClientsAsync(fleet, key, rpm);
        await LimitedGateway.EnoughOfTheMinuteAsync(TimeSpan.FromSeconds(IsFull ? 45 : 30), Cancel);
        var before = await StatementsAsync(fleet);
        var minute = Minute();

        // Act
        var clock = Stopwatch.StartNew();
        var replies = await Task.WhenAll(Enumerable.Range(0, requests).Select(n => clients[n % gateways].AskOnceAsync(Cancel)));
        var took = clock.Elapsed;

        // Assert
        Assert.True(minute == Minute(), $"The burst took {took.TotalSeconds:0.0} s and did not end within its minute.");
        var passed = replies.Count(r => r.Status == 200);
        var statements = await StatementsAsync(fleet) - before;
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{requests} requests at {gateways} gateways within {took.TotalSeconds:0.0} s, {rpm} allowed: {passed} passed, {Math.Max(0, passed - rpm)} too many, {replies.Count(r => r.Status == 503)} not told in time; {statements * 1_000.0 / requests:0} statements per 1,000 requests"));
        // On a busy machine the database may take longer than a request waits.
        Assert.All(replies, r => Assert.True(r.Status is 200 or 429 || r.Code == "limits_unavailable", r.Body));
        Assert.InRange(passed, rpm * 9 / 10, rpm);
    }

    [Fact]
    public async Task A_budget_in_USD_is_not_overspent_where_max_tokens_is_set()
    {
        // Arrange: a reply uses 7 and 5 tokens; up to 10 are asked for. A budget of 1 USD is about 250 replies, or 125.
        var (gateways, requests, perMillion) = IsFull ? (4, 2_000, 800m) : (2, 300, 1_600m);
        await using var fleet = await FleetAsync(gateways);
        await using (var db = new GatewayDb(new DbContextOptionsBuilder<GatewayDb>().UseNpgsql(fleet.Database).Options))
        {
            var model = db.Models.Single(m => m.Name == "m");
            (model.PriceInput, model.PriceCachedInput, model.PriceOutput) = (0, 0, perMillion);
            await db.SaveChangesAsync(Cancel);
        }

        var key = await fleet.Gateways[0].CreateLimitedKeyAsync(
            fleet.Database, l => (l.BudgetUsd, l.BudgetPer, l.Rpm) = (1m, BudgetPer.Month, 1_000_000), Cancel, "acme");
        var clients = await ClientsAsync(fleet, key, 1_000_000);
        var before = await StatementsAsync(fleet);

        // Act
        using var many = new SemaphoreSlim(IsFull ? 50 : 20);
        var replies = await Task.WhenAll(Enumerable.Range(0, requests).Select(async n =>
        {
            await many.WaitAsync(Cancel);
            try
            {
                return await clients[n % gateways].AskOnceAsync(Cancel, "model/name=m", ",\"max_tokens\":10");
            }
            finally
            {
                many.Release();
            }
        }));

        // Assert
        var passed = replies.Count(r => r.Status == 200);
        var spent = fleet.Upstream.Requests.Count * 5 * perMillion / 1_000_000;
        var statements = await StatementsAsync(fleet) - before;
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{requests} requests at {gateways} gateways: {passed} passed and used {spent} of 1 USD, {replies.Count(r => r.Status == 503)} not told in time; {statements * 1_000.0 / requests:0} statements per 1,000 requests"));
        // On a busy machine the database may take longer than a request waits.
        Assert.All(replies, r => Assert.True(r.Status is 200 or 429 || r.Code == "limits_unavailable", r.Body));
        Assert.Equal(passed, fleet.Upstream.Requests.Count);
        Assert.InRange(spent, 0.7m, 1m);
    }

    private static async Task<HttpClient[]> ClientsAsync(Fleet fleet, GatewayKey key, int rpm)
    {
        var clients = fleet.Gateways.Select(g => g.Client(key.Text)).ToArray();
        foreach (var client in clients)
        {
            await client.UntilShownAsync("x-ratelimit-limit-requests", rpm.ToString(CultureInfo.InvariantCulture), Cancel);
            // One that does not count opens what is opened once.
            Assert.Equal(404, (await client.AskAsync(Cancel, "model/name=no-such-model")).Status);
        }

        return clients;
    }

    private static long Minute() => DateTime.UtcNow.Ticks / TimeSpan.TicksPerMinute;

    /// <summary>All statements for limits since the gateways started, by their own count.</summary>
    private static async Task<long> StatementsAsync(Fleet fleet)
    {
        var sum = 0L;
        foreach (var gateway in fleet.Gateways)
        {
            using var client = gateway.Client(GatewayProcess.AdminKey);
            var metrics = await client.GetStringAsync(new Uri("/metrics", UriKind.Relative), Cancel);
            sum += LeaseStatements().Match(metrics) is { Success: true } match
                ? (long)double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)
                : 0;
        }

        return sum;
    }

    private async Task<Fleet> FleetAsync(int count)
    {
        var database = await postgres.CreateDatabaseAsync(cancel: Cancel);
        var upstream = await FakeUpstream.StartAsync();
        upstream.Answers(Answer.Json(Replies.Completion("m", "Hi.")));
        var launch = new GatewayLaunch
        {
            ConnectionString = database,
            Settings = LimitedGateway.Settings,
            Yaml = $$"""
                providers: [ { name: fake, baseUrl: "{{upstream.BaseUrl}}" } ]
                models: [ { name: m, deployments: [ { provider: fake } ] } ]
                workspaces: [ { name: acme } ]
                """,
        };
        var gateways = await Task.WhenAll(Enumerable.Range(0, count).Select(_ => GatewayProcess.StartAsync(launch, Cancel)));
        return new Fleet(database, upstream, gateways);
    }

    [GeneratedRegex(@"^gateway_lease_statements\S*(?:\{[^}]*\})? (\S+)", RegexOptions.Multiline)]
    private static partial Regex LeaseStatements();

    private sealed record Fleet(string Database, FakeUpstream Upstream, GatewayProcess[] Gateways) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            foreach (var gateway in Gateways)
            {
                await gateway.DisposeAsync();
            }

            await Upstream.DisposeAsync();
        }
    }
}
