using System.Net;
using Gateway.Tests.Support;
using static Gateway.Tests.Data.Trouble;

namespace Gateway.Tests.Data;

/// <summary>What a gateway does while its database is away, or its notifications are.</summary>
public sealed class LostDatabaseTests(TestPostgres postgres, ITestOutputHelper output)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Without_its_database_known_keys_and_bots_in_use_go_on_and_all_recovers_by_itself()
    {
        // Arrange
        await using var relay = new DatabaseRelay(await postgres.CreateDatabaseAsync(cancel: Cancel));
        await using var gateway = await GatewayProcess.StartAsync(
            new GatewayLaunch { ConnectionString = relay.ConnectionString, Yaml = Yaml, Settings = Quick }, Cancel);
        var key = await gateway.CreateKeyAsync("acme", cancel: Cancel);
        var demoKey = await gateway.CreateKeyAsync(cancel: Cancel);
        await UntilAsync(async () => await AskAsync(gateway, demoKey.Text, "model/name=demo") == HttpStatusCode.OK);
        await UntilAsync(async () => await AskAsync(gateway, key.Text, "bot/id=used") == HttpStatusCode.BadGateway);

        // Act
        relay.Cut();
        await UntilAsync(async () => await ReadyAsync(gateway) == "degraded");

        // Assert: what needs the database says so at once.
        using var admin = gateway.Client(GatewayProcess.AdminKey);
        await AssertUnavailableAsync(await admin.GetAsync("/admin/v1/keys", Cancel));
        await AssertUnavailableAsync(await admin.DeleteAsync($"/admin/v1/keys/{Guid.NewGuid()}", Cancel));

        // The provider behind the bots is a closed port, so an answer of 502 is the bot's own.
        Assert.Equal(HttpStatusCode.OK, await AskAsync(gateway, demoKey.Text, "model/name=demo"));
        Assert.Equal(HttpStatusCode.BadGateway, await AskAsync(gateway, key.Text, "bot/id=used"));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await AskAsync(gateway, key.Text, "bot/id=unused"));
        Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(gateway, "sk-gw-nobodys", "model/name=demo"));
        await UntilAsync(async () => await AskAsync(gateway, "sk-gw-nobodys", "model/name=demo") == HttpStatusCode.ServiceUnavailable);

        relay.Restore();
        await UntilAsync(async () => await ReadyAsync(gateway) == "ready");
        Assert.Equal(HttpStatusCode.BadGateway, await AskAsync(gateway, key.Text, "bot/id=unused"));
        Assert.Equal(HttpStatusCode.OK, (await admin.GetAsync("/admin/v1/keys", Cancel)).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(gateway, "sk-gw-nobodys", "model/name=demo"));
    }

    [Fact]
    public async Task A_connection_for_notifications_that_fell_silent_is_made_up_for_by_polling()
    {
        // Arrange: one gateway hears nothing any more and is not told so; the other makes the change.
        var database = await postgres.CreateDatabaseAsync(cancel: Cancel);
        await using var relay = new DatabaseRelay(database);
        await using var deaf = await GatewayProcess.StartAsync(new GatewayLaunch { ConnectionString = relay.ConnectionString, Settings = Quick }, Cancel);
        await using var other = await GatewayProcess.StartAsync(new GatewayLaunch { ConnectionString = database, Settings = Quick }, Cancel);
        var key = await other.CreateKeyAsync(cancel: Cancel);
        await UntilAsync(async () => await AskAsync(deaf, key.Text, "model/name=demo") == HttpStatusCode.OK);
        relay.Silence("gateway listen");

        // Act
        using var admin = other.Client(GatewayProcess.AdminKey);
        using (var revoked = await admin.DeleteAsync($"/admin/v1/keys/{key.Id}", Cancel))
        {
            Assert.True(revoked.IsSuccessStatusCode);
        }

        var seen = await UntilAsync(async () => await AskAsync(deaf, key.Text, "model/name=demo") == HttpStatusCode.Unauthorized);

        // Assert
        output.WriteLine($"polling alone: a revoked key was refused {seen.TotalMilliseconds:0} ms after its revocation was answered");
    }

    [Fact]
    public async Task A_gateway_that_was_cut_off_for_longer_than_deletions_are_kept_reads_everything()
    {
        // Arrange
        var database = await postgres.CreateDatabaseAsync(cancel: Cancel);
        await using var relay = new DatabaseRelay(database);
        await using var away = await GatewayProcess.StartAsync(
            new GatewayLaunch { ConnectionString = relay.ConnectionString, Yaml = Yaml, Settings = Quick }, Cancel);
        var key = await away.CreateKeyAsync("acme", cancel: Cancel);
        await UntilAsync(async () => await AskAsync(away, key.Text, "bot/id=used") == HttpStatusCode.BadGateway);
        relay.Cut();
        await UntilAsync(async () => await ReadyAsync(away) == "degraded");

        // Act: a bot is deleted, a day goes by, and the note of it is trimmed by a gateway that starts.
        await using (var other = await GatewayProcess.StartAsync(
            new GatewayLaunch
            {
                ConnectionString = database,
                Yaml = Yaml.Replace("{ id: used, model: m, backstory: Hello. }, ", "", StringComparison.Ordinal),
                Settings = Quick,
            },
            Cancel))
        {
            var applied = await other.RunCommandAsync(["apply", "-f", other.YamlFile, "--prune"], Cancel);
            Assert.True(applied.ExitCode == 0, applied.ToString());
            Assert.True((long)(await ScalarAsync(database, "SELECT count(*) FROM deletions WHERE kind = 'bots'"))! > 0);
            await ScalarAsync(database, "UPDATE deletions SET at = at - interval '25 hours'");
            await ScalarAsync(database, "UPDATE settings SET value = now() - interval '2 hours' WHERE name = 'deletions-last-trim'");
            await other.StopAsync(Cancel);
            await other.StartAgainAsync(Cancel);
            await UntilAsync(async () => (long)(await ScalarAsync(database, "SELECT count(*) FROM deletions"))! == 0);
        }

        relay.Restore();

        // Assert
        await UntilAsync(async () => await AskAsync(away, key.Text, "bot/id=used") == HttpStatusCode.NotFound);
        Assert.Equal(HttpStatusCode.BadGateway, await AskAsync(away, key.Text, "bot/id=unused"));
    }

    private static async Task AssertUnavailableAsync(HttpResponseMessage reply)
    {
        using (reply)
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, reply.StatusCode);
            Assert.NotNull(reply.Headers.RetryAfter);
            var error = System.Text.Json.Nodes.JsonNode.Parse(await reply.Content.ReadAsStringAsync(Cancel))!["error"]!;
            Assert.Equal("database_unavailable", (string?)error["code"]);
        }
    }
}
