using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Runtime.Versioning;
using System.Text.Json.Nodes;

// Signals, file modes, setpriv: like the gateway's embedded database, these tests are for Unix.
[assembly: UnsupportedOSPlatform("windows")]

namespace Gateway.Tests.Support;

/// <summary>The built gateway as a child process on a loopback port: what a test talks to is what an operator runs.</summary>
public sealed class GatewayProcess : IAsyncDisposable
{
    /// <summary>The global admin key that every test gateway is given.</summary>
    public const string AdminKey = "sk-gw-admin-of-the-tests-0123456789abcdef";

    private const int Quit = 3;
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan CommandLimit = TimeSpan.FromMinutes(3);

    private readonly GatewayLaunch _launch;
    private readonly string _folder;
    private readonly Dictionary<string, string> _settings;
    private readonly HttpClient _health = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(5) };
    private ChildProcess? _process;

    private GatewayProcess(GatewayLaunch launch)
    {
        _launch = launch;
        _folder = Directory.CreateTempSubdirectory("gateway-test-").FullName;
        // An embedded database runs under another user when the tests run as root, and must be able to enter.
        File.SetUnixFileMode(_folder, (UnixFileMode)Convert.ToInt32("755", 8));
        DataDirectory = launch.DataDirectory ?? Path.Combine(_folder, "data");
        BaseUrl = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{FreePort.Next()}");
        YamlFile = Path.Combine(_folder, "gateway.yaml");
        _settings = new Dictionary<string, string>
        {
            ["ASPNETCORE_URLS"] = BaseUrl,
            ["Gateway__DataDirectory"] = DataDirectory,
            ["Gateway__AdminKey"] = AdminKey,
            ["Gateway__ShutdownDelay"] = "00:00:00",
            ["Gateway__DrainTimeout"] = "00:00:10",
            // A test reads what a person would; whose subject is the line of JSON asks for it.
            ["Gateway__LogFormat"] = "text",
            ["DOTNET_NOLOGO"] = "1",
            // What it costs to learn how code is used is never earned back in a few seconds.
            ["DOTNET_TieredPGO"] = "0",
        };
        if (launch.ConnectionString is not null)
        {
            _settings["ConnectionStrings__Gateway"] = launch.ConnectionString;
        }

        if (launch.Yaml is not null)
        {
            File.WriteAllText(YamlFile, launch.Yaml);
            _settings["Gateway__Apply"] = YamlFile;
        }

        foreach (var (name, value) in launch.Settings)
        {
            _settings[name] = value;
        }
    }

    /// <summary>Scheme, host and port, without a path.</summary>
    public string BaseUrl { get; }

    public string DataDirectory { get; }

    /// <summary>The file behind <c>Gateway__Apply</c>; a test may rewrite it.</summary>
    public string YamlFile { get; }

    public int ProcessId => Running.Id;

    public bool HasExited => Running.HasExited;

    /// <summary>Everything on stdout since the last start: start lines and log.</summary>
    public string Output => Running.Output;

    /// <summary>The end of what it printed, for failure messages.</summary>
    public string LastWords => Running.LastWords;

    /// <summary>
    /// The built <c>gateway.dll</c>: the one that <c>GATEWAY_TEST_ASSEMBLY</c> names, else the application's own output
    /// folder, else the copy beside the tests.
    /// </summary>
    public static string Assembly { get; } = FindAssembly();

    private ChildProcess Running => _process ?? throw new InvalidOperationException("The gateway was never started.");

    /// <summary>Starts a gateway and waits until it is ready.</summary>
    /// <exception cref="InvalidOperationException">It ended, or was not ready in time; holds what it printed.</exception>
    public static async Task<GatewayProcess> StartAsync(GatewayLaunch launch, CancellationToken cancel)
    {
        var gateway = new GatewayProcess(launch);
        try
        {
            await gateway.StartAgainAsync(cancel);
            return gateway;
        }
        catch
        {
            await gateway.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts it (again) with the same settings, port and data directory, and waits until it is ready.</summary>
    public async Task StartAgainAsync(CancellationToken cancel)
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        _process = _launch.Prelude is { } prelude
            ? ChildProcess.Start("sh", ["-c", $"{prelude}; exec dotnet \"$0\"", Assembly], _settings, _folder, _launch.OnLine)
            : ChildProcess.Start("dotnet", [Assembly], _settings, _folder, _launch.OnLine);
        await WaitUntilReadyAsync(cancel);
    }

    /// <summary>SIGTERM, and waits for the end; answers with the exit code.</summary>
    /// <exception cref="TimeoutException">It did not end within 90 s; holds what it printed.</exception>
    public async Task<int> StopAsync(CancellationToken cancel = default)
    {
        AskToEnd();
        return await WaitForEndAsync(cancel);
    }

    /// <summary>SIGTERM, without waiting for anything.</summary>
    public void AskToEnd() => Running.AskToEnd();

    /// <summary>SIGINT, without waiting for anything.</summary>
    public void PressControlC() => Running.PressControlC();

    /// <summary>Waits for an end that was asked for; answers with the exit code.</summary>
    /// <exception cref="TimeoutException">It did not end within 90 s; holds what it printed.</exception>
    public async Task<int> WaitForEndAsync(CancellationToken cancel = default) =>
        await Running.WaitAsync(StopLimit, cancel)
            ? Running.ExitCode
            : throw new TimeoutException($"The gateway did not end after it was asked to.\n{LastWords}");

    /// <summary>SIGKILL, and waits until the process is gone. An embedded database goes on running, as in real life.</summary>
    public async Task KillAsync()
    {
        Running.Kill();
        await Running.WaitAsync(TimeSpan.FromSeconds(5));
    }

    /// <summary>A client whose relative addresses are the gateway's; no retries, no redirects, no proxy.</summary>
    /// <param name="key">Sent as bearer token; null sends no Authorization.</param>
    public HttpClient Client(string? key)
    {
        var client = new HttpClient(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false })
        {
            BaseAddress = new Uri(BaseUrl),
            Timeout = TimeSpan.FromSeconds(60),
        };
        if (key is not null)
        {
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        }

        return client;
    }

    /// <summary>Makes a key through the admin API. Nulls are left out of the request.</summary>
    public async Task<GatewayKey> CreateKeyAsync(
        string workspace = "default", string[]? selectors = null, string[]? scopes = null, DateTimeOffset? expiresAt = null,
        string name = "test", CancellationToken cancel = default)
    {
        var body = new JsonObject { ["workspace"] = workspace, ["name"] = name };
        if (selectors is not null)
        {
            body["selectors"] = new JsonArray([.. selectors]);
        }

        if (scopes is not null)
        {
            body["scopes"] = new JsonArray([.. scopes]);
        }

        if (expiresAt is { } date)
        {
            body["expires_at"] = date.ToString("O", CultureInfo.InvariantCulture);
        }

        using var client = Client(AdminKey);
        using var reply = await client.PostAsJsonAsync("/admin/v1/keys", body, cancel);
        var text = await reply.Content.ReadAsStringAsync(cancel);
        if (!reply.IsSuccessStatusCode)
        {
            throw new InvalidOperationException($"POST /admin/v1/keys answered {(int)reply.StatusCode}: {text}\n{LastWords}");
        }

        var made = JsonNode.Parse(text)!;
        return new GatewayKey(made["id"]!.ToString(), made["key"]!.GetValue<string>());
    }

    /// <summary>Runs a command of the gateway (<c>keys</c>, <c>apply</c> …) with this gateway's settings.</summary>
    /// <param name="more">Settings of the command alone.</param>
    public Task<CommandResult> RunCommandAsync(
        IEnumerable<string> arguments, CancellationToken cancel = default, params (string Name, string Value)[] more) =>
        ChildProcess.RunAsync(
            "dotnet", [Assembly, .. arguments], CommandLimit,
            _settings.Concat(more.Select(s => KeyValuePair.Create(s.Name, s.Value))).GroupBy(s => s.Key).ToDictionary(s => s.Key, s => s.Last().Value), _folder, cancel);

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            // A graceful end takes an embedded database with it; an external one has nothing to lose.
            _process.AskToEnd();
            await _process.WaitAsync(_launch.ConnectionString is null ? TimeSpan.FromSeconds(20) : TimeSpan.FromSeconds(3));
            await _process.DisposeAsync();
        }

        await EndOrphanedDatabaseAsync();
        _health.Dispose();
        try
        {
            Directory.Delete(_folder, recursive: true);
        }
        catch (IOException)
        {
            // A file that appeared in between is the temporary directory's to clean.
        }
    }

    /// <summary>A gateway that was killed leaves its embedded database behind; its own pid file says which process.</summary>
    private async Task EndOrphanedDatabaseAsync()
    {
        if (_launch.DataDirectory is not null || !Directory.Exists(DataDirectory))
        {
            return;
        }

        foreach (var file in Directory.EnumerateFiles(DataDirectory, "postmaster.pid", SearchOption.AllDirectories))
        {
            var process = int.Parse((await File.ReadAllLinesAsync(file))[0], CultureInfo.InvariantCulture);
            for (var tries = 0; tries < 100 && ChildProcess.Signal(process, Quit); tries++)
            {
                await Task.Delay(50);
            }
        }
    }

    private async Task WaitUntilReadyAsync(CancellationToken cancel)
    {
        var clock = System.Diagnostics.Stopwatch.StartNew();
        while (clock.Elapsed < _launch.ReadyLimit)
        {
            if (Running.HasExited)
            {
                await Running.WaitAsync(TimeSpan.FromSeconds(5), cancel);
                throw new InvalidOperationException($"The gateway ended with {Running.ExitCode} before it was ready.\n{LastWords}");
            }

            if (await IsReadyAsync(cancel))
            {
                return;
            }

            await Task.Delay(50, cancel);
        }

        throw new InvalidOperationException($"The gateway was not ready within {_launch.ReadyLimit.TotalSeconds} s.\n{LastWords}");
    }

    private async Task<bool> IsReadyAsync(CancellationToken cancel)
    {
        try
        {
            using var reply = await _health.GetAsync(new Uri($"{BaseUrl}/health/ready"), cancel);
            return reply.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
        catch (TaskCanceledException) when (!cancel.IsCancellationRequested)
        {
            return false;
        }
    }

    private static string FindAssembly()
    {
        if (Environment.GetEnvironmentVariable("GATEWAY_TEST_ASSEMBLY") is { Length: > 0 } named)
        {
            return File.Exists(named) ? named : throw new InvalidOperationException($"GATEWAY_TEST_ASSEMBLY names {named}, which is not there.");
        }

        var built = Repository.PathOf("src", "Gateway", "bin", Repository.Configuration, "net10.0", "gateway.dll");
        var beside = Path.Combine(AppContext.BaseDirectory, "gateway.dll");
        return File.Exists(built) ? built
            : File.Exists(beside) ? beside
            : throw new InvalidOperationException($"No built gateway: neither {built} nor {beside}. Run 'dotnet build' first.");
    }
}
