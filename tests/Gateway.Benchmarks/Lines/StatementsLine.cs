using System.Globalization;
using Gateway.Benchmarks.Results;
using Gateway.Benchmarks.Systems;

namespace Gateway.Benchmarks.Lines;

/// <summary>P12: what limited keys ask of the database when several gateways share it.</summary>
internal sealed class StatementsLine : ILine
{
    private const int Keys = 20;
    private const int RequestsPerMinute = 6_000;

    /// <summary>Of each key; four fifths of what it may.</summary>
    private const int RequestsPerSecond = 80;

    /// <summary>Of a statement, in the report.</summary>
    private const int ShownCharacters = 70;

    private const string Statements = "statements a 1,000 requests";

    private static readonly TimeSpan Time = TimeSpan.FromSeconds(12);

    /// <summary>Usage is shipped and leases are given back by then.</summary>
    private static readonly TimeSpan Aftermath = TimeSpan.FromSeconds(3);

    private static readonly int[] Processes = [1, 2, 4];

    private sealed record Group(string Name, string Database, List<GatewayServer> Gateways, List<string> Keys);

    public IReadOnlyList<string> Ids { get; } = ["P12"];

    public double PlannedSeconds(BenchOptions options) =>
        25 + (Processes.Length * options.Rounds * (Time + Aftermath).TotalSeconds);

    public async Task<IReadOnlyList<LineResult>> MeasureAsync(Bench bench, CancellationToken cancel)
    {
        var result = new LineResult("P12", "Statements on the database of 1, 2 and 4 gateways");
        result.Notes.Add(string.Create(CultureInfo.InvariantCulture,
            $"{Keys} keys of {RequestsPerMinute:N0} requests a minute, each sending {RequestsPerSecond} a second to all gateways by turns for {Time.TotalSeconds} s."));
        result.Notes.Add(
            "Counted by pg_stat_statements until 3 s after the last reply: everything that the gateways' connections execute, BEGIN and COMMIT, usage rows, heartbeats and looks for changes among it.");
        var groups = new List<Group>();
        try
        {
            foreach (var processes in Processes)
            {
                groups.Add(await StartAsync(bench, processes, cancel));
            }

            await MeasureAsync(bench, result, groups, cancel);
        }
        finally
        {
            foreach (var gateway in groups.SelectMany(group => group.Gateways))
            {
                await gateway.DisposeAsync();
            }
        }

        foreach (var group in groups)
        {
            result.TargetValue($"{Statements}, {group.Name}", Bound.AtMost, 20, Statements, group.Name);
        }

        result.TargetRatio($"{Statements}, {groups[^1].Name} ÷ {groups[0].Name}", Bound.AtMost, 1.1, Statements, groups[^1].Name, groups[0].Name);
        return [result];
    }

    private static async Task<Group> StartAsync(Bench bench, int processes, CancellationToken cancel)
    {
        bench.Say($"P12, starting {processes}");
        var database = await bench.CreateDatabaseAsync(cancel);
        var yaml = GatewayFile.Write(await bench.UpstreamAsync(cancel), []);
        var group = new Group(processes == 1 ? "1 process" : $"{processes} processes", database, [], []);
        for (var number = 1; number <= processes; number++)
        {
            group.Gateways.Add(await bench.StartGatewayAsync($"statements-{processes}-{number}", database, yaml, cancel));
        }

        for (var number = 1; number <= Keys; number++)
        {
            group.Keys.Add(await group.Gateways[0].CreateKeyAsync($"limited-{number}", cancel, RequestsPerMinute));
        }

        return group;
    }

    private static async Task MeasureAsync(Bench bench, LineResult result, List<Group> groups, CancellationToken cancel)
    {
        var postgres = await bench.PostgresAsync(cancel);
        using var callers = new ManyCallers(Bodies.Plain(bench));
        var frequent = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var group in groups)
        {
            await callers.SendAsync([.. group.Gateways.Select(g => g.Url)], group.Keys, RequestsPerSecond / 4.0, Aftermath, cancel);
        }

        await Turns.TakeAsync(bench, "P12", groups, async group =>
        {
            await postgres.ForgetStatementsAsync(group.Database, cancel);
            var (answered, refused) = await callers.SendAsync(
                [.. group.Gateways.Select(g => g.Url)], group.Keys, RequestsPerSecond, Time, cancel);
            await Task.Delay(Aftermath, cancel);
            var statements = await postgres.StatementsAsync(group.Database, cancel);
            if (refused > answered / 100)
            {
                throw new InvalidOperationException($"{refused} of {answered + refused} requests were refused.\n{group.Gateways[0].Process.LastWords}");
            }

            double PerThousand(long calls) => calls * 1000.0 / answered;
            var all = PerThousand(statements.Sum(s => s.Calls));
            frequent[group.Name] = string.Join(" · ", statements.Take(6).Select(s =>
                $"{Numbers.Show(PerThousand(s.Calls), "")} `{(s.Text.Length > ShownCharacters ? s.Text[..ShownCharacters] + "…" : s.Text)}`"));
            result.Add(Statements, "", group.Name, all);
            result.Add("requests/s", "1/s", group.Name, answered / Time.TotalSeconds);
            result.Add("refused", "", group.Name, refused);
            return $"{group.Name} {Numbers.Show(all, "")}";
        });
        result.Notes.AddRange(frequent.Select(f => $"Most frequent in the last round of {f.Key}, a 1,000 requests: {f.Value}"));
    }
}
