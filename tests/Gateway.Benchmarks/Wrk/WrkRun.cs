using System.Globalization;
using Gateway.Benchmarks.Processes;
using Gateway.Benchmarks.Systems;

namespace Gateway.Benchmarks.Wrk;

/// <summary>What one run of wrk measured.</summary>
/// <param name="P50">Milliseconds.</param>
/// <param name="P99">Milliseconds.</param>
internal sealed record WrkFigures(long Requests, double RequestsPerSecond, double P50, double P99);

/// <summary>wrk sends one request over and over, as fast as it is answered.</summary>
/// <param name="BodyFile">The body of the request.</param>
/// <param name="Connections">As many requests are in flight at a time.</param>
internal sealed record WrkRun(string BodyFile, int Connections, double Seconds)
{
    public const string Path = "/v1/chat/completions";

    public string Command =>
        $"wrk -t 1 -c {Connections} -d {Duration} --timeout 10s -s Wrk/request.lua SYSTEM{Path}  # BENCH_BODY={System.IO.Path.GetFileName(BodyFile)}";

    private string Duration => string.Create(CultureInfo.InvariantCulture, $"{Math.Max(1, Math.Round(Seconds)):F0}s");

    /// <summary>The same for some seconds, of which nothing is kept, refusals of a system that is not warm yet among it.</summary>
    public async Task WarmUpAsync(BenchSystem system, double seconds, CancellationToken cancel) =>
        await (this with { Seconds = seconds }).RunAsync(system, cancel);

    /// <param name="replyBytes">What each reply must have at least: a run with less, or with an error, measures nothing.</param>
    /// <exception cref="InvalidOperationException">A reply failed or was not whole.</exception>
    public async Task<WrkFigures> MeasureAsync(BenchSystem system, long replyBytes, CancellationToken cancel)
    {
        var output = await RunAsync(system, cancel);
        var line = output.Split('\n').Single(l => l.StartsWith("RESULT ", StringComparison.Ordinal));
        var numbers = line.Split(' ').Skip(1).Select(n => long.Parse(n, CultureInfo.InvariantCulture)).ToList();
        var (requests, microseconds, bytes, errors) = (numbers[0], numbers[1], numbers[2], numbers[3]);
        if (errors > 0 || requests == 0 || bytes < requests * replyBytes)
        {
            throw new InvalidOperationException(
                $"{system.Name}: {errors} errors, {requests} replies, {bytes} bytes where {replyBytes} each were due.\n{output}");
        }

        return new WrkFigures(requests, requests * 1_000_000.0 / microseconds, numbers[4] / 1000.0, numbers[5] / 1000.0);
    }

    private Task<string> RunAsync(BenchSystem system, CancellationToken cancel)
    {
        var settings = new Dictionary<string, string>
        {
            ["BENCH_BODY"] = BodyFile,
            ["BENCH_HEADERS"] = string.Join('\n', system.Headers.Prepend($"Authorization: Bearer {system.Key}")),
        };
        string[] command =
        [
            "wrk", "-t", "1", "-c", Connections.ToString(CultureInfo.InvariantCulture), "-d", Duration, "--timeout", "10s",
            "-s", System.IO.Path.Combine(AppContext.BaseDirectory, "Wrk", "request.lua"), system.Url + Path,
        ];
        return OwnProcess.RunAsync(command, TimeSpan.FromSeconds(Seconds + 60), cancel, settings);
    }
}
