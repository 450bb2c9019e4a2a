using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Gateway.Tests.Support;
using Npgsql;

namespace Gateway.Tests.Data;

/// <summary>Two gateways on one Postgres: what is changed through one is soon known to the other, by either way alone.</summary>
public sealed class TwoGatewaysTests(TestPostgres postgres, ITestOutputHelper output)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Started_together_on_an_empty_database_they_make_one_first_key()
    {
        var connectionString = await postgres.CreateEmptyDatabaseAsync(Cancel);
        var encryptionKey = Convert.ToBase64String(new byte[32]);

        var gateways = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => GatewayProcess.StartAsync(
            new GatewayLaunch { ConnectionString = connectionString, Settings = new Dictionary<string, string> { ["Gateway__EncryptionKey"] = encryptionKey } },
            Cancel)));

        // The line is printed a moment after the server listens.
        for (var tries = 0; tries < 100 && !Array.Exists(gateways, HasFirstKey); tries++)
        {
            await Task.Delay(50, Cancel);
        }

        await Task.WhenAll(gateways.Select(g => g.StopAsync(Cancel)));
        var shown = gateways.Count(HasFirstKey);
        foreach (var gateway in gateways)
        {
            await gateway.DisposeAsync();
        }

        Assert.Equal(1, shown);
        Assert.Equal("1/1", await ScalarAsync(connectionString, "SELECT (SELECT count(*) FROM keys) || '/' || (SELECT count(*) FROM workspaces)"));
    }

    [Fact]
    public async Task A_key_made_through_one_works_at_the_other_at_once()
    {
        await using var pair = await PairAsync(polls: false, listens: false);

        var key = await pair.First.CreateKeyAsync(cancel: Cancel);

        Assert.Equal(HttpStatusCode.OK, await StatusAsync(pair.Second, key.Text));
    }

    [Fact]
    public async Task With_polling_off_notifications_carry_a_revoked_key_and_a_changed_bot() =>
        await ChangesArriveAsync("polling off", polls: false, listens: true);

    [Fact]
    public async Task With_notifications_cut_again_and_again_the_same_arrives_by_reading() =>
        await ChangesArriveAsync("LISTEN cut, polling every 5 s", polls: true, listens: false);

    private async Task ChangesArriveAsync(string how, bool polls, bool listens)
    {
        await using var upstream = await FakeUpstream.StartAsync();
        upstream.Answers(Replies.Stream(Replies.WordEvents("m", ["Hi."])));
        await using var pair = await PairAsync(polls, listens);
        await ApplyAsync(pair.First, upstream, "The first backstory.");
        var key = await pair.First.CreateKeyAsync("acme", cancel: Cancel);
        await UntilAsync(async () => await BackstoryAsync(pair.Second, upstream, key) == "The first backstory.");

        await ApplyAsync(pair.First, upstream, "The second backstory.");
        var bot = await UntilAsync(async () => await BackstoryAsync(pair.Second, upstream, key) == "The second backstory.");

        using var admin = pair.First.Client(GatewayProcess.AdminKey);
        using (var revoked = await admin.DeleteAsync($"/admin/v1/keys/{key.Id}", Cancel))
        {
            Assert.True(revoked.IsSuccessStatusCode);
        }

        var lost = await UntilAsync(async () => await StatusAsync(pair.Second, key.Text) == HttpStatusCode.Unauthorized);

        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{how}: bot seen {bot.TotalMilliseconds:0} ms after 'gateway apply' ended, key refused {lost.TotalMilliseconds:0} ms after its revocation was answered"));
        if (!polls)
        {
            Assert.InRange(lost, TimeSpan.Zero, TimeSpan.FromSeconds(3));
        }
    }

    private static async Task ApplyAsync(GatewayProcess gateway, FakeUpstream upstream, string backstory)
    {
        await File.WriteAllTextAsync(gateway.YamlFile, $$"""
            providers: [ { name: fake, baseUrl: "{{upstream.BaseUrl}}" } ]
            models: [ { name: m, deployments: [ { provider: fake } ] } ]
            workspaces: [ { name: acme, bots: [ { id: support, model: m, backstory: "{{backstory}}" } ] } ]
            """, Cancel);
        var applied = await gateway.RunCommandAsync(["apply", "-f", gateway.YamlFile], Cancel);
        Assert.True(applied.ExitCode == 0, applied.ToString());
    }

    /// <summary>What the bot was told when it was asked through this gateway; null when there is no such bot yet.</summary>
    private static async Task<string?> BackstoryAsync(GatewayProcess gateway, FakeUpstream upstream, GatewayKey key)
    {
        using var client = gateway.Client(key.Text);
        using var reply = await client.PostAsync(
            "/v1/chat/completions",
            new StringContent("""{"model":"bot/id=support","messages":[{"role":"user","content":"Hello"}]}""", System.Text.Encoding.UTF8, "application/json"),
            Cancel);
        return reply.IsSuccessStatusCode
            ? JsonNode.Parse(upstream.LastBody)!["messages"]![0]!["content"]!.GetValue<string>()
            : null;
    }

    private static async Task<TimeSpan> UntilAsync(Func<Task<bool>> condition)
    {
        var clock = Stopwatch.StartNew();
        while (!await condition())
        {
            Assert.True(clock.Elapsed < Limit, $"It did not come true within {Limit.TotalSeconds} s.");
            await Task.Delay(5, Cancel);
        }

        return clock.Elapsed;
    }

    private static async Task<HttpStatusCode> StatusAsync(GatewayProcess gateway, string key)
    {
        using var client = gateway.Client(key);
        using var reply = await client.GetAsync("/v1/models", Cancel);
        return reply.StatusCode;
    }

    private static bool HasFirstKey(GatewayProcess gateway) => gateway.Output.Contains("shown only now", StringComparison.Ordinal);

    private static async Task<object?> ScalarAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(Cancel);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(Cancel);
    }

    private async Task<Pair> PairAsync(bool polls, bool listens)
    {
        var connectionString = await postgres.CreateDatabaseAsync(cancel: Cancel);
        var settings = new Dictionary<string, string> { ["Gateway__EncryptionKey"] = Convert.ToBase64String(new byte[32]) };
        if (!polls)
        {
            settings["Gateway__PollInterval"] = "00:00:00";
        }

        var launch = new GatewayLaunch { ConnectionString = connectionString, Settings = settings };
        var gateways = await Task.WhenAll(GatewayProcess.StartAsync(launch, Cancel), GatewayProcess.StartAsync(launch, Cancel));
        return new Pair(gateways[0], gateways[1], listens ? null : connectionString);
    }

    private sealed class Pair : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly Task _cutting;

        /// <param name="cutIn">Not null: the gateways' listening connections to this database are ended again and again.</param>
        public Pair(GatewayProcess first, GatewayProcess second, string? cutIn)
        {
            (First, Second) = (first, second);
            _cutting = cutIn is null ? Task.CompletedTask : CutAsync(cutIn, _stop.Token);
        }

        public GatewayProcess First { get; }

        public GatewayProcess Second { get; }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _cutting;
            _stop.Dispose();
            await First.DisposeAsync();
            await Second.DisposeAsync();
        }

        private static async Task CutAsync(string connectionString, CancellationToken stop)
        {
            await using var connection = new NpgsqlConnection(connectionString);
            await connection.OpenAsync(CancellationToken.None);
            await using var cut = new NpgsqlCommand(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'gateway listen' AND datname = current_database()",
                connection);
            while (!stop.IsCancellationRequested)
            {
                await cut.ExecuteNonQueryAsync(CancellationToken.None);
                await Task.Delay(5, CancellationToken.None);
            }
        }
    }
}
