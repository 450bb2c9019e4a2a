using System.Diagnostics;
using System.Net;
using System.Text.Json.Nodes;
using Gateway.Tests.Support;
using Npgsql;

namespace Gateway.Tests.Observability;

/// <summary>What probes see, and what they cost the database.</summary>
public sealed class HealthTests(TestPostgres postgres, ITestOutputHelper output)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Probes_tell_of_a_lost_database_although_nothing_polls_it()
    {
        // Arrange
        await using var relay = new DatabaseRelay(await postgres.CreateDatabaseAsync(cancel: Cancel));
        await using var gateway = await StartAsync(relay.ConnectionString);
        // The last that a first start asks of its database is the key that it prints.
        await UntilAsync(() => Task.FromResult(gateway.Output.Contains("shown only now", StringComparison.Ordinal)));
        Assert.Equal("ready up", await ReadyAsync(gateway));

        // Act and assert
        relay.Cut();
        await UntilAsync(async () => await ReadyAsync(gateway) == "degraded down");
        Assert.Contains("gateway_database_up 0\n", await MetricsAsync(gateway), StringComparison.Ordinal);
        relay.Restore();
        await UntilAsync(async () => await ReadyAsync(gateway) == "ready up");
        Assert.Contains("gateway_database_up 1\n", await MetricsAsync(gateway), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Many_probes_ask_the_database_seldom()
    {
        // Arrange
        var database = await postgres.CreateDatabaseAsync(cancel: Cancel);
        await using var gateway = await StartAsync(database);
        await Task.Delay(TimeSpan.FromSeconds(1), Cancel);
        var before = await TransactionsAsync(database);
        var clock = Stopwatch.StartNew();

        // Act
        var probes = 0;
        for (; clock.Elapsed < TimeSpan.FromSeconds(10); probes++)
        {
            Assert.Equal("ready up", await ReadyAsync(gateway));
            await Task.Delay(10, Cancel);
        }

        // Assert: the database's statistics come a second late; the bound is half a transaction for each probe.
        var transactions = await TransactionsAsync(database) - before;
        output.WriteLine($"{probes} probes in 10 s; the database was asked {transactions} times, by whomever");
        Assert.InRange(probes, 100, int.MaxValue);
        Assert.InRange(transactions, 0, probes / 2);
    }

    private static async Task<GatewayProcess> StartAsync(string database) => await GatewayProcess.StartAsync(
        new GatewayLaunch
        {
            ConnectionString = database,
            Settings = new Dictionary<string, string> { ["Gateway__PollInterval"] = "00:00:00" },
        },
        Cancel);

    private static async Task<string> ReadyAsync(GatewayProcess gateway)
    {
        using var client = gateway.Client(null);
        using var reply = await client.GetAsync("/health/ready", Cancel);
        Assert.Equal(HttpStatusCode.OK, reply.StatusCode);
        var body = JsonNode.Parse(await reply.Content.ReadAsStringAsync(Cancel))!;
        Assert.InRange((double)body["config_age_seconds"]!, 0, 600);
        return $"{body["status"]} {body["database"]}";
    }

    private static async Task<string> MetricsAsync(GatewayProcess gateway)
    {
        using var client = gateway.Client(GatewayProcess.AdminKey);
        return await client.GetStringAsync("/metrics", Cancel);
    }

    private static async Task<long> TransactionsAsync(string database)
    {
        await using var source = NpgsqlDataSource.Create(database);
        await using var ask = source.CreateCommand(
            "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()");
        return (long)(await ask.ExecuteScalarAsync(Cancel))!;
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        var clock = Stopwatch.StartNew();
        while (!await condition())
        {
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(60), "It did not come true within 60 s.");
            await Task.Delay(50, Cancel);
        }
    }
}
