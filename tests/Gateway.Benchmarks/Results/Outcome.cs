namespace Gateway.Benchmarks.Results;

/// <summary>What a run of the benchmark leaves.</summary>
/// <param name="Repeated">Runs that failed and were made again, and why.</param>
internal sealed record Outcome(IReadOnlyList<LineResult> Lines, IReadOnlyList<string> Repeated);
