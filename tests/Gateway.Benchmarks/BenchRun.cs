using System.Runtime.InteropServices;
using Gateway.Benchmarks.Lines;
using Gateway.Benchmarks.Results;

namespace Gateway.Benchmarks;

/// <summary>The whole benchmark: says what it is going to do, measures line by line, and writes the report.</summary>
internal static class BenchRun
{
    private static readonly ILine[] All =
    [
        new PlainLine(), new SingleLine(), new LargeBodyLine(), new PacedLine(), new UnpacedLine(), new BotLine(), new SearchLine(),
        new MemoryLine(), new GrowthLine(), new StartLine(), new StatementsLine(),
    ];

    private static readonly string[] Quick = ["P1", "P2", "P5", "P6"];

    /// <returns>0; 1 when a line could not be measured; 2 when the arguments are wrong; 130 when it was told to end.</returns>
    public static async Task<int> RunAsync(string[] args, TextWriter output)
    {
        BenchOptions options;
        try
        {
            options = BenchOptions.Parse(args);
        }
        catch (ArgumentException wrong)
        {
            await Console.Error.WriteLineAsync(wrong.Message);
            return 2;
        }

        using var told = new CancellationTokenSource();
        using var interrupt = OnSignal(PosixSignal.SIGINT, told);
        using var terminate = OnSignal(PosixSignal.SIGTERM, told);
        try
        {
            return await RunAsync(options, output, told.Token);
        }
        catch (OperationCanceledException) when (told.IsCancellationRequested)
        {
            output.WriteLine("Ended before it was done.");
            return 130;
        }
    }

    private static async Task<int> RunAsync(BenchOptions options, TextWriter output, CancellationToken cancel)
    {
        var lines = All.Where(line => IsWanted(line, options)).ToList();
        if (lines.Count == 0)
        {
            await Console.Error.WriteLineAsync($"--only names none of {string.Join(", ", All.SelectMany(line => line.Ids))}");
            return 2;
        }

        var results = new List<LineResult>();
        IReadOnlyList<string> repeated;
        await using (var bench = new Bench(options, output))
        {
            var ids = string.Join(", ", lines.SelectMany(line => line.Ids).Where(id => IsWanted(id, options)));
            bench.Say($"{ids}: about {Math.Ceiling((lines.Sum(line => line.PlannedSeconds(options)) + 15) / 60)} minutes");
            foreach (var line in lines)
            {
                foreach (var result in (await MeasureAsync(line, bench, cancel)).Where(result => IsWanted(result.Id, options)))
                {
                    results.Add(result);
                    Screen.Write(result, output);
                }
            }

            bench.Say("Measured");
            repeated = bench.Repeated;
        }

        results.Sort((a, b) => Number(a.Id).CompareTo(Number(b.Id)));
        await WriteAsync(options, new Outcome(results, repeated), output, cancel);
        output.WriteLine($"{results.Sum(r => r.Targets.Count(t => t.IsMet))} of {results.Sum(r => r.Targets.Count)} targets met");
        return results.Exists(result => result.Failure is not null) ? 1 : 0;
    }

    private static async Task<IReadOnlyList<LineResult>> MeasureAsync(ILine line, Bench bench, CancellationToken cancel)
    {
        try
        {
            return await line.MeasureAsync(bench, cancel);
        }
        catch (Exception broken) when (!cancel.IsCancellationRequested)
        {
            // The others are still worth having, and the report says what is missing.
            return [.. line.Ids.Select(id => new LineResult(id, "not measured") { Failure = broken.Message })];
        }
    }

    private static async Task WriteAsync(BenchOptions options, Outcome outcome, TextWriter output, CancellationToken cancel)
    {
        if (options.Results is null)
        {
            return;
        }

        var where = await Surroundings.ReadAsync(options.Postgres, options.Portkey, cancel);
        Directory.CreateDirectory(options.Results);
        await File.WriteAllTextAsync(Path.Combine(options.Results, "RESULTS.md"), Markdown.Write(where, options, outcome), cancel);
        await File.WriteAllTextAsync(Path.Combine(options.Results, "results.json"), RawJson.Write(where, options, outcome), cancel);
        output.WriteLine($"Written: {Path.Combine(options.Results, "RESULTS.md")}");
    }

    private static bool IsWanted(ILine line, BenchOptions options) => line.Ids.Any(id => IsWanted(id, options));

    private static bool IsWanted(string id, BenchOptions options) =>
        options.Only.Count > 0 ? options.Only.Contains(id) : !options.IsQuick || Quick.Contains(id);

    private static int Number(string id) => int.Parse(id.AsSpan(1), null);

    private static PosixSignalRegistration OnSignal(PosixSignal signal, CancellationTokenSource told) =>
        PosixSignalRegistration.Create(signal, context =>
        {
            context.Cancel = true;
            told.Cancel();
        });
}
