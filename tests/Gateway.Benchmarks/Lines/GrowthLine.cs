using System.Globalization;
using Gateway.Benchmarks.Results;
using Gateway.Benchmarks.Systems;
using Gateway.Benchmarks.Wrk;

namespace Gateway.Benchmarks.Lines;

/// <summary>P10: what more keys, bots and models cost, in requests and when the configuration is read again.</summary>
internal sealed class GrowthLine : ILine
{
    private const int Seconds = 5;
    private const int RefreshSeconds = 6;
    private const string Quiet = "p99 without a refresh";
    private const string Refreshing = "p99 with a refresh each second";

    private static readonly Size[] Sizes =
    [
        new("100 keys and bots, 1 model", 100, 1), new("10,000 keys and bots", 10_000, 1), new("100,000 keys and bots", 100_000, 1),
        new("100 models", 100, 100), new("1,000 models", 100, 1_000),
    ];

    /// <param name="Rows">Keys, and as many bots.</param>
    private sealed record Size(string Name, int Rows, int Models);

    private sealed record Grown(Size Size, GatewayServer Gateway, BenchSystem System, long Bytes);

    public IReadOnlyList<string> Ids { get; } = ["P10"];

    public double PlannedSeconds(BenchOptions options) =>
        (Sizes.Length * ((options.Rounds * (Seconds + 0.5)) + 23)) + (3 * options.Rounds * 2 * (RefreshSeconds + 1.5));

    public async Task<IReadOnlyList<LineResult>> MeasureAsync(Bench bench, CancellationToken cancel)
    {
        var result = new LineResult("P10", "How cost grows with keys, bots and models");
        result.Notes.Add("A gateway and a database for each size, idle while another is measured. A refresh is a bot or a model changed through the management API, by turns, as some were before anything was measured.");
        var all = new List<Grown>();
        try
        {
            foreach (var size in Sizes)
            {
                bench.Say($"P10, {size.Name}");
                all.Add(await PrepareAsync(bench, size, all.Count, cancel));
            }

            await MeasureRequestsAsync(bench, result, all, cancel);
            await MeasureRefreshesAsync(bench, result, [all[0], all[2], all[4]], cancel);
        }
        finally
        {
            foreach (var grown in all)
            {
                await grown.Gateway.DisposeAsync();
            }
        }

        foreach (var size in Sizes.Skip(1))
        {
            result.TargetRatio(
                $"requests/s with {size.Name} ÷ the smallest's", Bound.AtLeast, 0.95, PlainLine.RequestsPerSecond, size.Name, Sizes[0].Name);
        }

        foreach (var size in new[] { Sizes[0], Sizes[2], Sizes[4] })
        {
            result.TargetDifference(
                $"p99 with refreshes − without, {size.Name}", Bound.AtMost, 5, Refreshing, size.Name, size.Name, Quiet);
        }

        return [result];
    }

    private static async Task<Grown> PrepareAsync(Bench bench, Size size, int number, CancellationToken cancel)
    {
        var database = await bench.CreateDatabaseAsync(cancel);
        var yaml = GatewayFile.Write(await bench.UpstreamAsync(cancel), [], moreModels: size.Models - 1);
        var name = string.Create(CultureInfo.InvariantCulture, $"growth-{number}");
        var gateway = await bench.StartGatewayAsync(name, database, yaml, cancel);
        var system = new BenchSystem(size.Name, gateway.Url, gateway.Process) { Key = await gateway.CreateKeyAsync("bench", cancel) };
        await ManyRows.AddAsync(await bench.PostgresAsync(cancel), database, size.Rows, cancel);

        // The last of them answers: all of them were read, since no key is known before the bots are.
        var last = size.Rows.ToString(CultureInfo.InvariantCulture);
        await Probe.PlainAsync(
            system with { Key = ManyRows.KeyOf(last) }, Bodies.Bot(bench, $"other-{last}", $"{name}.json"), cancel);
        await GrowthChanges.PrepareAsync(gateway, cancel);
        var bytes = await Probe.PlainAsync(system, Bodies.Plain(bench), cancel);
        await new WrkRun(Bodies.Plain(bench), Connections: 32, Seconds).WarmUpAsync(system, seconds: 10, cancel);
        return new Grown(size, gateway, system, bytes);
    }

    private static async Task MeasureRequestsAsync(Bench bench, LineResult result, List<Grown> all, CancellationToken cancel)
    {
        var run = new WrkRun(Bodies.Plain(bench), Connections: 32, Seconds);
        result.Ran(run.Command);
        await Turns.TakeAsync(bench, "P10", all, async grown =>
        {
            var figures = await run.MeasureAsync(grown.System, grown.Bytes, cancel);
            result.Add(PlainLine.RequestsPerSecond, "1/s", grown.Size.Name, figures.RequestsPerSecond);
            return Numbers.Show(figures.RequestsPerSecond, "");
        });
    }

    private static async Task MeasureRefreshesAsync(Bench bench, LineResult result, List<Grown> some, CancellationToken cancel)
    {
        var run = new GeneratorRun("rate", Models.Plain, RefreshSeconds, "--rate 500 --connections 16 --warmup 1");
        result.Ran(run.Command);
        await Turns.TakeAsync(bench, "P10, refresh", some, async grown =>
        {
            var quiet = await run.MeasureAsync(grown.System, cancel);
            var measuring = run.MeasureAsync(grown.System, cancel);
            await GrowthChanges.MakeUntilAsync(grown.Gateway, measuring, cancel);
            var refreshing = await measuring;
            result.Add(Quiet, "ms", grown.Size.Name, quiet.Latency!.P99);
            result.Add(Refreshing, "ms", grown.Size.Name, refreshing.Latency!.P99);
            return $"{grown.Size.Name} {Numbers.Show(quiet.Latency.P99, "")} → {Numbers.Show(refreshing.Latency.P99, "ms")}";
        });
    }
}
