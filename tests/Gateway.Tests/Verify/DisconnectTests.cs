using System.Diagnostics;
using Gateway.Tests.Support;

namespace Gateway.Tests.Verify;

/// <summary>
/// Callers who leave at random moments, through every door. <c>GATEWAY_DISCONNECTS</c> says how many,
/// <c>GATEWAY_DISCONNECTS_SEED</c> repeats a run.
/// </summary>
public sealed class DisconnectTests(TestPostgres postgres, ITestOutputHelper output)
{
    /// <summary>Wide: what is measured is printed, what is held here is that the upstream learns of it at all.</summary>
    private static readonly TimeSpan ClosingLimit = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan Longest = TimeSpan.FromMilliseconds(1_500);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_caller_who_leaves_closes_the_upstream_and_has_a_row_that_says_so()
    {
        // Arrange: every reply takes three seconds, so that each caller leaves before its end.
        var count = Settings.Number("DISCONNECTS", 60);
        var seed = Settings.Seed("DISCONNECTS_SEED");
        output.WriteLine($"GATEWAY_DISCONNECTS_SEED={seed} GATEWAY_DISCONNECTS={count}");
        await using var bench = await Bench.StartAsync(postgres, gateways: 1, callers: Math.Min(count, 50), Cancel);
        var random = new Random(seed);
        var calls = Enumerable.Range(0, count).Select(i => Make(random, $"left-{seed:x}-{i}", bench.Keys[i % bench.Keys.Count])).ToList();

        // Act
        var outcomes = await bench.RunAsync(calls, Cancel);
        await UntilAsync(() => bench.Upstream.Ids.SelectMany(bench.Upstream.Of).All(serving => serving.LeftAt is not null));
        Assert.Equal(0, await bench.Gateways[0].StopAsync(Cancel));

        // Assert
        var rows = (await bench.RowsAsync(Cancel)).ToLookup(row => row.RequestId);
        var delays = new List<double>();
        Assert.All(outcomes, outcome =>
        {
            Assert.Equal(Seen.Left, outcome.Seen);
            foreach (var serving in bench.Upstream.Of(outcome.Call.Script.Id))
            {
                Assert.False(serving.IsWhole);
                Assert.True(serving.LeftAt is not null, $"{serving.Id}: the upstream goes on for a caller who left");
                delays.Add(Stopwatch.GetElapsedTime(outcome.EndedAt, serving.LeftAt!.Value).TotalMilliseconds);
                var row = Assert.Single(rows[serving.Id]);
                Assert.Equal("caller_left", row.EndReason);
                Assert.True(row.IsEstimated, $"{serving.Id}: nobody reported its tokens, and they are not estimated");
                Assert.True(row.InputTokens > 0);
            }
        });
        Assert.True(delays.Count > count / 2, $"Only {delays.Count} of {count} came to the upstream.");
        delays.Sort();
        output.WriteLine(
            $"{delays.Count} of {count} left while the upstream was answering; it saw the connection close after "
            + $"p50 {At(delays, 0.5):0.0} ms, p99 {At(delays, 0.99):0.0} ms, at most {delays[^1]:0.0} ms");
    }

    private static Call Make(Random random, string id, string key)
    {
        var door = (Door)random.Next(3);
        var selector = door == Door.Bot ? $"bot/id={Calls.Bot}" : $"model/name={Calls.Plain}";
        return new Call(
            new Script(id, 100, 30), door, door != Door.Embedding && random.Next(2) == 0, selector, key, TimeSpan.Zero,
            Longest * random.NextDouble());
    }

    private static double At(List<double> sorted, double share) => sorted[(int)Math.Min(sorted.Count - 1, sorted.Count * share)];

    private static async Task UntilAsync(Func<bool> condition)
    {
        var clock = Stopwatch.StartNew();
        while (!condition() && clock.Elapsed < ClosingLimit)
        {
            await Task.Delay(20, Cancel);
        }
    }
}
