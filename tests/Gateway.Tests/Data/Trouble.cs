using System.Diagnostics;
using System.Net;
using System.Text;
using Gateway.Tests.Support;
using Npgsql;

namespace Gateway.Tests.Data;

/// <summary>What the tests of a database in trouble ask of a gateway and of the database.</summary>
internal static class Trouble
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static async Task<object?> ScalarAsync(string database, string sql)
    {
        await using var connection = new NpgsqlConnection(database);
        await connection.OpenAsync(Cancel);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(Cancel);
    }

    /// <summary>One encryption key for all, since each has a data directory of its own.</summary>
    public static Dictionary<string, string> Quick => new() { ["Gateway__EncryptionKey"] = Convert.ToBase64String(new byte[32]) };

    public static async Task<string> ReadyAsync(GatewayProcess gateway)
    {
        using var client = gateway.Client(GatewayProcess.AdminKey);
        using var reply = await client.GetAsync("/health/ready", Cancel);
        Assert.Equal(HttpStatusCode.OK, reply.StatusCode);
        return (string)System.Text.Json.Nodes.JsonNode.Parse(await reply.Content.ReadAsStringAsync(Cancel))!["status"]!;
    }

    public static async Task<HttpStatusCode> AskAsync(GatewayProcess gateway, string key, string model)
    {
        using var client = gateway.Client(key);
        using var reply = await client.PostAsync(
            "/v1/chat/completions",
            new StringContent($$"""{"model":"{{model}}","messages":[{"role":"user","content":"Hello"}]}""", Encoding.UTF8, "application/json"),
            Cancel);
        return reply.StatusCode;
    }

    public static async Task<TimeSpan> UntilAsync(Func<Task<bool>> condition, TimeSpan? longest = null)
    {
        var limit = longest ?? Limit;
        var clock = Stopwatch.StartNew();
        while (!await condition())
        {
            Assert.True(clock.Elapsed < limit, $"It did not come true within {limit.TotalSeconds} s.");
            await Task.Delay(20, Cancel);
        }

        return clock.Elapsed;
    }

    public const string Yaml =
        """
        providers: [ { name: closed, baseUrl: "http://127.0.0.1:9/v1" } ]
        models: [ { name: m, retries: 0, breaker: { minimum: 1000000 }, deployments: [ { provider: closed } ] } ]
        workspaces: [ { name: acme, bots: [ { id: used, model: m, backstory: Hello. }, { id: unused, model: m, backstory: Hello. } ] } ]
        """;
}
