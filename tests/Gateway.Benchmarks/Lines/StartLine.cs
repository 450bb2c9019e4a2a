using Gateway.Benchmarks.Results;
using Gateway.Benchmarks.Systems;

namespace Gateway.Benchmarks.Lines;

/// <summary>P11: from the launch of the process to the first 200 of <c>/health/ready</c>.</summary>
internal sealed class StartLine : ILine
{
    private const string Start = "launch to ready";

    public IReadOnlyList<string> Ids { get; } = ["P11"];

    public double PlannedSeconds(BenchOptions options) => (options.Rounds + 1) * 3;

    public async Task<IReadOnlyList<LineResult>> MeasureAsync(Bench bench, CancellationToken cancel)
    {
        var result = new LineResult("P11", "Start with an external Postgres that is migrated");
        result.Notes.Add("The configuration was applied by a start before, which is not counted; readiness is asked for every 10 ms.");
        var database = await bench.CreateDatabaseAsync(cancel);
        var yaml = GatewayFile.Write(await bench.UpstreamAsync(cancel), Models.All);
        await (await bench.StartGatewayAsync("start", database, yaml, cancel)).DisposeAsync();
        await Turns.TakeAsync(bench, "P11", [BenchSystem.Ours], async system =>
        {
            await using var gateway = await bench.StartGatewayAsync("start", database, yaml, cancel);
            result.Add(Start, "s", system, gateway.TimeToReady.TotalSeconds);
            return Numbers.Show(gateway.TimeToReady.TotalSeconds, "s");
        });

        result.TargetValue("launch to first 200 on /health/ready", Bound.AtMost, 2, Start, BenchSystem.Ours);
        return [result];
    }
}
