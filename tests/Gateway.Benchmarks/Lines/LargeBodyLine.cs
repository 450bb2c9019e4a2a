using Gateway.Benchmarks.Results;
using Gateway.Benchmarks.Systems;

namespace Gateway.Benchmarks.Lines;

/// <summary>P4: large bodies, and what a very large one does to small requests beside it.</summary>
internal sealed class LargeBodyLine : ILine
{
    private const int SmallPerSecond = 200;
    private const string Alone = "small requests alone, p99";
    private const string Beside = "small requests beside 20 MB, p99";

    private static readonly string[] Systems = [BenchSystem.Direct, BenchSystem.Nginx, BenchSystem.Yarp, BenchSystem.Ours];
    private static readonly string[] SystemsBeside = [BenchSystem.Direct, BenchSystem.Yarp, BenchSystem.Ours];

    public IReadOnlyList<string> Ids { get; } = ["P4"];

    public double PlannedSeconds(BenchOptions options) =>
        options.Rounds * ((Systems.Length * 6.5) + (SystemsBeside.Length * 2 * 8));

    public async Task<IReadOnlyList<LineResult>> MeasureAsync(Bench bench, CancellationToken cancel)
    {
        var result = new LineResult("P4", "1 MB bodies with 100 kB replies; a 20 MB body beside small requests");
        result.Notes.Add(
            $"Beside the small requests, {SmallPerSecond} a second whatever happens, goes one of 20 MB each second; "
            + "a time counts from when its request was due.");
        await MeasureLargeAsync(bench, result, cancel);
        await MeasureBesideAsync(bench, result, cancel);
        result.TargetRatio("requests/s of 1 MB ÷ bare YARP's", Bound.AtLeast, 0.9, PlainLine.RequestsPerSecond, BenchSystem.Ours, BenchSystem.Yarp);
        result.TargetDifference("p99 of small requests beside 20 MB − alone", Bound.AtMost, 5, Beside, BenchSystem.Ours, BenchSystem.Ours, Alone);
        result.TargetDifference("p99 of small requests beside 20 MB − bare YARP's", Bound.AtMost, 5, Beside, BenchSystem.Ours, BenchSystem.Yarp);
        return [result];
    }

    private static async Task MeasureLargeAsync(Bench bench, LineResult result, CancellationToken cancel)
    {
        var run = new GeneratorRun("requests", Models.LongReply, 5, "--connections 8 --body-bytes 1000000 --warmup 1");
        result.Ran(run.Command);
        await Turns.TakeAsync(bench, "P4, 1 MB", await bench.SystemsAsync(Systems, cancel), async system =>
        {
            var figures = await run.MeasureAsync(system, cancel);
            result.Add(PlainLine.RequestsPerSecond, "1/s", system.Name, figures.RequestsPerSecond!.Value);
            return $"{system.Name} {Numbers.Show(figures.RequestsPerSecond!.Value, "")}";
        });
    }

    private static async Task MeasureBesideAsync(Bench bench, LineResult result, CancellationToken cancel)
    {
        var small = new GeneratorRun("rate", Models.Plain, 6, $"--rate {SmallPerSecond} --connections 16 --warmup 1");
        var large = new GeneratorRun("rate", Models.Plain, 6, "--rate 1 --connections 1 --body-bytes 20000000 --warmup 1");
        result.Ran(small.Command);
        result.Ran(large.Command);
        await Turns.TakeAsync(bench, "P4, 20 MB beside", await bench.SystemsAsync(SystemsBeside, cancel), async system =>
        {
            var alone = await small.MeasureAsync(system, cancel);
            var bodies = large.MeasureAsync(system, cancel);
            var beside = await small.MeasureAsync(system, cancel);
            await bodies;
            result.Add(Alone, "ms", system.Name, alone.Latency!.P99);
            result.Add(Beside, "ms", system.Name, beside.Latency!.P99);
            return $"{system.Name} {Numbers.Show(alone.Latency.P99, "")} → {Numbers.Show(beside.Latency.P99, "ms")}";
        });
    }
}
