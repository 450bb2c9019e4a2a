using System.Net;

namespace Gateway.Tests.Support;

/// <summary>What every other process test takes for granted.</summary>
public sealed class GatewayProcessTests(TestPostgres postgres)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_started_gateway_is_ready_and_ends_well_on_SIGTERM()
    {
        await using var gateway = await StartAsync();

        var healthy = await gateway.RunCommandAsync(["health"], Cancel);
        var exitCode = await gateway.StopAsync(Cancel);
        var gone = await gateway.RunCommandAsync(["health"], Cancel);

        Assert.True(healthy.ExitCode == 0, healthy.ToString());
        Assert.True(exitCode == 0, $"exit code {exitCode}\n{gateway.LastWords}");
        Assert.True(gone.ExitCode != 0, gone.ToString());
    }

    [Fact]
    public async Task A_key_outlives_a_killed_gateway()
    {
        await using var gateway = await StartAsync();
        var key = await gateway.CreateKeyAsync(cancel: Cancel);

        await gateway.KillAsync();
        await gateway.StartAgainAsync(Cancel);

        using var client = gateway.Client(key.Text);
        using var reply = await client.GetAsync("/v1/models", Cancel);
        Assert.Equal(HttpStatusCode.OK, reply.StatusCode);
    }

    [Fact]
    public async Task A_gateway_that_cannot_start_says_why()
    {
        var launch = new GatewayLaunch
        {
            ConnectionString = await postgres.CreateDatabaseAsync(cancel: Cancel),
            Settings = new Dictionary<string, string> { ["Gateway__EncryptionKey"] = "far too short" },
        };

        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => GatewayProcess.StartAsync(launch, Cancel));

        Assert.Contains("EncryptionKey", error.Message, StringComparison.Ordinal);
    }

    private async Task<GatewayProcess> StartAsync() => await GatewayProcess.StartAsync(
        new GatewayLaunch { ConnectionString = await postgres.CreateDatabaseAsync(cancel: Cancel) }, Cancel);
}
