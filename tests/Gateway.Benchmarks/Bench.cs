using System.Diagnostics;
using System.Globalization;
using Gateway.Benchmarks.Systems;

namespace Gateway.Benchmarks;

/// <summary>
/// What the lines measure with: the systems, started when first asked for and ended with the benchmark, one database server,
/// and a way to say how far it is.
/// </summary>
internal sealed class Bench(BenchOptions options, TextWriter output) : IAsyncDisposable
{
    private const string Migrated = "migrated";

    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly Dictionary<string, BenchSystem> _systems = [];
    private readonly List<IAsyncDisposable> _started = [];
    private PostgresServer? _postgres;
    private int _gateways;

    public BenchOptions Options => options;

    /// <summary>Runs that failed and were made again, and why; reported, since a figure without its failures would flatter.</summary>
    public List<string> Repeated { get; } = [];

    /// <summary>A line of progress.</summary>
    public void Say(string text) => output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"[{_clock.Elapsed:mm\\:ss}] {text}"));

    /// <summary>Those of the given systems that are to be measured, in that order, all running.</summary>
    public async Task<IReadOnlyList<BenchSystem>> SystemsAsync(IEnumerable<string> names, CancellationToken cancel)
    {
        var wanted = new List<BenchSystem>();
        foreach (var name in names.Where(IsWanted))
        {
            wanted.Add(await SystemAsync(name, cancel));
        }

        return wanted;
    }

    /// <summary>A system, running.</summary>
    public async Task<BenchSystem> SystemAsync(string name, CancellationToken cancel)
    {
        if (_systems.TryGetValue(name, out var known))
        {
            return known;
        }

        var upstream = name == BenchSystem.Direct ? "" : await UpstreamAsync(cancel);
        var started = name switch
        {
            BenchSystem.Direct => await OtherServers.StartUpstreamAsync(options.Work, cancel),
            BenchSystem.Nginx => await NginxServer.StartAsync(options.Work, upstream, cancel),
            BenchSystem.Yarp => await OtherServers.StartYarpAsync(options.Work, upstream, cancel),
            BenchSystem.Portkey => await OtherServers.StartPortkeyAsync(options.Work, options.Portkey!, cancel),
            BenchSystem.Ours => await StartOursAsync(cancel),
            _ => throw new ArgumentException($"there is no system '{name}'"),
        };
        if (name != BenchSystem.Ours)
        {
            _started.Add(started.Process!);
        }

        return _systems[name] = started with { Headers = OtherServers.PortkeyHeaders(upstream.Length > 0 ? upstream : started.Url) };
    }

    /// <summary>Scheme, host and port of the upstream, running.</summary>
    public async Task<string> UpstreamAsync(CancellationToken cancel) => (await SystemAsync(BenchSystem.Direct, cancel)).Url;

    /// <summary>The database server, running, with a migrated database to copy.</summary>
    public async Task<PostgresServer> PostgresAsync(CancellationToken cancel)
    {
        if (_postgres is null)
        {
            Say("Starting Postgres");
            _postgres = await PostgresServer.StartAsync(options.Work, options.Postgres, cancel);
            _started.Add(_postgres);
            await _postgres.ExecuteAsync("postgres", $"CREATE DATABASE {Migrated}", cancel);
            await GatewayServer.MigrateAsync(options.Gateway, Unpooled(_postgres.ConnectionString(Migrated)), cancel);
        }

        return _postgres;
    }

    /// <summary>Makes a database with all tables and no row; answers with its name.</summary>
    public async Task<string> CreateDatabaseAsync(CancellationToken cancel)
    {
        var postgres = await PostgresAsync(cancel);
        var name = string.Create(CultureInfo.InvariantCulture, $"bench_{++_gateways}");
        await postgres.CreateDatabaseAsync(name, Migrated, cancel);
        return name;
    }

    /// <summary>Starts another gateway. Whoever asks for one ends it; else it ends with the benchmark, as where a line failed.</summary>
    /// <param name="yaml">Null: the database has it all.</param>
    public async Task<GatewayServer> StartGatewayAsync(string name, string database, string? yaml, CancellationToken cancel)
    {
        var gateway = await GatewayServer.StartAsync(
            name, options.Work, options.Gateway, (await PostgresAsync(cancel)).ConnectionString(database), yaml, cancel);
        _started.Add(gateway);
        return gateway;
    }

    public string File(string name) => Path.Combine(options.Work, name);

    public async ValueTask DisposeAsync()
    {
        // The newest first: the gateway before its database and its upstream.
        foreach (var started in Enumerable.Reverse(_started))
        {
            await started.DisposeAsync();
        }
    }

    private bool IsWanted(string name) =>
        (options.Targets.Count == 0 || options.Targets.Contains(name)) && (name != BenchSystem.Portkey || options.Portkey is not null);

    private async Task<BenchSystem> StartOursAsync(CancellationToken cancel)
    {
        var yaml = GatewayFile.Write(await UpstreamAsync(cancel), Models.All);
        var gateway = await StartGatewayAsync(BenchSystem.Ours, await CreateDatabaseAsync(cancel), yaml, cancel);
        return new BenchSystem(BenchSystem.Ours, gateway.Url, gateway.Process) { Key = await gateway.CreateKeyAsync("bench", cancel) };
    }

    // A pooled connection that stays behind would forbid to copy the database.
    private static string Unpooled(string connectionString) => connectionString + ";Pooling=false";
}
