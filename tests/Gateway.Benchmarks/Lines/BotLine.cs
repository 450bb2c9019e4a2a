using Gateway.Benchmarks.Results;
using Gateway.Benchmarks.Systems;
using Gateway.Benchmarks.Wrk;

namespace Gateway.Benchmarks.Lines;

/// <summary>P7: a bot with a backstory and the caller's tools, against a plain model of the same gateway.</summary>
internal sealed class BotLine : ILine
{
    private const int Seconds = 6;
    private const string Model = "model/name=";
    private const string Bot = "bot/id=";

    public IReadOnlyList<string> Ids { get; } = ["P7"];

    public double PlannedSeconds(BenchOptions options) => 2 * ((options.Rounds * (Seconds + 0.5)) + 13);

    public async Task<IReadOnlyList<LineResult>> MeasureAsync(Bench bench, CancellationToken cancel)
    {
        var result = new LineResult("P7", "A bot with backstory and the caller's tools, 32 connections");
        result.Notes.Add("A bot's step is a stream of the upstream, here of ten chunks, and becomes one plain reply.");
        var system = await bench.SystemAsync(BenchSystem.Ours, cancel);
        var runs = new List<(string Name, WrkRun Run, long Bytes)>();
        foreach (var (name, body) in new[] { (Model, Bodies.Plain(bench)), (Bot, Bodies.Bot(bench, "support", "bot.json")) })
        {
            var run = new WrkRun(body, Connections: 32, Seconds);
            result.Ran(run.Command);
            runs.Add((name, run, await Probe.PlainAsync(system, body, cancel)));
            await run.WarmUpAsync(system, seconds: 12, cancel);
        }

        await Turns.TakeAsync(bench, "P7", runs, async shot =>
        {
            var figures = await shot.Run.MeasureAsync(system, shot.Bytes, cancel);
            result.Add(PlainLine.RequestsPerSecond, "1/s", shot.Name, figures.RequestsPerSecond);
            return $"{shot.Name} {Numbers.Show(figures.RequestsPerSecond, "")}";
        });

        result.TargetRatio("requests/s ÷ the plain model's", Bound.AtLeast, 0.7, PlainLine.RequestsPerSecond, Bot, Model);
        return [result];
    }
}
