namespace Gateway.Benchmarks.Results;

/// <summary>Prints a line's results in a terminal: figures, then what was to be reached.</summary>
internal static class Screen
{
    public static void Write(LineResult line, TextWriter output)
    {
        output.WriteLine();
        output.WriteLine($"{line.Id}  {line.Title}");
        foreach (var figure in line.Figures)
        {
            output.WriteLine(
                $"    {figure.Name,-34} {figure.System,-22} {Numbers.Show(figure.Median, figure.Unit),14}  spread {Numbers.Share(figure.Spread),5}"
                + (figure.IsUnstable ? "  unstable" : ""));
        }

        foreach (var target in line.Targets)
        {
            output.WriteLine(
                $"  {(target.IsMet ? "met    " : "NOT MET")} {target.Text}: {Numbers.Show(target.Median, target.Unit)}"
                + $" ({Numbers.Range(target.Rounds, target.Unit)}), target {Numbers.Show(target)}{(target.IsUnstable ? ", unstable" : "")}");
        }

        foreach (var note in line.Notes)
        {
            output.WriteLine($"    {note}");
        }

        if (line.Failure is { } failure)
        {
            output.WriteLine($"  {failure}");
        }
    }
}
