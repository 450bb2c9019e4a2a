namespace Gateway.Benchmarks;

/// <summary>
/// The order in which things are measured: all of them in each round, and each round begins with another one, so that whatever
/// else the machine does hits all of them.
/// </summary>
internal static class Turns
{
    /// <param name="what">For the lines of progress.</param>
    /// <param name="measure">Answers with what it found, in a few words; adds figures to results only when it succeeds.</param>
    /// <param name="mostRounds">For what takes minutes.</param>
    public static async Task TakeAsync<T>(
        Bench bench, string what, IReadOnlyList<T> all, Func<T, Task<string>> measure, int mostRounds = int.MaxValue)
    {
        var rounds = Math.Min(mostRounds, bench.Options.Rounds);
        for (var round = 1; round <= rounds; round++)
        {
            var said = new string[all.Count];
            for (var i = 0; i < all.Count; i++)
            {
                var at = (i + round - 1) % all.Count;
                said[at] = await MeasureAsync(bench, what, all[at], measure);
            }

            bench.Say($"{what}, round {round} of {rounds}: {string.Join(" · ", said)}");
        }
    }

    /// <summary>Once more when it fails, which the report says: one broken connection must not cost all rounds.</summary>
    private static async Task<string> MeasureAsync<T>(Bench bench, string what, T one, Func<T, Task<string>> measure)
    {
        try
        {
            return await measure(one);
        }
        catch (InvalidOperationException failed)
        {
            bench.Repeated.Add($"{what}: {failed.Message.Split('\n')[0]}");
            bench.Say($"Once more, since it failed: {failed.Message}");
            return await measure(one);
        }
    }
}
