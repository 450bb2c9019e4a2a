using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Gateway.Upstream;

namespace Gateway.Benchmarks.Allocations;

/// <summary>The gateway as it is run, with a database, in this process, so that what it allocates can be counted; and bare YARP.</summary>
internal static class GatewayAllocations
{
    private const int Chunks = 2_000;
    private const int Requests = 1_000;
    private const int Rounds = 4;
    private const int ChunksOfTurn = 10;

    /// <param name="upstreamPort">Where the gateway expects its provider.</param>
    public static async Task<AllocationFigures> CountAsync(int upstreamPort, int yarpPort)
    {
        using var upstream = new LockstepUpstream();
        upstream.Start(upstreamPort);
        using var transport = BareYarp.Transport();
        await using var yarp = BareYarp.Build($"http://127.0.0.1:{yarpPort}", $"http://127.0.0.1:{upstreamPort}", transport);
        await yarp.StartAsync();
        var gateway = new Uri(Setting("ASPNETCORE_URLS"));
        StartGateway();
        var key = await MakeKeyAsync(gateway);

        using var throughYarp = new LockstepCaller(upstream, new Uri($"http://127.0.0.1:{yarpPort}"), "none");
        using var throughGateway = new LockstepCaller(upstream, gateway, key);
        return new AllocationFigures
        {
            YarpPerChunk = await PerChunkAsync(throughYarp),
            GatewayPerChunk = await PerChunkAsync(throughGateway),
            YarpPerRequest = await PerRequestAsync(throughYarp),
            GatewayPerRequest = await PerRequestAsync(throughGateway),
            YarpPerStream = await PerStreamAsync(throughYarp),
            GatewayPerStream = await PerStreamAsync(throughGateway),
            GatewayPerTurn = await AllocationMeter.PerUnitAsync(Requests, Rounds, turns => Run(() => throughGateway.Turn(turns, ChunksOfTurn))),
        };
    }

    private static Task<double> PerChunkAsync(LockstepCaller caller) =>
        AllocationMeter.PerUnitAsync(Chunks, Rounds, chunks => Run(() => caller.Stream(1, chunks)));

    private static Task<double> PerRequestAsync(LockstepCaller caller) =>
        AllocationMeter.PerUnitAsync(Requests, Rounds, requests => Run(() => caller.Send(requests)));

    private static Task<double> PerStreamAsync(LockstepCaller caller) =>
        AllocationMeter.PerUnitAsync(Requests, Rounds, streams => Run(() => caller.Stream(streams, 1)));

    private static Task Run(Action run)
    {
        run();
        return Task.CompletedTask;
    }

    /// <summary>Its own entry point, which returns when the process ends.</summary>
    private static void StartGateway() => new Thread(() =>
    {
        var result = typeof(Transport).Assembly.EntryPoint!.Invoke(null, [Array.Empty<string>()]);
        Environment.Exit(result is int and not 0 ? (int)result : 1);
    })
    { IsBackground = true }.Start();

    private static async Task<string> MakeKeyAsync(Uri gateway)
    {
        using var http = new HttpClient { BaseAddress = gateway };
        http.DefaultRequestHeaders.Authorization = new("Bearer", Setting("Gateway__AdminKey"));
        while (!await IsReadyAsync(http))
        {
            await Task.Delay(50);
        }

        using var made = await http.PostAsJsonAsync("/admin/v1/keys", new JsonObject { ["workspace"] = "default", ["name"] = "bench" });
        made.EnsureSuccessStatusCode();
        return (await made.Content.ReadFromJsonAsync<JsonObject>())!["key"]!.GetValue<string>();
    }

    private static async Task<bool> IsReadyAsync(HttpClient http)
    {
        try
        {
            using var reply = await http.GetAsync(new Uri("/health/ready", UriKind.Relative));
            return reply.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private static string Setting(string name) =>
        Environment.GetEnvironmentVariable(name) ?? throw new InvalidOperationException($"{name} is not set.");
}
