using System.Diagnostics;
using System.Net;
using System.Text;
using Gateway.Tests.Support;

namespace Gateway.Tests.Data;

/// <summary>What a gateway does while its database is away, or its notifications are.</summary>
public sealed class LostDatabaseTests(TestPostgres postgres, ITestOutputHelper output)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

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

        // Assert: the provider behind the bots is a closed port, so an answer of 502 is the bot's own.
        Assert.Equal(HttpStatusCode.OK, await AskAsync(gateway, demoKey.Text, "model/name=demo"));
        Assert.Equal(HttpStatusCode.BadGateway, await AskAsync(gateway, key.Text, "bot/id=used"));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await AskAsync(gateway, key.Text, "bot/id=unused"));
        Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(gateway, "sk-gw-nobodys", "model/name=demo"));
        await UntilAsync(async () => await AskAsync(gateway, "sk-gw-nobodys", "model/name=demo") == HttpStatusCode.ServiceUnavailable);

        relay.Restore();
        await UntilAsync(async () => await ReadyAsync(gateway) == "ready");
        Assert.Equal(HttpStatusCode.BadGateway, await AskAsync(gateway, key.Text, "bot/id=unused"));
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

    /// <summary>One encryption key for all, since each has a data directory of its own.</summary>
    private static Dictionary<string, string> Quick => new() { ["Gateway__EncryptionKey"] = Convert.ToBase64String(new byte[32]) };

    private static async Task<string> ReadyAsync(GatewayProcess gateway)
    {
        using var client = gateway.Client(GatewayProcess.AdminKey);
        using var reply = await client.GetAsync("/health/ready", Cancel);
        Assert.Equal(HttpStatusCode.OK, reply.StatusCode);
        return (string)System.Text.Json.Nodes.JsonNode.Parse(await reply.Content.ReadAsStringAsync(Cancel))!["status"]!;
    }

    private static async Task<HttpStatusCode> AskAsync(GatewayProcess gateway, string key, string model)
    {
        using var client = gateway.Client(key);
        using var reply = await client.PostAsync(
            "/v1/chat/completions",
            new StringContent($$"""{"model":"{{model}}","messages":[{"role":"user","content":"Hello"}]}""", Encoding.UTF8, "application/json"),
            Cancel);
        return reply.StatusCode;
    }

    private static async Task<TimeSpan> UntilAsync(Func<Task<bool>> condition)
    {
        var clock = Stopwatch.StartNew();
        while (!await condition())
        {
            Assert.True(clock.Elapsed < Limit, $"It did not come true within {Limit.TotalSeconds} s.");
            await Task.Delay(20, Cancel);
        }

        return clock.Elapsed;
    }

    private const string Yaml =
        """
        providers: [ { name: closed, baseUrl: "http://127.0.0.1:9/v1" } ]
        models: [ { name: m, deployments: [ { provider: closed } ] } ]
        workspaces: [ { name: acme, bots: [ { id: used, model: m, backstory: Hello. }, { id: unused, model: m, backstory: Hello. } ] } ]
        """;
}
