using System.Globalization;
using Gateway.Benchmarks.Load;
using Gateway.Benchmarks.Processes;
using Gateway.Benchmarks.Results;
using Gateway.Benchmarks.Systems;
using Gateway.Benchmarks.Wrk;

namespace Gateway.Benchmarks.Lines;

/// <summary>P5: many streams of a token every 20 ms, as models make them.</summary>
internal sealed class PacedLine : ILine
{
    private const double MostGapMilliseconds = 30;
    private const double WarmUpSeconds = 10;
    private const string Lost = "frames lost, doubled or out of order";
    private const string First = "first token, p99";
    private const string Gap = "gap, p99";
    private const string Processor = "processor time a frame";

    private static readonly int[] Counts = [128, 96, 64, 48, 32];
    private static readonly string[] Systems = [BenchSystem.Direct, BenchSystem.Yarp, BenchSystem.Ours];

    public IReadOnlyList<string> Ids { get; } = ["P5"];

    public double PlannedSeconds(BenchOptions options) =>
        (Systems.Length * options.Rounds * (Seconds(options) + 2.5)) + (options.IsQuick ? 0 : 25 + (Systems.Length * WarmUpSeconds));

    public async Task<IReadOnlyList<LineResult>> MeasureAsync(Bench bench, CancellationToken cancel)
    {
        var result = new LineResult("P5", "Streams of a token every 20 ms");
        var systems = await bench.SystemsAsync(Systems, cancel);
        var count = bench.Options.IsQuick ? Counts[^1] : await FindCountAsync(bench, result, cancel);
        var warmUp = bench.Options.IsQuick ? 0.5 : 2;
        var run = Run(bench.Options.IsQuick ? Models.PacedBriefly : Models.Paced, count, Seconds(bench.Options), warmUp);
        result.Ran(run.Command);
        result.Notes.Add($"{count} streams at a time.");
        if (!bench.Options.IsQuick)
        {
            var warm = new WrkRun(Bodies.Stream(bench, Models.Plain), Connections: 32, WarmUpSeconds);
            foreach (var system in systems)
            {
                await warm.WarmUpAsync(system, WarmUpSeconds, cancel);
            }
        }

        await Turns.TakeAsync(bench, $"P5, {count} streams", systems, async system =>
        {
            var before = ProcessFigures.ProcessorTime(system.Process!.Id);
            var figures = await run.MeasureAsync(system, cancel);
            var used = ProcessFigures.ProcessorTime(system.Process.Id) - before;
            // The warm-up's frames come at the same pace and are not counted; its processor time is.
            Add(result, system, figures, used * (run.Seconds / (run.Seconds + warmUp)));
            return $"{system.Name} first {Numbers.Show(figures.FirstChunk!.P99, "")} gap {Numbers.Show(figures.Gap!.P99, "ms")}";
        });

        result.TargetValue("frames lost, doubled or out of order", Bound.AtMost, 0, Lost, BenchSystem.Ours);
        result.TargetDifference("time to first token, p99 − direct's", Bound.AtMost, 2, First, BenchSystem.Ours, BenchSystem.Direct);
        result.TargetDifference("gap p99 − bare YARP's", Bound.AtMost, 1, Gap, BenchSystem.Ours, BenchSystem.Yarp);
        result.TargetRatio("processor time a frame ÷ bare YARP's", Bound.AtMost, 1.5, Processor, BenchSystem.Ours, BenchSystem.Yarp);
        return [result];
    }

    private static double Seconds(BenchOptions options) => options.IsQuick ? 3 : 20;

    private static GeneratorRun Run(string model, int count, double seconds, double warmUp) => new(
        "streams", model, seconds,
        string.Create(CultureInfo.InvariantCulture, $"--connections {count} --warmup {warmUp} --allow-errors"));

    /// <summary>How many streams this machine can send and read without anything in between.</summary>
    private static async Task<int> FindCountAsync(Bench bench, LineResult result, CancellationToken cancel)
    {
        var direct = await bench.SystemAsync(BenchSystem.Direct, cancel);
        foreach (var count in Counts)
        {
            var gap = (await Run(Models.Paced, count, 6, 1).MeasureAsync(direct, cancel)).Gap!.P99;
            bench.Say($"P5, {count} streams direct: gap p99 {Numbers.Show(gap, "ms")}");
            if (gap < MostGapMilliseconds)
            {
                return count;
            }
        }

        result.Notes.Add($"Not even {Counts[^1]} streams keep a gap p99 under {MostGapMilliseconds} ms without anything in between on this machine.");
        return Counts[^1];
    }

    private static void Add(LineResult result, BenchSystem system, LoadFigures figures, TimeSpan used)
    {
        if (figures.FirstChunk!.Count == 0 || figures.Gap!.Count == 0)
        {
            throw new InvalidOperationException($"{system.Name}: no stream began, the first error being {figures.FirstError}");
        }

        var wrong = figures.Lost + figures.Doubled + figures.Reordered + figures.Errors;
        result.Add(Lost, "", system.Name, wrong!.Value);
        result.Add(First, "ms", system.Name, figures.FirstChunk.P99);
        result.Add("first token, p50", "ms", system.Name, figures.FirstChunk.P50);
        result.Add(Gap, "ms", system.Name, figures.Gap.P99);
        if (system.Name != BenchSystem.Direct)
        {
            result.Add(Processor, "µs", system.Name, used.TotalMicroseconds / figures.Chunks!.Value);
        }
    }
}
