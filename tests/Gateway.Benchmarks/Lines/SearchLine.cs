using System.Diagnostics;
using System.Globalization;
using Gateway.Benchmarks.Results;
using Gateway.Benchmarks.Systems;

namespace Gateway.Benchmarks.Lines;

/// <summary>P8: a bot that searches 10,000 chunks before each answer, against one that does not.</summary>
internal sealed class SearchLine : ILine
{
    private const int Chunks = 10_000;
    private const int Seconds = 6;
    private const string With = "bot with search";
    private const string Without = "bot without";
    private static readonly TimeSpan IngestLimit = TimeSpan.FromMinutes(5);

    public IReadOnlyList<string> Ids { get; } = ["P8"];

    public double PlannedSeconds(BenchOptions options) => (2 * options.Rounds * (Seconds + 1.5)) + 40;

    public async Task<IReadOnlyList<LineResult>> MeasureAsync(Bench bench, CancellationToken cancel)
    {
        var result = new LineResult("P8", "A bot that always searches 10,000 chunks by words, 1 connection");
        var shelf = new Shelf(Chunks);
        shelf.Write(bench.File("shelf.jsonl"));
        var database = await bench.CreateDatabaseAsync(cancel);
        var yaml = GatewayFile.Write(await bench.UpstreamAsync(cancel), [], datasetFiles: "./shelf.jsonl");
        await using var gateway = await bench.StartGatewayAsync("search", database, yaml, cancel);
        var system = new BenchSystem(With, gateway.Url, gateway.Process) { Key = await gateway.CreateKeyAsync("bench", cancel) };
        await IngestAsync(bench, result, database, cancel);

        var (question, asked) = ("", 0);
        await Turns.TakeAsync(bench, "P8", ["support", "reader"], async bot =>
        {
            // The same question for both, another one in each round.
            question = asked++ % 2 == 0 ? shelf.NextQuestion() : question;
            var run = new GeneratorRun("requests", "bench-brief", Seconds, "--connections 1 --warmup 1")
            {
                Selector = $"bot/id={bot}",
                BodyFile = Bodies.Bot(bench, bot, $"search-{bot}.json", question),
            };
            result.Ran(run.Command);
            var latency = (await run.MeasureAsync(system, cancel)).Latency!;
            var name = bot == "reader" ? With : Without;
            result.Add("p50", "ms", name, latency.P50);
            result.Add("p99", "ms", name, latency.P99);
            return $"{name} {Numbers.Show(latency.P50, "ms")}";
        });

        result.TargetDifference("p50 added by the search", Bound.AtMost, 5, "p50", With, Without);
        return [result];
    }

    private static async Task IngestAsync(Bench bench, LineResult result, string database, CancellationToken cancel)
    {
        var postgres = await bench.PostgresAsync(cancel);
        var clock = Stopwatch.StartNew();
        bench.Say($"P8, ingesting {Chunks} chunks");
        while (Convert.ToInt64(
            await postgres.ScalarAsync(database, "SELECT count(*) FROM jobs WHERE state NOT IN (2)", cancel), CultureInfo.InvariantCulture) > 0
            || await ChunksAsync(postgres, database, cancel) == 0)
        {
            if (clock.Elapsed > IngestLimit)
            {
                throw new TimeoutException($"Chunks were not ingested in {IngestLimit.TotalMinutes} minutes.");
            }

            await Task.Delay(500, cancel);
        }

        // As the server's own housekeeping does within a minute.
        await postgres.ExecuteAsync(database, "VACUUM (ANALYZE) chunks", cancel);
        var chunks = await ChunksAsync(postgres, database, cancel);
        result.Notes.Add(string.Create(CultureInfo.InvariantCulture,
            $"{chunks} chunks of 90 words; another question in each round, the same for both bots."));
    }

    private static async Task<long> ChunksAsync(PostgresServer postgres, string database, CancellationToken cancel) =>
        Convert.ToInt64(await postgres.ScalarAsync(database, "SELECT count(*) FROM chunks", cancel), CultureInfo.InvariantCulture);
}
