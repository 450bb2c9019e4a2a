using System.Diagnostics;
using Gateway.Tests.Support;

namespace Gateway.Tests.Verify;

/// <summary>
/// Usage is exactly once, whatever happens. <c>GATEWAY_PARITY_REQUESTS</c>, <c>…_CALLERS</c> and
/// <c>…_OUTAGE_SECONDS</c> say how much, <c>GATEWAY_PARITY_SEED</c> repeats a run's requests.
/// </summary>
public sealed class ParityTests(TestPostgres postgres, ITestOutputHelper output)
{
    private static readonly TimeSpan ShippingLimit = TimeSpan.FromSeconds(60);

    private readonly List<Kill> _kills = [];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_dispatched_request_has_one_true_row_whatever_is_killed_cut_or_away()
    {
        // Arrange
        var count = Settings.Number("PARITY_REQUESTS", 600);
        var callers = Settings.Number("PARITY_CALLERS", 20);
        var outage = TimeSpan.FromSeconds(Settings.Number("PARITY_OUTAGE_SECONDS", 5));
        var seed = Settings.Seed("PARITY_SEED");
        output.WriteLine($"GATEWAY_PARITY_SEED={seed} GATEWAY_PARITY_REQUESTS={count} GATEWAY_PARITY_CALLERS={callers}");
        await using var bench = await Bench.StartAsync(postgres, gateways: 2, callers, Cancel);
        (string Name, TimeSpan Span, Func<Task> Disturb)[] phases =
        [
            ("all is well", TimeSpan.FromSeconds(2), () => Task.CompletedTask),
            ("SIGTERM of one", TimeSpan.FromSeconds(8), () => RestartAsync(bench)),
            ("SIGKILL of the other", TimeSpan.FromSeconds(4), () => KillAsync(bench, 1)),
            ("no Postgres, and a SIGKILL meanwhile", outage + TimeSpan.FromSeconds(4), () => LoseDatabaseAsync(bench, outage)),
            ("all is well again", TimeSpan.FromSeconds(2), () => Task.CompletedTask),
        ];

        // Act: each disturbance falls into the middle of requests.
        var random = new Random(seed);
        var outcomes = new List<Outcome>();
        var whole = phases.Sum(phase => phase.Span.TotalSeconds);
        foreach (var (name, span, disturb) in phases)
        {
            var clock = Stopwatch.StartNew();
            var calls = Calls.Make(random, (int)Math.Ceiling(count * span.TotalSeconds / whole), bench.Keys, span);
            var running = bench.RunAsync(calls, Cancel);
            await Task.Delay(TimeSpan.FromSeconds(1), Cancel);
            await disturb();
            outcomes.AddRange(await running);
            output.WriteLine($"{name}: {calls.Count} requests in {clock.Elapsed.TotalSeconds:0} s");
        }

        var shipped = await UntilShippedAsync(bench);
        foreach (var gateway in bench.Gateways)
        {
            Assert.Equal(0, await gateway.StopAsync(Cancel));
        }

        // Assert
        var books = new ParityBooks(outcomes, await bench.RowsAsync(Cancel), bench.Upstream.Ids, bench.Upstream.Of, _kills);
        output.WriteLine(string.Join('\n', books.Figures()));
        output.WriteLine($"the last row was there {shipped.TotalSeconds:0.0} s after the last request");
        var wrong = books.Violations();
        Assert.True(wrong.Count == 0, $"{wrong.Count} violations:\n{string.Join('\n', wrong.Take(20))}");
    }

    /// <summary>Until there is a row for every request that the upstream has seen.</summary>
    private static async Task<TimeSpan> UntilShippedAsync(Bench bench)
    {
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < ShippingLimit)
        {
            var there = (await bench.RowsAsync(Cancel)).Select(row => row.RequestId).ToHashSet();
            if (bench.Upstream.Ids.All(there.Contains))
            {
                break;
            }

            await Task.Delay(100, Cancel);
        }

        // Those that are still missing are named by the books.
        return clock.Elapsed;
    }

    private static async Task RestartAsync(Bench bench)
    {
        Assert.Equal(0, await bench.Gateways[0].StopAsync(Cancel));
        await bench.Gateways[0].StartAgainAsync(Cancel);
    }

    private async Task KillAsync(Bench bench, int gateway)
    {
        _kills.Add(new Kill(gateway, Stopwatch.GetTimestamp()));
        await bench.Gateways[gateway].KillAsync();
        await bench.Gateways[gateway].StartAgainAsync(Cancel);
    }

    private async Task LoseDatabaseAsync(Bench bench, TimeSpan outage)
    {
        bench.Relay.Cut();
        await Task.Delay(outage / 3, Cancel);
        // It starts again without its database, and waits for it.
        var killed = KillAsync(bench, 0);
        await Task.Delay(outage * 2 / 3, Cancel);
        bench.Relay.Restore();
        await killed;
    }
}
