using System.Net;
using System.Text.RegularExpressions;
using Gateway.Tests.Support;

namespace Gateway.Tests.Cli;

public sealed class CommandGateway(TestPostgres postgres) : SharedGateway(postgres);

/// <summary>Commands as an operator runs them, beside a gateway on the same database.</summary>
public sealed class CommandTests(TestPostgres postgres, CommandGateway shared) : IClassFixture<CommandGateway>
{
    private const string Yaml = """
        providers: [ { name: p, baseUrl: "http://127.0.0.1:9", apiKey: "${PROVIDER_KEY}" } ]
        models: [ { name: m, deployments: [ { provider: p } ] } ]
        workspaces:
          - name: acme
            bots: [ { id: support, model: m } ]
        """;

    private readonly GatewayProcess _gateway = shared.Gateway;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_key_is_made_listed_used_and_revoked()
    {

        var made = await _gateway.RunCommandAsync(
            ["keys", "create", "--workspace", "default", "--name", "from the shell", "--selector", "bot/id=*", "--expires", "2099-01-31"], Cancel);
        Assert.True(made.ExitCode == 0, made.ToString());
        Assert.Matches("^sk-gw-[A-Za-z0-9_-]{43}\n$", made.Output);
        var key = made.Output.Trim();

        // The running gateway has not been told of it by anything but the database.
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(_gateway, key));

        var list = await _gateway.RunCommandAsync(["keys", "list", "--workspace", "default"], Cancel);
        var line = Assert.Single(list.Output.Split('\n'), l => l.Contains("from the shell", StringComparison.Ordinal));
        Assert.DoesNotContain(key, list.Output, StringComparison.Ordinal);
        Assert.EndsWith("active", line, StringComparison.Ordinal);
        Assert.Contains("2099-01-31", line, StringComparison.Ordinal);

        var revoked = await _gateway.RunCommandAsync(["keys", "revoke", line.Split(' ')[0]], Cancel);
        Assert.True(revoked.ExitCode == 0, revoked.ToString());
        Assert.True(await ComesTrueAsync(async () => await StatusAsync(_gateway, key) == HttpStatusCode.Unauthorized));
    }

    [Fact]
    public async Task A_key_is_made_with_limits_that_the_list_shows()
    {
        string[] create = ["keys", "create", "--workspace", "default", "--name"];

        var limited = await _gateway.RunCommandAsync(
            [.. create, "limited", "--rpm", "60", "--tpm", "90000", "--concurrent", "5", "--budget", "5.50usd/day"], Cancel);
        var tokens = await _gateway.RunCommandAsync([.. create, "tokens", "--budget", "2000000tokens/month"], Cancel);
        var free = await _gateway.RunCommandAsync([.. create, "free"], Cancel);
        var list = await _gateway.RunCommandAsync(["keys", "list"], Cancel);

        Assert.All([limited, tokens, free, list], result => Assert.True(result.ExitCode == 0, result.ToString()));
        var lines = list.Output.Split('\n');
        Assert.Contains("LIMITS", lines[0], StringComparison.Ordinal);
        Assert.Contains(" rpm=60,tpm=90000,concurrent=5,5.5usd/day ", LineOf("limited"), StringComparison.Ordinal);
        Assert.Contains(" 2000000tokens/month ", LineOf("tokens"), StringComparison.Ordinal);
        Assert.Contains(" none ", LineOf("free"), StringComparison.Ordinal);

        string LineOf(string name) => Assert.Single(lines, l => l.Contains($" {name} ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_cannot_be_done_is_said_in_a_line_and_ends_with_2()
    {
        string[] create = ["keys", "create", "--workspace", "default", "--name", "n"];
        (string[] Arguments, string Said)[] cases =
        [
            (["keys", "create", "--workspace", "nowhere", "--name", "n"], "nowhere"),
            ([.. create, "--scope", "root"], "root"),
            ([.. create, "--selector", "gpt-4o"], "gpt-4o"),
            ([.. create, "--expires", "2001-01-01"], "expires_at"),
            ([.. create, "--rpm", "0"], "--rpm 0: expected a whole number from 1 to 1000000000"),
            ([.. create, "--tpm", "many"], "--tpm many: expected a whole number"),
            ([.. create, "--concurrent", "1.5"], "--concurrent 1.5: expected a whole number"),
            ([.. create, "--budget", "5usd"], "--budget 5usd: expected a budget such as 5usd/day or 2000000tokens/month"),
            (["keys", "revoke", "00000000-0000-0000-0000-000000000001"], "There is no key"),
            (["keys", "revoke", "abc"], "abc"),
            (["apply"], "--file"),
            (["apply", "-f", "nowhere.yaml"], "nowhere.yaml"),
            (["export", "bots"], "bots"),
            (["serve", "--bogus", "1"], "--bogus"),
            (["--dry-run"], "--dry-run"),
        ];

        foreach (var (arguments, said) in cases)
        {
            var result = await _gateway.RunCommandAsync(arguments, Cancel);

            Assert.True(result.ExitCode == 2, $"{string.Join(' ', arguments)}: {result}");
            Assert.Contains(said, result.Errors, StringComparison.Ordinal);
            Assert.Empty(result.Output);
            Assert.DoesNotContain("   at ", result.Errors, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Apply_prints_what_it_changes_and_nothing_secret()
    {
        await File.WriteAllTextAsync(_gateway.YamlFile, Yaml, Cancel);

        var dry = await ApplyAsync("--dry-run");
        var real = await ApplyAsync();
        var again = await ApplyAsync("--prune");
        var dryAgain = await ApplyAsync("--dry-run");
        await File.WriteAllTextAsync(_gateway.YamlFile, "{}", Cancel);
        var pruned = await ApplyAsync("--prune");

        Task<CommandResult> ApplyAsync(params string[] more) =>
            _gateway.RunCommandAsync(["apply", "-f", _gateway.YamlFile, .. more], Cancel, ("PROVIDER_KEY", "sk-provider-secret"));

        Assert.Equal((0, "+ provider p\n+ model m\n+ workspace acme\n+ bot acme/support\n", ""), (real.ExitCode, real.Output, real.Errors));
        Assert.Equal(real.Output, dry.Output);
        Assert.Equal((0, "= nothing to do\n"), (again.ExitCode, again.Output));
        Assert.Equal((0, "= nothing would change\n"), (dryAgain.ExitCode, dryAgain.Output));
        Assert.Equal((0, "- model m\n- provider p\n- bot acme/support\n- workspace acme\n"), (pruned.ExitCode, pruned.Output));
        Assert.DoesNotContain("sk-provider-secret", _gateway.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bad_file_changes_nothing_and_every_error_has_file_line_and_path()
    {
        await File.WriteAllTextAsync(_gateway.YamlFile, Yaml.Replace("id: support", "id: Support, modle: m", StringComparison.Ordinal), Cancel);

        var bad = await _gateway.RunCommandAsync(["apply", "-f", _gateway.YamlFile], Cancel);
        await File.WriteAllTextAsync(_gateway.YamlFile, "workspaces: [ { name: acme } ]", Cancel);
        var good = await _gateway.RunCommandAsync(["apply", "-f", _gateway.YamlFile, "--dry-run"], Cancel);

        Assert.True(bad.ExitCode == 2, bad.ToString());
        Assert.Empty(bad.Output);
        var lines = bad.Errors.TrimEnd('\n').Split('\n');
        Assert.All(lines, line => Assert.Matches($"^{Regex.Escape(_gateway.YamlFile)}:[0-9]+: [^ ]+: ", line));
        Assert.Contains(lines, line => line.Contains("PROVIDER_KEY", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.Contains(":5: workspaces[0].bots[0].modle: ", StringComparison.Ordinal));
        Assert.Equal("+ workspace acme\n", good.Output);
    }

    [Fact]
    public async Task A_database_without_migrations_is_refused_and_migrate_mends_it()
    {
        var empty = await postgres.CreateEmptyDatabaseAsync(Cancel);
        var environment = new Dictionary<string, string>
        {
            ["ConnectionStrings__Gateway"] = empty,
            ["Gateway__DataDirectory"] = _gateway.DataDirectory,
            ["Gateway__Migrate"] = "false",
        };

        var refused = await RunAsync(["keys", "list"], environment);
        var migrated = await RunAsync(["migrate"], environment);
        var again = await RunAsync(["migrate"], environment);
        var listed = await RunAsync(["keys", "list"], environment);

        Assert.True(refused.ExitCode == 2, refused.ToString());
        Assert.Contains("gateway migrate", refused.Errors, StringComparison.Ordinal);
        Assert.Equal((0, "the database is up to date\n"), (migrated.ExitCode, migrated.Output));
        Assert.Matches("applying [0-9]+ migration", migrated.Errors);
        Assert.Equal((0, "the database is up to date\n", ""), (again.ExitCode, again.Output, again.Errors));
        Assert.True(listed.ExitCode == 0, listed.ToString());
        Assert.StartsWith("ID", listed.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_command_without_any_database_says_where_it_looked_and_makes_none()
    {
        var folder = Directory.CreateTempSubdirectory("gateway-test-").FullName;
        try
        {
            var result = await RunAsync(["keys", "list"], new Dictionary<string, string> { ["Gateway__DataDirectory"] = folder });

            Assert.True(result.ExitCode == 2, result.ToString());
            Assert.Contains(folder, result.Errors, StringComparison.Ordinal);
            Assert.Empty(Directory.GetFileSystemEntries(folder));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task Commands_find_the_embedded_database_running_and_start_a_stopped_one()
    {
        await using var gateway = await GatewayProcess.StartAsync(new GatewayLaunch(), Cancel);

        var running = await gateway.RunCommandAsync(["keys", "create", "--workspace", "default", "--name", "one"], Cancel);
        await gateway.StopAsync(Cancel);
        var stopped = await gateway.RunCommandAsync(["keys", "list"], Cancel);

        Assert.True(running.ExitCode == 0, running.ToString());
        Assert.True(stopped.ExitCode == 0, stopped.ToString());
        Assert.Contains(" one ", stopped.Output, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFiles(gateway.DataDirectory, "postmaster.pid", SearchOption.AllDirectories));
    }

    [Theory]
    [InlineData("--help", "Usage:")]
    [InlineData("serve --help", "--urls")]
    [InlineData("apply --help", "--dry-run")]
    [InlineData("keys create --help", "--workspace")]
    [InlineData("keys create --help", "--budget")]
    [InlineData("keys list -h", "--workspace")]
    [InlineData("--version", "0.1.0")]
    [InlineData("keys revoke --version", "0.1.0")]
    public async Task Help_and_version_are_everywhere(string arguments, string said)
    {
        var result = await RunAsync(arguments.Split(' '), []);

        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Contains(said, result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://127.0.0.1:8080", "http://127.0.0.1:8080/health/ready")]
    [InlineData("http://+:8080", "http://127.0.0.1:8080/health/ready")]
    [InlineData("http://*:8080", "http://127.0.0.1:8080/health/ready")]
    [InlineData("http://0.0.0.0:80", "http://127.0.0.1/health/ready")]
    [InlineData("https://[::]:8443", "https://127.0.0.1:8443/health/ready")]
    [InlineData("http://gateway.internal:9000", "http://gateway.internal:9000/health/ready")]
    public void Health_asks_where_a_listener_can_be_reached(string listening, string asked) =>
        Assert.Equal(new Uri(asked), Gateway.Cli.HealthCommand.Reachable(listening));

    [Fact]
    public async Task Simulate_serves_until_it_is_told_to_end()
    {
        var url = $"http://127.0.0.1:{FreePort.Next()}";
        await using var process = ChildProcess.Start("dotnet", [GatewayProcess.Assembly, "simulate", "--urls", url]);
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false });

        var isUp = await ComesTrueAsync(async () =>
        {
            try
            {
                using var reply = await client.GetAsync(new Uri($"{url}/v1/models"), Cancel);
                return reply.IsSuccessStatusCode;
            }
            catch (HttpRequestException)
            {
                return false;
            }
        });
        process.AskToEnd();

        Assert.True(isUp, process.LastWords);
        Assert.True(await process.WaitAsync(TimeSpan.FromSeconds(10), Cancel));
        Assert.True(process.ExitCode == 0, process.LastWords);
    }

    private static Task<CommandResult> RunAsync(string[] arguments, Dictionary<string, string> environment) =>
        ChildProcess.RunAsync("dotnet", [GatewayProcess.Assembly, .. arguments], TimeSpan.FromSeconds(60), environment, Path.GetTempPath(), Cancel);

    private static async Task<HttpStatusCode> StatusAsync(GatewayProcess gateway, string key)
    {
        using var client = gateway.Client(key);
        using var reply = await client.GetAsync("/v1/models", Cancel);
        return reply.StatusCode;
    }

    private static async Task<bool> ComesTrueAsync(Func<Task<bool>> condition)
    {
        for (var tries = 0; tries < 400; tries++)
        {
            if (await condition())
            {
                return true;
            }

            await Task.Delay(25, Cancel);
        }

        return false;
    }
}
