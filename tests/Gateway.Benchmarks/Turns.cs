namespace Gateway.Benchmarks;

/// <summary>
/// The order in which things are measured: all of them in each round, and each round begins with another one, so that whatever
/// else the machine does hits all of them.
/// </summary>
internal static class Turns
{
    public static async Task TakeAsync<T>(Bench bench, string what, IReadOnlyList<T> all, Func<T, Task<string>> measure)
    {
        for (var round = 1; round <= bench.Options.Rounds; round++)
        {
            var said = new string[all.Count];
            for (var i = 0; i < all.Count; i++)
            {
                var at = (i + round - 1) % all.Count;
                said[at] = await measure(all[at]);
            }

            bench.Say($"{what}, round {round} of {bench.Options.Rounds}: {string.Join(" · ", said)}");
        }
    }
}
