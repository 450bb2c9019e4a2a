using System.Diagnostics;
using Gateway.Tests.Support;

namespace Gateway.Tests.Limits;

/// <summary>What a limited key meets while the database is away or says nothing.</summary>
public sealed class LimitsWithoutDatabaseTests(TestPostgres postgres, ITestOutputHelper output)
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Limited_keys_are_refused_with_503_and_recover_while_others_never_notice()
    {
        // Arrange
        var database = await postgres.CreateDatabaseAsync(cancel: Cancel);
        await using var relay = new DatabaseRelay(database);
        await using var gateway = await StartAsync(relay);
        using var unlimited = gateway.Client((await gateway.CreateKeyAsync(cancel: Cancel)).Text);
        using var limited = gateway.Client(await LimitedKeyAsync(gateway, database));

        // Act
        relay.Cut();
        var refused = await UntilAsync(limited, 503);
        var others = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => unlimited.AskAsync(Cancel)));
        relay.Restore();
        await UntilAsync(limited, 200);

        // Assert
        Assert.Equal(("server_error", "limits_unavailable"), (refused.Type, refused.Code));
        Assert.Equal("1", refused.Header("Retry-After"));
        Assert.All(others, r => Assert.Equal(200, r.Status));
    }

    [Fact]
    public async Task A_database_that_does_not_answer_costs_a_limited_request_a_moment_and_the_pool_one_connection()
    {
        // Arrange
        var database = await postgres.CreateDatabaseAsync(cancel: Cancel);
        await using var relay = new DatabaseRelay(database);
        await using var gateway = await StartAsync(relay);
        using var unlimited = gateway.Client((await gateway.CreateKeyAsync(cancel: Cancel)).Text);
        using var limited = gateway.Client(await LimitedKeyAsync(gateway, database));
        relay.Silence("gateway");
        await UntilAsync(limited, 503);

        // Act
        var clock = Stopwatch.StartNew();
        var refused = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => limited.AskAsync(Cancel)));
        var took = clock.Elapsed;
        var others = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => unlimited.AskAsync(Cancel)));

        // Assert
        output.WriteLine($"50 limited requests were refused within {took.TotalMilliseconds:0} ms");
        Assert.All(refused, r => Assert.Equal((503, "limits_unavailable"), (r.Status, r.Code)));
        Assert.All(others, r => Assert.Equal(200, r.Status));
        Assert.InRange(took, TimeSpan.Zero, TimeSpan.FromSeconds(10));
        Assert.InRange(await LimitedGateway.ConnectionsAsync(database, Cancel), 0, 20);
    }

    private static async Task<string> LimitedKeyAsync(GatewayProcess gateway, string database)
    {
        var key = await gateway.CreateLimitedKeyAsync(database, l => l.Rpm = 5_000, Cancel);
        using var client = gateway.Client(key.Text);
        await client.UntilShownAsync("x-ratelimit-limit-requests", "5000", Cancel);
        Assert.Equal(200, (await client.AskAsync(Cancel)).Status);
        return key.Text;
    }

    private static Task<GatewayProcess> StartAsync(DatabaseRelay relay) => GatewayProcess.StartAsync(
        new GatewayLaunch { ConnectionString = relay.ConnectionString, Settings = LimitedGateway.Settings }, Cancel);

    /// <summary>Asks until the answer is so: what is leased serves on for a moment.</summary>
    private static async Task<LimitedReply> UntilAsync(HttpClient client, int status)
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            var reply = await client.AskAsync(Cancel);
            if (reply.Status == status)
            {
                return reply;
            }

            Assert.True(reply.Status is 200 or 503, reply.Body);
            Assert.True(clock.Elapsed < Longest, $"It did not become {status}: {reply.Status} {reply.Body}");
            await Task.Delay(50, Cancel);
        }
    }
}
