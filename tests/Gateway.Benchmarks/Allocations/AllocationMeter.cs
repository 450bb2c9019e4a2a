namespace Gateway.Benchmarks.Allocations;

/// <summary>
/// Counts what this process allocates, all of its threads together. What a unit costs is the difference between a run of n
/// and one of 2n of them: what a run costs whatever its length drops out. Other threads can only add to a count, so the
/// smallest of several is the truest.
/// </summary>
internal static class AllocationMeter
{
    /// <param name="units">How many make up the shorter run: enough that what another thread allocates in between is little for each.</param>
    /// <param name="run">Runs so many units.</param>
    /// <param name="wanted">While it comes to more, up to ten times the rounds are made: on a busy machine none of a few may be undisturbed.</param>
    /// <returns>Bytes for each unit.</returns>
    public static async Task<double> PerUnitAsync(int units, int rounds, Func<int, Task> run, double wanted = double.PositiveInfinity)
    {
        // Pools fill up, and everything has been compiled.
        await run(2 * units);
        await run(2 * units);
        var (once, twice) = (long.MaxValue, long.MaxValue);
        for (var round = 0; round < rounds || (round < 10 * rounds && (twice - once) / (double)units > wanted); round++)
        {
            once = Math.Min(once, await CountAsync(units, run));
            twice = Math.Min(twice, await CountAsync(2 * units, run));
        }

        return (twice - once) / (double)units;
    }

    private static async Task<long> CountAsync(int units, Func<int, Task> run)
    {
        var before = GC.GetTotalAllocatedBytes(precise: true);
        await run(units);
        return GC.GetTotalAllocatedBytes(precise: true) - before;
    }
}
