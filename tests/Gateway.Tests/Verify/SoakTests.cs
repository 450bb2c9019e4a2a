using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Gateway.Tests.Support;
using Microsoft.EntityFrameworkCore;

namespace Gateway.Tests.Verify;

/// <summary>Half of what a machine can do is only known of one that has nothing else to do.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class SoakRunsAlone
{
    public const string Name = "Soak";
}

/// <summary>
/// Half of what it can do, for a long time: memory stays, nothing fails, no row is lost. <c>GATEWAY_SOAK_MINUTES</c> says how
/// long; without it, some seconds, in which memory is only looked at.
/// </summary>
[Collection(SoakRunsAlone.Name)]
public sealed class SoakTests(TestPostgres postgres, ITestOutputHelper output)
{
    private const int Callers = 32;
    private const double MostGrowth = 0.05;
    private const string Soaking = "soak-";

    private readonly ConcurrentQueue<string> _errors = new();
    private string _prefix = "capacity-";
    private long _sent;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Memory_stays_flat_at_half_of_capacity_and_no_row_is_lost()
    {
        // Arrange
        var minutes = Settings.Number("SOAK_MINUTES", 0);
        var length = minutes > 0 ? TimeSpan.FromMinutes(minutes) : TimeSpan.FromSeconds(12);
        await using var bench = await Bench.StartAsync(postgres, gateways: 1, Callers, Cancel, keepsServings: false, onLine: Note);
        var capacity = await LoadAsync(bench, minutes > 0 ? TimeSpan.FromSeconds(20) : TimeSpan.FromSeconds(5), perSecond: null);
        output.WriteLine(
            $"capacity: {capacity:0} requests/s by {Callers} callers, {_errors.Count} of {_sent} refused or failed; clients, upstream and database on the same machine");
        // At its limit it may refuse; at half of that it must not.
        _errors.Clear();
        bench.Upstream.Forget();
        (_sent, _prefix) = (0, Soaking);

        // Act
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var sampling = SampleAsync(bench.Gateways[0], TimeSpan.FromSeconds(Math.Min(15, length.TotalSeconds / 12)), ended.Token);
        var rate = await LoadAsync(bench, length, capacity / 2);
        await ended.CancelAsync();
        var memory = await sampling;
        Assert.Equal(0, await bench.Gateways[0].StopAsync(Cancel));

        // Assert
        var (growth, text) = Growth(memory);
        output.WriteLine($"{rate:0} requests/s for {length.TotalMinutes:0.0} min, {_sent} in all; {text}");
        Assert.True(_errors.IsEmpty, string.Join('\n', _errors.Take(20)));
        await using var db = bench.OpenDb();
        var rows = db.Usage.Where(row => row.RequestId.StartsWith(Soaking));
        var tokens = bench.Upstream.Tokens;
        Assert.Equal(_sent, await rows.LongCountAsync(Cancel));
        Assert.Equal(_sent, await rows.Select(row => row.RequestId).Distinct().LongCountAsync(Cancel));
        Assert.Equal(0, await rows.CountAsync(row => row.EndReason != "done" || row.IsEstimated, Cancel));
        Assert.Equal((tokens.Input, tokens.Output), (await rows.SumAsync(r => r.InputTokens, Cancel), await rows.SumAsync(r => r.OutputTokens, Cancel)));
        Assert.True(minutes == 0 || growth <= MostGrowth, $"Memory grew by {growth:P1}: {text}");
    }

    /// <summary>Runs the callers.</summary>
    /// <param name="perSecond">How often they ask, together; null: again as soon as they have an answer.</param>
    /// <returns>Requests a second.</returns>
    private async Task<double> LoadAsync(Bench bench, TimeSpan length, double? perSecond)
    {
        var clock = Stopwatch.StartNew();
        var before = Interlocked.Read(ref _sent);
        await Task.WhenAll(bench.Keys.Select(async (key, caller) =>
        {
            for (var turn = 0L; clock.Elapsed < length; turn++)
            {
                if (perSecond is { } rate && TimeSpan.FromSeconds(((turn * Callers) + caller) / rate) - clock.Elapsed is { Ticks: > 0 } early)
                {
                    await Task.Delay(early, Cancel);
                }

                await AskAsync(bench, key);
            }
        }));
        return (Interlocked.Read(ref _sent) - before) / clock.Elapsed.TotalSeconds;
    }

    private async Task AskAsync(Bench bench, string key)
    {
        var number = Interlocked.Increment(ref _sent);
        var door = (number % 8) switch { 0 => Door.Embedding, 1 or 2 => Door.Bot, _ => Door.Model };
        var script = new Script(string.Create(CultureInfo.InvariantCulture, $"{_prefix}{number}"), 1 + (int)(number % 20), 0);
        var call = new Call(
            script, door, door != Door.Embedding && number % 3 > 0, door == Door.Bot ? $"bot/id={Calls.Bot}" : $"model/name={Calls.Plain}", key,
            TimeSpan.Zero, null);
        var outcome = await bench.SendAsync(call, Cancel);
        if (outcome.Seen != Seen.Whole)
        {
            _errors.Enqueue($"{script.Id}: {outcome.Seen} {outcome.Status} {outcome.Code}");
        }
    }

    /// <summary>A line of the gateway's log.</summary>
    private void Note(string line)
    {
        if (line.Contains("\"level\":\"error\"", StringComparison.Ordinal) || line.Contains("\"level\":\"fatal\"", StringComparison.Ordinal))
        {
            _errors.Enqueue(line);
        }
    }

    /// <summary>Resident bytes, over and over.</summary>
    private static async Task<IReadOnlyList<long>> SampleAsync(GatewayProcess gateway, TimeSpan interval, CancellationToken ended)
    {
        var samples = new List<long>();
        try
        {
            using var timer = new PeriodicTimer(interval);
            while (await timer.WaitForNextTickAsync(ended))
            {
                using var process = Process.GetProcessById(gateway.ProcessId);
                samples.Add(process.WorkingSet64);
            }
        }
        catch (OperationCanceledException) when (!Cancel.IsCancellationRequested)
        {
            // The load is over.
        }

        return samples;
    }

    /// <summary>From the first third after the warm-up, a tenth of the run, to the last one; by their medians.</summary>
    private static (double Growth, string Text) Growth(IReadOnlyList<long> samples)
    {
        var warm = samples.Skip(samples.Count / 10).ToList();
        var third = Math.Max(1, warm.Count / 3);
        var (first, last) = (Median(warm.Take(third)), Median(warm.TakeLast(third)));
        var growth = (last - first) / (double)first;
        return (growth, string.Create(
            CultureInfo.InvariantCulture,
            $"resident memory: {first / 1_048_576.0:0.0} MiB in the first third, {last / 1_048_576.0:0.0} MiB in the last ({growth:+0.0%;-0.0%}), {samples.Count} samples"));
    }

    private static long Median(IEnumerable<long> values) => values.Order().ToList() is var sorted ? sorted[sorted.Count / 2] : 0;
}
