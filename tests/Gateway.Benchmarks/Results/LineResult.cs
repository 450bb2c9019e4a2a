namespace Gateway.Benchmarks.Results;

/// <summary>What was measured of one line of the table of targets, P1 to P12.</summary>
internal sealed class LineResult(string id, string title)
{
    public string Id { get; } = id;

    public string Title { get; } = title;

    public List<Figure> Figures { get; } = [];

    public List<Target> Targets { get; } = [];

    /// <summary>What a reader must know of it, in whole sentences.</summary>
    public List<string> Notes { get; } = [];

    /// <summary>The load, as command lines without addresses and keys.</summary>
    public List<string> Commands { get; } = [];

    /// <summary>Why it could not be measured; null: it was.</summary>
    public string? Failure { get; set; }

    public bool IsMet => Failure is null && Targets.TrueForAll(target => target.IsMet);

    public void Add(string figure, string unit, string system, double value)
    {
        var known = Figures.Find(f => f.Name == figure && f.System == system);
        if (known is null)
        {
            known = new Figure(figure, unit, system);
            Figures.Add(known);
        }

        known.Rounds.Add(value);
    }

    public void Ran(string command)
    {
        if (!Commands.Contains(command))
        {
            Commands.Add(command);
        }
    }

    /// <summary>One system's figure divided by another's. Left out when one of the two was not measured.</summary>
    public void TargetRatio(string text, Bound bound, double limit, string figure, string system, string other)
    {
        if (Find(figure, system) is { } ours && Find(figure, other) is { } theirs)
        {
            List<double> ratios = [.. ours.Rounds.Zip(theirs.Rounds, (a, b) => a / b)];
            Targets.Add(new Target(text, "", bound, limit, ratios, Statistics.Median(ratios)));
        }
    }

    /// <summary>One system's figure minus another's. Left out when one of the two was not measured.</summary>
    public void TargetDifference(
        string text, Bound bound, double limit, string figure, string system, string other, string? otherFigure = null)
    {
        if (Find(figure, system) is { } ours && Find(otherFigure ?? figure, other) is { } theirs)
        {
            List<double> differences = [.. ours.Rounds.Zip(theirs.Rounds, (a, b) => a - b)];
            Targets.Add(new Target(
                text, ours.Unit, bound, limit, differences, Math.Max(Math.Abs(ours.Median), Math.Abs(theirs.Median))));
        }
    }

    /// <summary>A figure as it is. Left out when it was not measured.</summary>
    public void TargetValue(string text, Bound bound, double limit, string figure, string system)
    {
        if (Find(figure, system) is { } known)
        {
            Targets.Add(new Target(text, known.Unit, bound, limit, known.Rounds, known.Median));
        }
    }

    public Figure? Find(string figure, string system) => Figures.Find(f => f.Name == figure && f.System == system);
}
