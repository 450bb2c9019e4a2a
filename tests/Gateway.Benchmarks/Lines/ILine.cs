using Gateway.Benchmarks.Results;

namespace Gateway.Benchmarks.Lines;

/// <summary>Measures one line of the table of targets, or some that one set of runs serves.</summary>
internal interface ILine
{
    /// <summary>Such as <c>P1</c>.</summary>
    IReadOnlyList<string> Ids { get; }

    /// <summary>About how many seconds it takes, for the plan that is printed first.</summary>
    double PlannedSeconds(BenchOptions options);

    /// <summary>Measures all rounds.</summary>
    /// <returns>One result for each of <see cref="Ids"/>.</returns>
    Task<IReadOnlyList<LineResult>> MeasureAsync(Bench bench, CancellationToken cancel);
}
