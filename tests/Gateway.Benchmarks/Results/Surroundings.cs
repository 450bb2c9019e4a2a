using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.RegularExpressions;
using Gateway.Benchmarks.Processes;

namespace Gateway.Benchmarks.Results;

/// <summary>Where and with what was measured.</summary>
internal sealed record Surroundings(
    DateTimeOffset Date, string Processor, int Cores, double MemoryGibibytes, string System, IReadOnlyDictionary<string, string> Versions)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    /// <param name="postgres">The folder of the server's programs.</param>
    /// <param name="portkey">The folder with Portkey's packages; null: it is not measured.</param>
    public static async Task<Surroundings> ReadAsync(string postgres, string? portkey, CancellationToken cancel)
    {
        var versions = new Dictionary<string, string>
        {
            [".NET"] = Environment.Version.ToString(),
            ["YARP"] = typeof(Yarp.ReverseProxy.Forwarder.IHttpForwarder).Assembly.GetName().Version!.ToString(3),
            ["Postgres"] = await VersionAsync([Path.Combine(postgres, "postgres"), "--version"], cancel),
            ["nginx"] = await VersionAsync(["sh", "-c", "nginx -v 2>&1"], cancel),
            // wrk says its version with its usage, and that is a failure.
            ["wrk"] = await VersionAsync(["sh", "-c", "wrk --version 2>&1 || true"], cancel),
        };
        if (portkey is not null)
        {
            versions["Node.js"] = await VersionAsync(["node", "--version"], cancel);
            var package = Path.Combine(portkey, "node_modules", "@portkey-ai", "gateway", "package.json");
            using var json = JsonDocument.Parse(await File.ReadAllTextAsync(package, cancel));
            versions["Portkey"] = json.RootElement.GetProperty("version").GetString()!;
        }

        return new Surroundings(
            DateTimeOffset.UtcNow, ReadProcessor(), Environment.ProcessorCount,
            GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (1024.0 * 1024 * 1024),
            RuntimeInformation.OSDescription, versions);
    }

    private static string ReadProcessor() =>
        File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal)) is { } line
            ? line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim()
            : RuntimeInformation.ProcessArchitecture.ToString();

    private static async Task<string> VersionAsync(IReadOnlyList<string> command, CancellationToken cancel)
    {
        var found = Regex.Match(await OwnProcess.RunAsync(command, Limit, cancel), @"\d+(\.\d+)+");
        return found.Success ? found.Value : "unknown";
    }
}
