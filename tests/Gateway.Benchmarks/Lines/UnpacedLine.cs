using Gateway.Benchmarks.Load;
using Gateway.Benchmarks.Results;
using Gateway.Benchmarks.Systems;
using Gateway.Benchmarks.Wrk;

namespace Gateway.Benchmarks.Lines;

/// <summary>P6: streams of 500 chunks as fast as they are taken.</summary>
internal sealed class UnpacedLine : ILine
{
    private const string ChunksPerSecond = "chunks/s";
    private const string WithoutRescue = "gateway, rescue off";

    private static readonly string[] Systems = [BenchSystem.Direct, BenchSystem.Nginx, BenchSystem.Yarp, BenchSystem.Ours];

    private sealed record Shot(string Name, BenchSystem System, WrkRun Run, long Bytes);

    public IReadOnlyList<string> Ids { get; } = ["P6"];

    public double PlannedSeconds(BenchOptions options) =>
        (Chosen(options).Count() + 1) * ((options.Rounds * (Seconds(options) + 0.5)) + WarmUp(options) + 1);

    public async Task<IReadOnlyList<LineResult>> MeasureAsync(Bench bench, CancellationToken cancel)
    {
        var result = new LineResult("P6", "Unpaced streams of 500 chunks, 32 connections");
        var run = new WrkRun(Bodies.Stream(bench, Models.Plain), Connections: 32, Seconds(bench.Options));
        result.Ran(run.Command);
        var shots = new List<Shot>();
        foreach (var system in await bench.SystemsAsync(Chosen(bench.Options), cancel))
        {
            shots.Add(await PrepareAsync(bench, system.Name, system, run, cancel));
            if (system.Name == BenchSystem.Ours)
            {
                var off = run with { BodyFile = Bodies.Stream(bench, GatewayFile.WithoutRescue) };
                shots.Add(await PrepareAsync(bench, WithoutRescue, system, off, cancel));
            }
        }

        await Turns.TakeAsync(bench, "P6", shots, async shot =>
        {
            var figures = await shot.Run.MeasureAsync(shot.System, shot.Bytes, cancel);
            var chunks = figures.RequestsPerSecond * BenchModel.DefaultChunks;
            result.Add(ChunksPerSecond, "1/s", shot.Name, chunks);
            return $"{shot.Name} {Numbers.Show(chunks, "")}";
        });

        result.TargetRatio("chunks/s ÷ bare YARP's, rescue on", Bound.AtLeast, 0.7, ChunksPerSecond, BenchSystem.Ours, BenchSystem.Yarp);
        if (result.Find(ChunksPerSecond, WithoutRescue) is { } without && result.Find(ChunksPerSecond, BenchSystem.Yarp) is { } yarp)
        {
            var ratio = Statistics.Median([.. without.Rounds.Zip(yarp.Rounds, (a, b) => a / b)]);
            result.Notes.Add($"With rescue off it is {Numbers.Show(ratio, "")} times bare YARP's.");
        }

        return [result];
    }

    private static double Seconds(BenchOptions options) => options.IsQuick ? 1 : 5;

    private static double WarmUp(BenchOptions options) => options.IsQuick ? 1 : 3;

    private static IEnumerable<string> Chosen(BenchOptions options) =>
        Systems.Where(system => !options.IsQuick || system != BenchSystem.Nginx);

    private static async Task<Shot> PrepareAsync(Bench bench, string name, BenchSystem system, WrkRun run, CancellationToken cancel)
    {
        var bytes = await Probe.StreamAsync(system, run.BodyFile, BenchModel.DefaultChunks, cancel);
        await run.WarmUpAsync(system, WarmUp(bench.Options), cancel);
        return new Shot(name, system, run, bytes);
    }
}
