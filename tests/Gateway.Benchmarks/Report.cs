using System.Globalization;

namespace Gateway.Benchmarks;

/// <summary>
/// Turns measurements into a table of medians, spreads and ratios. A measurement is one line of words:
/// <c>round kind target rate p99-milliseconds</c>.
/// </summary>
internal static class Report
{
    /// <summary>Above this (slowest to fastest round, as a share of the median) a number says more about the machine.</summary>
    private const double StableSpread = 0.25;

    private static readonly string[] Against = ["direct", "nginx", "yarp"];

    private sealed record Measurement(int Round, string Kind, string Target, double Rate, double P99);

    /// <returns>The exit code: 1 when there was nothing to report.</returns>
    public static int Write(IReadOnlyList<string> lines, TextWriter output)
    {
        var all = lines.Where(line => line.Length > 0).Select(Parse).ToList();
        if (all.Count == 0)
        {
            output.WriteLine("Nothing was measured.");
            return 1;
        }

        foreach (var kind in all.GroupBy(m => m.Kind))
        {
            WriteKind(kind.Key, [.. kind], output);
        }

        return 0;
    }

    private static void WriteKind(string kind, List<Measurement> all, TextWriter output)
    {
        var unit = kind == "stream" ? "chunks/s" : "requests/s";
        output.WriteLine();
        output.WriteLine($"{unit} ({kind}), median of {all.Max(m => m.Round)} rounds");
        output.WriteLine($"  {"",-9}{unit,12}{"spread",9}{"p99 ms",9}");
        foreach (var target in all.GroupBy(m => m.Target))
        {
            List<double> rates = [.. target.Select(m => m.Rate)];
            var spread = Spread(rates);
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"  {target.Key,-9}{Median(rates),12:F0}{spread,9:P0}{Median([.. target.Select(m => m.P99)]),9:F1}"
                + $"{(spread > StableSpread ? "  unstable" : "")}"));
        }

        foreach (var other in Against)
        {
            // Ratios within a round, then their median: what slows the machine for a while slows both.
            List<double> ratios =
            [
                .. from ours in all.Where(m => m.Target == "gateway")
                   join theirs in all.Where(m => m.Target == other) on ours.Round equals theirs.Round
                   select ours.Rate / theirs.Rate,
            ];
            if (ratios.Count > 0)
            {
                output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"  gateway / {other,-7}{Median(ratios),6:F2}  ({ratios.Min():F2} to {ratios.Max():F2})"
                    + $"{(Spread(ratios) > StableSpread ? "  unstable" : "")}"));
            }
        }
    }

    private static Measurement Parse(string line)
    {
        var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return new Measurement(
            int.Parse(words[0], CultureInfo.InvariantCulture), words[1], words[2],
            double.Parse(words[3], CultureInfo.InvariantCulture), double.Parse(words[4], CultureInfo.InvariantCulture));
    }

    private static double Spread(List<double> values) => (values.Max() - values.Min()) / Median(values);

    private static double Median(List<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted.Count % 2 == 1
            ? sorted[sorted.Count / 2]
            : (sorted[(sorted.Count / 2) - 1] + sorted[sorted.Count / 2]) / 2;
    }
}
