using System.Collections.Concurrent;
using System.Diagnostics;
using Gateway.Data;
using Gateway.Tests.Support;
using Microsoft.EntityFrameworkCore;

namespace Gateway.Tests.Verify;

/// <summary>
/// What the long runs stand on: a counting upstream, real gateways that share a database which can be taken away, and
/// callers of several workspaces who take turns between the gateways.
/// </summary>
internal sealed class Bench : IAsyncDisposable
{
    public const string ProviderKey = "sk-provider-of-the-bench";
    private static readonly string[] Workspaces = ["north", "south", "east"];

    private const string WarmUp = "warm-up-";
    private const int MostTries = 100;

    private readonly string _database;
    private readonly List<HttpClient> _clients = [];
    private int _next;

    private Bench(string database, DatabaseRelay relay, CountingUpstream upstream) =>
        (_database, Relay, Upstream) = (database, relay, upstream);

    public DatabaseRelay Relay { get; }

    public CountingUpstream Upstream { get; }

    public List<GatewayProcess> Gateways { get; } = [];

    /// <summary>One for each caller.</summary>
    public List<string> Keys { get; } = [];

    /// <param name="keepsServings">See <see cref="CountingUpstream.StartAsync"/>.</param>
    public static async Task<Bench> StartAsync(
        TestPostgres postgres, int gateways, int callers, CancellationToken cancel, bool keepsServings = true,
        Action<string>? onLine = null)
    {
        var database = await postgres.CreateDatabaseAsync(cancel: cancel);
        var bench = new Bench(database, new DatabaseRelay(database), await CountingUpstream.StartAsync(keepsServings));
        try
        {
            for (var i = 0; i < gateways; i++)
            {
                bench.Gateways.Add(await GatewayProcess.StartAsync(bench.Launch(onLine), cancel));
                // Connections are not limited: each caller has its own, as they have in life.
                bench._clients.Add(bench.Gateways[i].Client(null));
            }

            for (var i = 0; i < callers; i++)
            {
                var made = await bench.Gateways[0].CreateKeyAsync(Workspaces[i % Workspaces.Length], name: $"caller {i}", cancel: cancel);
                bench.Keys.Add(made.Text);
            }

            await bench.WarmUpAsync(cancel);
            return bench;
        }
        catch
        {
            await bench.DisposeAsync();
            throw;
        }
    }

    /// <summary>Sends calls at their times, each to the next gateway in turn; ends when all have ended.</summary>
    public async Task<IReadOnlyList<Outcome>> RunAsync(IReadOnlyList<Call> calls, CancellationToken cancel)
    {
        var outcomes = new ConcurrentBag<Outcome>();
        var clock = Stopwatch.StartNew();
        // Each caller has one request at a time, and is late when that takes longer than until its next.
        await Task.WhenAll(calls.GroupBy(call => call.Key).Select(async callersCalls =>
        {
            foreach (var call in callersCalls)
            {
                if (call.At - clock.Elapsed is { Ticks: > 0 } early)
                {
                    await Task.Delay(early, cancel);
                }

                outcomes.Add(await SendAsync(call, cancel));
            }
        }));
        return [.. outcomes];
    }

    /// <summary>
    /// Sends a call to the next gateway in turn. Where there is no connection nothing was sent, and the one after is tried, as
    /// any balancer does; else it is sent once, whatever comes of it.
    /// </summary>
    public async Task<Outcome> SendAsync(Call call, CancellationToken cancel)
    {
        var turn = (uint)Interlocked.Increment(ref _next);
        var outcome = await SendAsync(call, turn, cancel);
        return outcome.Seen == Seen.NotConnected && _clients.Count > 1 ? await SendAsync(call, turn + 1, cancel) : outcome;
    }

    /// <summary>The usage rows of all but the warming up, past the relay.</summary>
    public async Task<IReadOnlyList<UsageRow>> RowsAsync(CancellationToken cancel)
    {
        await using var db = OpenDb();
        return await db.Usage.AsNoTracking().Where(row => !row.RequestId.StartsWith(WarmUp)).ToListAsync(cancel);
    }

    private Task<Outcome> SendAsync(Call call, uint turn, CancellationToken cancel)
    {
        var gateway = (int)(turn % (uint)_clients.Count);
        return Outcome.OfAsync(_clients[gateway], gateway, call, cancel);
    }

    /// <summary>Until every gateway knows the bot of every workspace, which it may read for 250 ms and no longer.</summary>
    private async Task WarmUpAsync(CancellationToken cancel)
    {
        var tries = 0;
        foreach (var (gateway, client) in _clients.Index())
        {
            foreach (var key in Keys.Take(Workspaces.Length))
            {
                Outcome outcome;
                do
                {
                    var script = new Script($"{WarmUp}{tries}", 1, 0);
                    outcome = await Outcome.OfAsync(
                        client, gateway, new Call(script, Door.Bot, false, $"bot/id={Calls.Bot}", key, TimeSpan.Zero, null), cancel);
                }
                while (outcome.Seen != Seen.Whole && tries++ < MostTries);
            }
        }

        Upstream.Forget();
    }

    /// <summary>The database, past the relay.</summary>
    public GatewayDb OpenDb() => new(new DbContextOptionsBuilder<GatewayDb>().UseNpgsql(_database).Options);

    public async ValueTask DisposeAsync()
    {
        _clients.ForEach(client => client.Dispose());
        foreach (var gateway in Gateways)
        {
            await gateway.DisposeAsync();
        }

        await Upstream.DisposeAsync();
        await Relay.DisposeAsync();
    }

    private GatewayLaunch Launch(Action<string>? onLine) => new()
    {
        ConnectionString = Relay.ConnectionString,
        Yaml = Yaml(Upstream.BaseUrl),
        Settings = new Dictionary<string, string>
        {
            ["Gateway__EncryptionKey"] = Convert.ToBase64String(new byte[32]),
            // As an operator runs it: the long runs measure.
            ["DOTNET_TieredPGO"] = "1",
        },
        // One that starts while the database is away waits for it.
        ReadyLimit = TimeSpan.FromMinutes(3),
        OnLine = onLine,
    };

    private static string Yaml(string baseUrl)
    {
        // One of them is limited, by far more than it needs: its requests take leases.
        var workspaces = string.Join('\n', Workspaces.Select((name, i) =>
            $"  - {{ name: {name}{(i == 0 ? ", limits: { rpm: 1000000, tpm: 1000000000, budget: 100000usd/day }" : "")}, bots: [ {{ id: {Calls.Bot}, name: Helper, model: {Calls.Plain}, backstory: Be brief. }} ] }}"));
        return $$"""
            providers:
              - { name: first, baseUrl: "{{baseUrl}}", apiKey: "{{ProviderKey}}" }
              - { name: second, baseUrl: "{{baseUrl}}", apiKey: "{{ProviderKey}}" }
            models:
              - { name: {{Calls.Plain}}, deployments: [ { provider: first, model: m } ], price: { input: 2, output: 8 } }
              - name: {{Calls.Rescued}}
                deployments: [ { provider: first, model: m }, { provider: second, model: m, supportsPrefill: true } ]
                rescue: prefill
                price: { input: 2, output: 8 }
            workspaces:
            {{workspaces}}
            """;
    }
}
