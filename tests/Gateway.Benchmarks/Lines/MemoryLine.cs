using Gateway.Benchmarks.Processes;
using Gateway.Benchmarks.Results;
using Gateway.Benchmarks.Systems;
using Gateway.Benchmarks.Wrk;

namespace Gateway.Benchmarks.Lines;

/// <summary>P9: resident memory when nothing happens, under many large requests at once, and a minute later.</summary>
internal sealed class MemoryLine : ILine
{
    private const int HoldSeconds = 8;
    private const string Idle = "idle";
    private const string Holding = "with 1,500 × 150 kB in flight";
    private const string Later = "60 s later";
    private const int MostRounds = 3;

    public IReadOnlyList<string> Ids { get; } = ["P9"];

    public double PlannedSeconds(BenchOptions options) => Math.Min(options.Rounds, MostRounds) * 95;

    public async Task<IReadOnlyList<LineResult>> MeasureAsync(Bench bench, CancellationToken cancel)
    {
        var result = new LineResult("P9", "Resident memory");
        result.Notes.Add($"A gateway of its own for each of {Math.Min(bench.Options.Rounds, MostRounds)} rounds, warmed up with P1's requests.");
        await Turns.TakeAsync(bench, "P9", [BenchSystem.Ours], async _ =>
        {
            try
            {
                return await MeasureRoundAsync(bench, result, isLimited: true, cancel);
            }
            catch (InvalidOperationException refused)
            {
                // What they weigh can be told all the same.
                bench.Say($"P9, with a key without limits, since: {refused.Message}");
                result.Notes.Add("In a round the requests of the limited key were not all taken at once; it was measured with one without limits.");
                return await MeasureRoundAsync(bench, result, isLimited: false, cancel);
            }
        }, MostRounds);

        result.TargetValue("resident memory, idle", Bound.AtMost, 150, Idle, BenchSystem.Ours);
        result.TargetValue("resident memory, 1,500 × 150 kB in flight", Bound.AtMost, 700, Holding, BenchSystem.Ours);
        if (result.Find(Later, BenchSystem.Ours) is { } later && result.Find(Idle, BenchSystem.Ours) is { } idle)
        {
            List<double> ratios = [.. later.Rounds.Zip(idle.Rounds, (a, b) => a / b)];
            result.Targets.Add(new Target("resident memory 60 s later ÷ idle", "", Bound.AtMost, 2, ratios, Statistics.Median(ratios)));
        }

        return [result];
    }

    private static async Task<string> MeasureRoundAsync(Bench bench, LineResult result, bool isLimited, CancellationToken cancel)
    {
        var upstream = await bench.UpstreamAsync(cancel);
        await using var gateway = await bench.StartGatewayAsync(
            "memory", await bench.CreateDatabaseAsync(cancel), GatewayFile.Write(upstream, Models.All), cancel);
        var system = new BenchSystem(BenchSystem.Ours, gateway.Url, gateway.Process)
        {
            Key = await (isLimited ? gateway.CreateKeyAsync("bench", cancel) : gateway.CreateUnlimitedKeyAsync("bench", cancel)),
        };
        await new WrkRun(Bodies.Plain(bench), Connections: 32, Seconds: 4).WarmUpAsync(system, seconds: 4, cancel);
        await Task.Delay(TimeSpan.FromSeconds(10), cancel);
        var idle = ProcessFigures.ResidentMebibytes(gateway.Process.Id);

        var run = new GeneratorRun("hold", Models.Held, HoldSeconds, $"--connections 1500 --body-bytes 150000 --upstream {upstream}");
        result.Ran(run.Command.Replace(upstream, "UPSTREAM", StringComparison.Ordinal));
        var most = 0.0;
        var holding = run.MeasureAsync(system, cancel);
        while (!holding.IsCompleted)
        {
            most = Math.Max(most, ProcessFigures.ResidentMebibytes(gateway.Process.Id));
            await Task.Delay(100, cancel);
        }

        await holding;
        await Task.Delay(TimeSpan.FromSeconds(60), cancel);
        var later = ProcessFigures.ResidentMebibytes(gateway.Process.Id);
        result.Add(Idle, "MiB", BenchSystem.Ours, idle);
        result.Add(Holding, "MiB", BenchSystem.Ours, most);
        result.Add(Later, "MiB", BenchSystem.Ours, later);
        return $"idle {Numbers.Show(idle, "MiB")}, in flight {Numbers.Show(most, "MiB")}, later {Numbers.Show(later, "MiB")}";
    }
}
