using System.Net;
using Gateway.Tests.Support;
using static Gateway.Tests.Data.Trouble;

namespace Gateway.Tests.Data;

/// <summary>A database that goes and comes back while requests are made.</summary>
public sealed class RestartedDatabaseTests(TestPostgres postgres)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_database_that_restarts_under_load_costs_no_request()
    {
        // Arrange
        await using var upstream = await FakeUpstream.StartAsync();
        upstream.Answers(Answer.ByRequest(request => (bool?)request.Json["stream"] == true
            ? Replies.Stream(Replies.WordEvents("m", ["Hi."]))
            : Answer.Json(Replies.Completion("m", "Hi."))));
        var database = await postgres.CreateDatabaseAsync(cancel: Cancel);
        await using var relay = new DatabaseRelay(database);
        await using var gateway = await GatewayProcess.StartAsync(
            new GatewayLaunch { ConnectionString = relay.ConnectionString, Yaml = Yaml.Replace("http://127.0.0.1:9/v1", upstream.BaseUrl, StringComparison.Ordinal), Settings = Quick },
            Cancel);
        var key = await gateway.CreateKeyAsync("acme", cancel: Cancel);
        await UntilAsync(async () => await AskAsync(gateway, key.Text, "bot/id=used") == HttpStatusCode.OK);

        // Act: all that a restart does to a client, twice.
        using var stop = new CancellationTokenSource();
        var load = Enumerable.Range(0, 8).Select(i => LoadAsync(gateway, key.Text, i % 2 == 0 ? "bot/id=used" : "model/name=m", stop.Token)).ToList();
        for (var round = 0; round < 2; round++)
        {
            relay.Cut();
            await EndBackendsAsync(database);
            await UntilAsync(async () => await ReadyAsync(gateway) == "degraded");
            await Task.Delay(1_000, Cancel);
            relay.Restore();
            await UntilAsync(async () => await ReadyAsync(gateway) == "ready");
        }

        await stop.CancelAsync();

        // Assert
        var answers = (await Task.WhenAll(load)).SelectMany(statuses => statuses).ToList();
        Assert.All(answers, status => Assert.Equal(HttpStatusCode.OK, status));
        Assert.True(answers.Count > 20, $"Only {answers.Count} requests were made.");
        using var admin = gateway.Client(GatewayProcess.AdminKey);
        Assert.Equal(HttpStatusCode.OK, (await admin.DeleteAsync($"/admin/v1/keys/{key.Id}", Cancel)).StatusCode);
        await UntilAsync(async () => await AskAsync(gateway, key.Text, "model/name=m") == HttpStatusCode.Unauthorized);
    }

    private static async Task<List<HttpStatusCode>> LoadAsync(GatewayProcess gateway, string key, string model, CancellationToken stop)
    {
        var statuses = new List<HttpStatusCode>();
        while (!stop.IsCancellationRequested)
        {
            statuses.Add(await AskAsync(gateway, key, model));
        }

        return statuses;
    }

    private static Task<object?> EndBackendsAsync(string database) => ScalarAsync(
        database,
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'gateway%'");
}
