using Gateway.Benchmarks.Processes;
using Gateway.Benchmarks.Results;
using Gateway.Benchmarks.Systems;
using Gateway.Benchmarks.Wrk;

namespace Gateway.Benchmarks.Lines;

/// <summary>P1 and P3: plain requests over 32 connections, and the processor time that one takes in the system between.</summary>
internal sealed class PlainLine : ILine
{
    public const string RequestsPerSecond = "requests/s";
    private const string Processor = "processor time a request";

    /// <summary>What a system does after the last reply, such as sending usage on, belongs to its requests.</summary>
    private static readonly TimeSpan Aftermath = TimeSpan.FromSeconds(1);

    private static readonly string[] Systems =
        [BenchSystem.Direct, BenchSystem.Nginx, BenchSystem.Yarp, BenchSystem.Ours, BenchSystem.Portkey];

    public IReadOnlyList<string> Ids { get; } = ["P1", "P3"];

    public double PlannedSeconds(BenchOptions options) =>
        Chosen(options).Count() * ((options.Rounds * (Seconds(options) + (options.IsQuick ? 0.2 : 1.2))) + WarmUp(options) + 0.5);

    public async Task<IReadOnlyList<LineResult>> MeasureAsync(Bench bench, CancellationToken cancel)
    {
        var speed = new LineResult("P1", "Plain requests, 32 connections");
        var processor = new LineResult("P3", "Processor time of a plain request");
        var run = new WrkRun(Bodies.Plain(bench), Connections: 32, Seconds(bench.Options));
        speed.Ran(run.Command);
        processor.Notes.Add("Of the runs of P1, user and system time of the process, and of a second after them.");

        var systems = new List<(BenchSystem System, long Bytes)>();
        foreach (var system in await bench.SystemsAsync(Chosen(bench.Options), cancel))
        {
            systems.Add((system, await Probe.PlainAsync(system, run.BodyFile, cancel)));
            await run.WarmUpAsync(system, WarmUp(bench.Options), cancel);
        }

        await Turns.TakeAsync(bench, "P1", systems, async on =>
        {
            var process = on.System.Process!.Id;
            var before = ProcessFigures.ProcessorTime(process);
            var figures = await run.MeasureAsync(on.System, on.Bytes, cancel);
            speed.Add(RequestsPerSecond, "1/s", on.System.Name, figures.RequestsPerSecond);
            speed.Add("p99", "ms", on.System.Name, figures.P99);
            if (on.System.Name != BenchSystem.Direct && !bench.Options.IsQuick)
            {
                await Task.Delay(Aftermath, cancel);
                var used = ProcessFigures.ProcessorTime(process) - before;
                processor.Add(Processor, "µs", on.System.Name, used.TotalMicroseconds / figures.Requests);
            }

            return $"{on.System.Name} {Numbers.Show(figures.RequestsPerSecond, "")}";
        });

        speed.TargetRatio("requests/s ÷ bare YARP's", Bound.AtLeast, 1.10, RequestsPerSecond, BenchSystem.Ours, BenchSystem.Yarp);
        speed.TargetRatio("requests/s ÷ nginx's", Bound.AtLeast, 0.75, RequestsPerSecond, BenchSystem.Ours, BenchSystem.Nginx);
        speed.TargetRatio("requests/s ÷ Portkey's", Bound.AtLeast, 20, RequestsPerSecond, BenchSystem.Ours, BenchSystem.Portkey);
        processor.TargetRatio(
            "processor time a request ÷ bare YARP's", Bound.AtMost, 1, Processor, BenchSystem.Ours, BenchSystem.Yarp);
        return [speed, processor];
    }

    private static double Seconds(BenchOptions options) => options.IsQuick ? 2 : 6;

    private static double WarmUp(BenchOptions options) => options.IsQuick ? 1 : 15;

    private static IEnumerable<string> Chosen(BenchOptions options) =>
        Systems.Where(system => options.Portkey is not null || system != BenchSystem.Portkey);
}
