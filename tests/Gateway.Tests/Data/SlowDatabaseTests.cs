using System.Diagnostics;
using System.Net;
using Gateway.Tests.Support;
using static Gateway.Tests.Data.Trouble;

namespace Gateway.Tests.Data;

/// <summary>What a gateway does while its database is slow, and how much it asks of it.</summary>
public sealed class SlowDatabaseTests(TestPostgres postgres, ITestOutputHelper output)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task With_a_database_that_takes_5_s_for_every_query_requests_are_quick_and_changes_still_arrive()
    {
        // Arrange
        var database = await postgres.CreateDatabaseAsync(cancel: Cancel);
        await using var relay = new DatabaseRelay(database);
        await using var slow = await GatewayProcess.StartAsync(
            new GatewayLaunch { ConnectionString = relay.ConnectionString, Yaml = Yaml, Settings = Quick }, Cancel);
        await using var other = await GatewayProcess.StartAsync(new GatewayLaunch { ConnectionString = database, Settings = Quick }, Cancel);
        var key = await slow.CreateKeyAsync("acme", cancel: Cancel);
        await UntilAsync(async () => await AskAsync(slow, key.Text, "bot/id=used") == HttpStatusCode.BadGateway);

        // Act
        relay.Slow(TimeSpan.FromSeconds(5));

        // Assert: nothing waits for the database longer than it may.
        await AssertQuickAsync(HttpStatusCode.BadGateway, () => AskAsync(slow, key.Text, "bot/id=used"));
        await AssertQuickAsync(HttpStatusCode.ServiceUnavailable, () => AskAsync(slow, key.Text, "bot/id=unused"));
        await AssertQuickAsync(HttpStatusCode.Unauthorized, () => AskAsync(slow, "sk-gw-nobodys", "model/name=demo"));
        using var admin = slow.Client(GatewayProcess.AdminKey);
        Assert.Equal(HttpStatusCode.OK, (await admin.GetAsync("/admin/v1/keys", Cancel)).StatusCode);

        // What others change arrives all the same, to the last part of it: bots are read last.
        await File.WriteAllTextAsync(other.YamlFile, Yaml.Replace("id: used", "id: later", StringComparison.Ordinal), Cancel);
        var applied = await other.RunCommandAsync(["apply", "-f", other.YamlFile], Cancel);
        Assert.True(applied.ExitCode == 0, applied.ToString());
        var seen = await UntilAsync(
            async () => await AskAsync(slow, key.Text, "bot/id=later") == HttpStatusCode.BadGateway, TimeSpan.FromMinutes(3));
        Assert.DoesNotContain("could not be read", slow.Output, StringComparison.Ordinal);
        await UntilAsync(async () => await ReadyAsync(slow) == "ready");
        output.WriteLine($"with 5 s for every query a bot made elsewhere answered after {seen.TotalSeconds:0} s");
    }

    [Fact]
    public async Task A_storm_of_unknown_keys_bots_and_managers_takes_no_more_connections_than_the_pool_has()
    {
        // Arrange: slow enough that connections would pile up, if they could.
        const int Bots = 60;
        var database = await postgres.CreateDatabaseAsync(cancel: Cancel);
        await using var relay = new DatabaseRelay(database);
        var bots = string.Join(", ", Enumerable.Range(0, Bots).Select(i => $"{{ id: bot{i}, model: m, backstory: Hello. }}"));
        await using var gateway = await GatewayProcess.StartAsync(
            new GatewayLaunch { ConnectionString = relay.ConnectionString, Yaml = Yaml.Replace("{ id: unused", $"{bots}, {{ id: unused", StringComparison.Ordinal), Settings = Quick },
            Cancel);
        var key = await gateway.CreateKeyAsync("acme", cancel: Cancel);
        await UntilAsync(async () => await AskAsync(gateway, key.Text, "bot/id=used") == HttpStatusCode.BadGateway);
        relay.Slow(TimeSpan.FromMilliseconds(300));

        // Act
        using var admin = gateway.Client(GatewayProcess.AdminKey);
        var storm = Task.WhenAll(Enumerable.Range(0, 300).Select(async i => i % 5 == 0
            ? (await admin.GetAsync("/admin/v1/keys", Cancel)).StatusCode
            : i % 5 == 1
                ? await AskAsync(gateway, key.Text, $"bot/id=bot{i / 5}")
                : await AskAsync(gateway, $"sk-gw-nobodys-{i}", "model/name=demo")));
        var most = 0L;
        while (!storm.IsCompleted)
        {
            most = Math.Max(most, await ConnectionsAsync(database));
        }

        // Assert: 20 of the pool, the one that listens, and that of the limits.
        Assert.InRange(most, 2, 22);
        var allowed = new[] { HttpStatusCode.OK, HttpStatusCode.Unauthorized, HttpStatusCode.BadGateway, HttpStatusCode.ServiceUnavailable };
        Assert.All(await storm, status => Assert.Contains(status, allowed));
        Assert.DoesNotContain(gateway.Output.Split('\n'), line => line.Contains(" ERR ", StringComparison.Ordinal));
        output.WriteLine($"most connections at a time: {most}");
    }

    private static async Task AssertQuickAsync(HttpStatusCode expected, Func<Task<HttpStatusCode>> ask)
    {
        var clock = Stopwatch.StartNew();
        Assert.Equal(expected, await ask());
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(4), $"It took {clock.Elapsed}.");
    }

    private static async Task<long> ConnectionsAsync(string database) => (long)(await ScalarAsync(
        database, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'gateway%'"))!;
}
