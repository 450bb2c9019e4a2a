using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Gateway.Benchmarks.Processes;

namespace Gateway.Benchmarks.Systems;

/// <summary>A published gateway as an operator runs it: <c>gateway serve</c> with an external Postgres and a YAML file.</summary>
internal sealed class GatewayServer : IAsyncDisposable
{
    private const string AdminKey = "sk-gw-admin-of-the-benchmark-0123456789";

    /// <summary>Of gateways that share a database; nothing else is sealed with it.</summary>
    private static readonly string EncryptionKey = Convert.ToBase64String(new byte[32]);

    private readonly HttpClient _client;

    private GatewayServer(string url, OwnProcess process)
    {
        Url = url;
        Process = process;
        _client = new HttpClient(new SocketsHttpHandler { UseProxy = false })
        {
            BaseAddress = new Uri(url),
            Timeout = TimeSpan.FromSeconds(60),
            DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", AdminKey) },
        };
    }

    public string Url { get; }

    public OwnProcess Process { get; }

    /// <summary>From the launch to the first 200 of <c>/health/ready</c>.</summary>
    public TimeSpan TimeToReady { get; private init; }

    /// <param name="name">Names its log and its data directory.</param>
    /// <param name="program">The published program.</param>
    /// <param name="yaml">Applied at the start; null: nothing is, as when the database has it all.</param>
    public static async Task<GatewayServer> StartAsync(
        string name, string folder, string program, string connectionString, string? yaml, CancellationToken cancel)
    {
        var url = $"http://127.0.0.1:{FreePort.Next()}";
        var settings = Settings(connectionString);
        settings["ASPNETCORE_URLS"] = url;
        settings["Gateway__DataDirectory"] = Path.Combine(folder, $"{name}-data");
        if (yaml is not null)
        {
            var file = Path.Combine(folder, $"{name}.yaml");
            await File.WriteAllTextAsync(file, yaml, cancel);
            settings["Gateway__Apply"] = file;
        }

        var clock = Stopwatch.StartNew();
        var process = OwnProcess.Start(name, folder, [program, "serve"], settings);
        try
        {
            await UntilUp.AnswersAsync(process, $"{url}/health/ready", mustSucceed: true, cancel, pauseMilliseconds: 10);
            return new GatewayServer(url, process) { TimeToReady = clock.Elapsed };
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    /// <summary>Brings a database to the gateway's tables.</summary>
    public static Task MigrateAsync(string program, string connectionString, CancellationToken cancel) =>
        OwnProcess.RunAsync([program, "migrate"], TimeSpan.FromMinutes(2), cancel, Settings(connectionString));

    /// <summary>
    /// Makes a key that is limited in everything and never comes near a limit, unless <paramref name="requestsPerMinute"/> says so.
    /// </summary>
    public async Task<string> CreateKeyAsync(string name, CancellationToken cancel, int requestsPerMinute = 100_000_000)
    {
        var made = await SendAsync(HttpMethod.Post, "/admin/v1/keys", new JsonObject
        {
            ["workspace"] = "default",
            ["name"] = name,
            ["rpm"] = requestsPerMinute,
            ["tpm"] = 1_000_000_000,
            ["concurrent"] = 100_000,
            ["budget"] = new JsonObject { ["usd"] = 1_000_000, ["per"] = "day" },
        }, cancel);
        return made["key"]!.GetValue<string>();
    }

    /// <summary>Makes a key without any limit.</summary>
    public async Task<string> CreateUnlimitedKeyAsync(string name, CancellationToken cancel)
    {
        var made = await SendAsync(
            HttpMethod.Post, "/admin/v1/keys", new JsonObject { ["workspace"] = "default", ["name"] = name }, cancel);
        return made["key"]!.GetValue<string>();
    }

    /// <summary>Asks the management API with the global admin key.</summary>
    /// <exception cref="InvalidOperationException">It answered anything but a 2xx; holds the answer.</exception>
    public async Task<JsonNode> SendAsync(HttpMethod method, string path, JsonNode? body, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) };
        using var reply = await _client.SendAsync(request, cancel);
        var text = await reply.Content.ReadAsStringAsync(cancel);
        return reply.IsSuccessStatusCode
            ? JsonNode.Parse(text)!
            : throw new InvalidOperationException($"{method} {path} answered {(int)reply.StatusCode}: {text}\n{Process.LastWords}");
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await Process.DisposeAsync();
    }

    private static Dictionary<string, string> Settings(string connectionString) => new()
    {
        ["ConnectionStrings__Gateway"] = connectionString,
        ["Gateway__AdminKey"] = AdminKey,
        ["Gateway__EncryptionKey"] = EncryptionKey,
        ["Gateway__ShutdownDelay"] = "00:00:00",
        ["Gateway__DrainTimeout"] = "00:00:05",
        // A line for each request is off here, as it is for the others.
        ["Serilog__MinimumLevel__Default"] = "Warning",
    };
}
