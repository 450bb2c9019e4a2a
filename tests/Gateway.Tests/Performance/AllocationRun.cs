using System.Globalization;
using System.Text.Json;
using Gateway.Benchmarks.Allocations;
using Gateway.Tests.Support;

namespace Gateway.Tests.Performance;

/// <summary>Counts allocations in a process of its own: the count is of a whole process, and other tests run in this one.</summary>
internal static class AllocationRun
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    private static readonly string Assembly = Repository.PathOf(
        "tests", "Gateway.Benchmarks", "bin", Repository.Configuration, "net10.0", "Gateway.Benchmarks.dll");

    /// <summary>Our own code alone, on one thread of the pool.</summary>
    /// <remarks>
    /// Waits are pooled by thread and by core. Where a stream's reads complete on another thread each time, a wait may be given back
    /// to one thread and wanted on another, and a new one is made: up to 40 bytes a chunk were seen on an idle machine of two cores.
    /// That depends on the scheduler; what the code itself allocates does not.
    /// </remarks>
    public static Task<AllocationFigures> OfCodeAsync(CancellationToken cancel) =>
        RunAsync(["code"], new Dictionary<string, string>
        {
            ["DOTNET_ThreadPool_ForceMinWorkerThreads"] = "1",
            ["DOTNET_ThreadPool_ForceMaxWorkerThreads"] = "1",
        }, cancel);

    /// <summary>The whole gateway, and bare YARP.</summary>
    /// <param name="connectionString">A fresh database.</param>
    public static async Task<AllocationFigures> OfGatewayAsync(string connectionString, CancellationToken cancel)
    {
        var folder = Directory.CreateTempSubdirectory("gateway-allocations-").FullName;
        try
        {
            var upstream = FreePort.Next();
            var yaml = Path.Combine(folder, "gateway.yaml");
            await File.WriteAllTextAsync(
                yaml,
                $$"""
                providers:
                  - { name: bench, baseUrl: "http://127.0.0.1:{{upstream}}/v1", apiKey: none }
                models:
                  - name: bench
                    deployments:
                      - { provider: bench }
                workspaces:
                  - name: default
                    bots:
                      - id: bench
                        model: bench
                        backstory: You are a bot of a benchmark. Today is {date}. Answer briefly.
                        parameters: { temperature: 0.2 }
                """,
                cancel);
            var settings = new Dictionary<string, string>
            {
                ["ASPNETCORE_URLS"] = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{FreePort.Next()}"),
                ["ConnectionStrings__Gateway"] = connectionString,
                ["Gateway__AdminKey"] = GatewayProcess.AdminKey,
                ["Gateway__Apply"] = yaml,
                ["Gateway__DataDirectory"] = Path.Combine(folder, "data"),
                ["Serilog__MinimumLevel__Default"] = "Warning",
            };
            string[] ports = [.. new[] { upstream, FreePort.Next() }.Select(p => p.ToString(CultureInfo.InvariantCulture))];
            return await RunAsync(["gateway", .. ports], settings, cancel);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<AllocationFigures> RunAsync(
        string[] what, Dictionary<string, string> settings, CancellationToken cancel)
    {
        // Code that is compiled again while it is counted would not allocate the same before and after.
        settings["DOTNET_TieredCompilation"] = "0";
        var result = await ChildProcess.RunAsync(
            "dotnet", [Assembly, "allocations", .. what], Limit, settings, Path.GetTempPath(), cancel);
        var json = result.Output.Split('\n').LastOrDefault(line => line.StartsWith('{'));
        Assert.True(result.ExitCode == 0 && json is not null, result.ToString());
        return JsonSerializer.Deserialize(json!, AllocationJson.Default.AllocationFigures)!;
    }
}
