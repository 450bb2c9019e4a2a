using Gateway.Benchmarks.Results;
using Gateway.Benchmarks.Systems;

namespace Gateway.Benchmarks.Lines;

/// <summary>P2: one plain request after the other, and what each system adds to the time that the upstream takes.</summary>
internal sealed class SingleLine : ILine
{
    private static readonly string[] Systems = [BenchSystem.Direct, BenchSystem.Nginx, BenchSystem.Yarp, BenchSystem.Ours];

    public IReadOnlyList<string> Ids { get; } = ["P2"];

    public double PlannedSeconds(BenchOptions options) => Chosen(options).Count() * options.Rounds * (Seconds(options) + 1.2);

    public async Task<IReadOnlyList<LineResult>> MeasureAsync(Bench bench, CancellationToken cancel)
    {
        var result = new LineResult("P2", "Added time of a plain request, 1 connection");
        var run = new GeneratorRun("requests", Models.Plain, Seconds(bench.Options), $"--connections 1 --warmup {(bench.Options.IsQuick ? "0.5" : "1")}");
        result.Ran(run.Command);
        var systems = await bench.SystemsAsync(Chosen(bench.Options), cancel);
        await Turns.TakeAsync(bench, "P2", systems, async system =>
        {
            var latency = (await run.MeasureAsync(system, cancel)).Latency!;
            result.Add("p50", "ms", system.Name, latency.P50);
            result.Add("p99", "ms", system.Name, latency.P99);
            return $"{system.Name} {Numbers.Show(latency.P50, "")} / {Numbers.Show(latency.P99, "ms")}";
        });

        foreach (var figure in new[] { "p50", "p99" })
        {
            Add(result, figure, BenchSystem.Nginx);
            Add(result, figure, BenchSystem.Yarp);
            Add(result, figure, BenchSystem.Ours);
            result.TargetRatio(
                $"added {figure} ÷ bare YARP's", Bound.AtMost, 1, $"added {figure}", BenchSystem.Ours, BenchSystem.Yarp);
        }

        return [result];
    }

    private static double Seconds(BenchOptions options) => options.IsQuick ? 1.5 : 5;

    private static IEnumerable<string> Chosen(BenchOptions options) =>
        Systems.Where(system => !options.IsQuick || system != BenchSystem.Nginx);

    private static void Add(LineResult result, string figure, string system)
    {
        if (result.Find(figure, system) is { } through && result.Find(figure, BenchSystem.Direct) is { } direct)
        {
            foreach (var added in through.Rounds.Zip(direct.Rounds, (a, b) => a - b))
            {
                result.Add($"added {figure}", "ms", system, added);
            }
        }
    }
}
