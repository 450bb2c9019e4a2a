using System.Globalization;
using System.Text;

namespace Gateway.Benchmarks.Results;

/// <summary>Writes RESULTS.md: first what was to be reached and whether it was, then every figure with its rounds.</summary>
internal static class Markdown
{
    public static string Write(Surroundings where, BenchOptions options, Outcome outcome)
    {
        var text = new StringBuilder();
        text.AppendLine("# Results").AppendLine();
        text.AppendLine("Written by `./deploy/bench.sh`; not by hand. The raw figures are in [results.json](results.json).").AppendLine();
        Head(text, where, options);
        Summary(text, outcome);
        foreach (var line in outcome.Lines)
        {
            Section(text, line);
        }

        return text.ToString();
    }

    private static void Head(StringBuilder text, Surroundings where, BenchOptions options)
    {
        text.Append(CultureInfo.InvariantCulture,
            $"{where.Date:yyyy-MM-dd HH:mm} UTC · {where.Cores} cores of {where.Processor} · {where.MemoryGibibytes:F0} GiB · {where.System}");
        text.AppendLine("  ");
        text.AppendLine(string.Join(" · ", where.Versions.Select(v => $"{v.Key} {v.Value}"))).AppendLine();
        text.AppendLine(CultureInfo.InvariantCulture, $"""
            Load, upstream and system share the cores, alike for every system; only the one that is measured has anything to do. Systems
            take turns within each of {options.Rounds} rounds, each round begins with another one, and each is warmed up first. A figure is the median of
            its rounds. A target compares within a round, and what is shown is the median of that. The spread is the range from
            the lowest round to the highest as a share of the median (of a difference: as a share of the larger of its two sides);
            above {Numbers.Share(Statistics.StableSpread)} the figure is called unstable. `gateway` is `gateway serve` of a Release publish with key check, limits
            of requests, tokens, concurrency and money on the key, usage journal and metrics on, on a Postgres of its own. The log is at
            `Warning`, as no other system writes a line for each request.
            """).AppendLine();
        if (options.CommandLine.Length > 0)
        {
            text.AppendLine($"Command: `{options.CommandLine.Trim()}`").AppendLine();
        }
    }

    private static void Summary(StringBuilder text, Outcome outcome)
    {
        text.AppendLine("| # | what | measured | target | met | rounds |");
        text.AppendLine("|---|---|---|---|---|---|");
        foreach (var line in outcome.Lines)
        {
            if (line.Failure is { } failure)
            {
                text.AppendLine($"| {line.Id} | {line.Title} | {FirstLine(failure)} | | **no** | |");
            }

            foreach (var target in line.Targets)
            {
                text.Append($"| {line.Id} | {target.Text} | {Numbers.Show(target.Median, target.Unit)} | {Numbers.Show(target)} | ");
                text.Append(target.IsMet ? "yes" : "**no**").Append(target.IsUnstable ? ", unstable" : "");
                text.AppendLine($" | {Numbers.Range(target.Rounds, target.Unit)} |");
            }
        }

        text.AppendLine();
        foreach (var repeated in outcome.Repeated)
        {
            text.AppendLine($"A run failed and was made again: {FirstLine(repeated)}").AppendLine();
        }
    }

    private static void Section(StringBuilder text, LineResult line)
    {
        text.AppendLine($"## {line.Id} · {line.Title}").AppendLine();
        if (line.Failure is { } failure)
        {
            text.AppendLine(FirstLine(failure)).AppendLine();
        }

        foreach (var note in line.Notes)
        {
            text.AppendLine(note).AppendLine();
        }

        if (line.Figures.Count > 0)
        {
            text.AppendLine("| figure | of | median | spread | rounds |");
            text.AppendLine("|---|---|---|---|---|");
            foreach (var figure in line.Figures.GroupBy(f => f.Name).SelectMany(alike => alike))
            {
                var spread = Numbers.Share(figure.Spread) + (figure.IsUnstable ? ", unstable" : "");
                var rounds = string.Join(" · ", figure.Rounds.Select(r => Numbers.Show(r, "")));
                text.AppendLine($"| {figure.Name} | {figure.System} | {Numbers.Show(figure.Median, figure.Unit)} | {spread} | {rounds} |");
            }

            text.AppendLine();
        }

        if (line.Commands.Count > 0)
        {
            text.AppendLine("```sh").AppendJoin(Environment.NewLine, line.Commands).AppendLine().AppendLine("```").AppendLine();
        }
    }

    private static string FirstLine(string text) => text.Split('\n')[0].Trim().Replace("|", "\\|", StringComparison.Ordinal);
}
