using System.Text.Json.Nodes;
using Gateway.Tests.Support;
using Npgsql;

namespace Gateway.Tests.Admin;

public sealed class WatchingGateway(TestPostgres postgres) : SharedGateway(postgres, ApplyWatchTests.Bots("acme", "one", "two"));

/// <summary><c>Gateway__Apply</c>: applied before the server listens, and whenever the file changes.</summary>
public sealed class ApplyWatchTests(TestPostgres postgres, WatchingGateway shared) : IClassFixture<WatchingGateway>
{
    /// <summary>Each test on it has a workspace of its own; what is in the file no more stays in force.</summary>
    private readonly GatewayProcess _shared = shared.Gateway;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_file_is_in_force_from_the_first_request_on()
    {
        var key = await _shared.CreateKeyAsync("acme", cancel: Cancel);

        Assert.Equal(["bot/id=one", "bot/id=two"], await BotsOfAsync(_shared, key));
        Assert.InRange(_shared.Output.IndexOf("+ bot acme/one", StringComparison.Ordinal), 0, _shared.Output.IndexOf("gateway listens on", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_bad_file_refuses_the_start_with_2_and_keeps_the_first_key_for_later()
    {
        var launch = new GatewayLaunch
        {
            ConnectionString = await postgres.CreateDatabaseAsync(cancel: Cancel),
            Yaml = "workspaces:\n  - name: acme\n    bots: [ { id: one, model: none } ]\n",
            Settings = new Dictionary<string, string> { ["Gateway__EncryptionKey"] = Convert.ToBase64String(new byte[32]) },
        };

        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => GatewayProcess.StartAsync(launch, Cancel));
        await using var gateway = await GatewayProcess.StartAsync(launch with { Yaml = null }, Cancel);
        await UntilAsync(() => Task.FromResult(gateway.Output.Contains("shown only now: sk-gw-", StringComparison.Ordinal)), gateway);

        Assert.Contains("ended with 2 before it was ready", refused.Message, StringComparison.Ordinal);
        Assert.Contains("gateway.yaml:3: workspaces[0].bots[0].model: there is no model 'none'", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_changed_file_is_applied_however_it_is_replaced()
    {
        await using var gateway = await StartAsync(Bots("acme", "one"));
        var key = await gateway.CreateKeyAsync("acme", cancel: Cancel);

        // Written over, as `cp` does.
        await System.IO.File.WriteAllTextAsync(gateway.YamlFile, Bots("acme", "one", "two"), Cancel);
        await EventuallyAsync(gateway, key, "bot/id=one", "bot/id=two");

        // Renamed into place, as editors do.
        await System.IO.File.WriteAllTextAsync(gateway.YamlFile + ".new", Bots("acme", "one", "two", "three"), Cancel);
        System.IO.File.Move(gateway.YamlFile + ".new", gateway.YamlFile, overwrite: true);
        await EventuallyAsync(gateway, key, "bot/id=one", "bot/id=three", "bot/id=two");

        // A link that is turned to another directory, as mounted configuration is; for a moment there is no file.
        var folder = Directory.CreateDirectory(gateway.YamlFile + ".data").FullName;
        await System.IO.File.WriteAllTextAsync(Path.Combine(folder, "file"), Bots("acme", "four"), Cancel);
        System.IO.File.Delete(gateway.YamlFile);
        await UntilAsync(() => Task.FromResult(gateway.Output.Contains("cannot be read", StringComparison.Ordinal)), gateway);
        System.IO.File.CreateSymbolicLink(gateway.YamlFile, Path.Combine(folder, "file"));
        await EventuallyAsync(gateway, key, "bot/id=four", "bot/id=one", "bot/id=three", "bot/id=two");
    }

    [Fact]
    public async Task A_changed_file_of_a_dataset_is_applied_and_one_that_is_missing_is_waited_for()
    {
        const string WithDataset = "workspaces: [ { name: shelf, datasets: [ { name: handbook, files: [handbook/*.md] } ] } ]";
        Task Said(string text) => UntilAsync(() => Task.FromResult(_shared.Output.Contains(text, StringComparison.Ordinal)), _shared);
        var handbook = Directory.CreateDirectory(Path.Combine(Path.GetDirectoryName(_shared.YamlFile)!, "handbook")).FullName;

        await System.IO.File.WriteAllTextAsync(_shared.YamlFile, WithDataset, Cancel);
        await Said("gateway.yaml:1: workspaces[0].datasets[0].files[0]: there is no file 'handbook/*.md' in ");
        await System.IO.File.WriteAllTextAsync(Path.Combine(handbook, "a.md"), "A", Cancel);
        await Said("+ dataset shelf/handbook");
        await System.IO.File.WriteAllTextAsync(Path.Combine(handbook, "b.md"), "B", Cancel);
        await Said("~ dataset shelf/handbook (files)");
    }

    [Fact]
    public async Task A_bad_file_is_logged_with_its_place_while_the_old_state_serves_on()
    {
        await System.IO.File.WriteAllTextAsync(_shared.YamlFile, Bots("kept", "one"), Cancel);
        await UntilAsync(() => Task.FromResult(_shared.Output.Contains("+ bot kept/one", StringComparison.Ordinal)), _shared);
        var key = await _shared.CreateKeyAsync("kept", cancel: Cancel);
        await EventuallyAsync(_shared, key, "bot/id=one");

        await System.IO.File.WriteAllTextAsync(_shared.YamlFile, Bots("kept", "one", "two").Replace("model: m }", "model: none }", StringComparison.Ordinal), Cancel);
        await UntilAsync(() => Task.FromResult(_shared.Output.Contains("gateway.yaml:5: workspaces[0].bots[0].model: ", StringComparison.Ordinal)), _shared);
        var meanwhile = await BotsOfAsync(_shared, key);
        await System.IO.File.WriteAllTextAsync(_shared.YamlFile, Bots("kept", "one", "three"), Cancel);
        await EventuallyAsync(_shared, key, "bot/id=one", "bot/id=three");

        Assert.Equal(["bot/id=one"], meanwhile);
        Assert.Single(_shared.Output.Split('\n'), line => line.Contains("gateway.yaml:5: workspaces[0].bots[0].model: ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Two_gateways_with_the_same_file_apply_it_once()
    {
        var connectionString = await postgres.CreateDatabaseAsync(cancel: Cancel);
        await using var first = await StartAsync(Bots("acme", "one"), connectionString);
        await using var second = await StartAsync(Bots("acme", "one"), connectionString, first.DataDirectory);
        var key = await first.CreateKeyAsync("acme", cancel: Cancel);

        await Task.WhenAll(
            System.IO.File.WriteAllTextAsync(first.YamlFile, Bots("acme", "one", "two"), Cancel), System.IO.File.WriteAllTextAsync(second.YamlFile, Bots("acme", "one", "two"), Cancel));
        await EventuallyAsync(first, key, "bot/id=one", "bot/id=two");
        await EventuallyAsync(second, key, "bot/id=one", "bot/id=two");
        // Both have come past the file before when they are at the next one.
        await Task.WhenAll(
            System.IO.File.WriteAllTextAsync(first.YamlFile, Bots("acme", "one", "two", "three"), Cancel),
            System.IO.File.WriteAllTextAsync(second.YamlFile, Bots("acme", "one", "two", "three"), Cancel));
        await EventuallyAsync(first, key, "bot/id=one", "bot/id=three", "bot/id=two");
        await EventuallyAsync(second, key, "bot/id=one", "bot/id=three", "bot/id=two");

        var applied = (first.Output + second.Output).Split('\n');
        Assert.Single(applied, line => line.Contains("+ bot acme/one", StringComparison.Ordinal));
        Assert.Single(applied, line => line.Contains("+ bot acme/two", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_credential_that_changed_in_the_environment_alone_is_applied_by_the_next_start()
    {
        var launch = new GatewayLaunch
        {
            ConnectionString = await postgres.CreateDatabaseAsync(cancel: Cancel),
            DataDirectory = Directory.CreateTempSubdirectory("gateway-test-").FullName,
            Yaml = "providers: [ { name: p, baseUrl: \"http://127.0.0.1:9\", apiKey: \"${PROVIDER_KEY}\" } ]",
            Settings = new Dictionary<string, string> { ["PROVIDER_KEY"] = "sk-first-secret" },
        };
        await using (var first = await GatewayProcess.StartAsync(launch, Cancel))
        {
            await first.StopAsync(Cancel);
            await first.StartAgainAsync(Cancel);
            Assert.DoesNotContain("provider p", first.Output, StringComparison.Ordinal);
        }

        await using var second = await GatewayProcess.StartAsync(
            launch with { Settings = new Dictionary<string, string> { ["PROVIDER_KEY"] = "sk-second-secret" } }, Cancel);

        Assert.Contains("~ provider p (apiKey)", second.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("-secret", second.Output, StringComparison.Ordinal);
        await using var connection = new NpgsqlConnection(launch.ConnectionString);
        await connection.OpenAsync(Cancel);
        await using var dump = new NpgsqlCommand("SELECT string_agg(value, ' ') FROM settings", connection);
        Assert.DoesNotContain("sk-", (string)(await dump.ExecuteScalarAsync(Cancel))!, StringComparison.Ordinal);
        Directory.Delete(launch.DataDirectory, recursive: true);
    }

    internal static string Bots(string workspace, params string[] ids) => $$"""
        providers: [ { name: p, baseUrl: "http://127.0.0.1:9" } ]
        models: [ { name: m, deployments: [ { provider: p } ] } ]
        workspaces:
          - name: {{workspace}}
            bots: [ {{string.Join(", ", ids.Select(id => $"{{ id: {id}, model: m }}"))}} ]
        """;

    private static async Task<string[]> BotsOfAsync(GatewayProcess gateway, GatewayKey key)
    {
        using var client = gateway.Client(key.Text);
        var list = JsonNode.Parse(await client.GetStringAsync("/v1/models", Cancel))!;
        return [.. list["data"]!.AsArray().Select(m => m!["id"]!.GetValue<string>()).Where(id => id.StartsWith("bot/", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
    }

    private static Task EventuallyAsync(GatewayProcess gateway, GatewayKey key, params string[] bots) =>
        UntilAsync(async () => (await BotsOfAsync(gateway, key)).SequenceEqual(bots), gateway);

    private static async Task UntilAsync(Func<Task<bool>> condition, GatewayProcess gateway)
    {
        for (var tries = 0; tries < 1_200; tries++)
        {
            if (await condition())
            {
                return;
            }

            await Task.Delay(50, Cancel);
        }

        Assert.Fail($"It did not come true within 60 s.\n{gateway.LastWords}");
    }

    private async Task<GatewayProcess> StartAsync(string yaml, string? connectionString = null, string? dataDirectory = null) =>
        await GatewayProcess.StartAsync(
            new GatewayLaunch
            {
                ConnectionString = connectionString ?? await postgres.CreateDatabaseAsync(cancel: Cancel),
                DataDirectory = dataDirectory,
                Yaml = yaml,
            },
            Cancel);
}
