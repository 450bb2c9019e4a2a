using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Gateway.Tests.Support;

namespace Gateway.Tests.Faults;

/// <summary>
/// A primary that goes down and comes back while callers keep asking. With <c>GATEWAY_LONG_RUNS=1</c> for more than a minute
/// and with the default circuit breaker, else for a quarter of it and with a circuit that opens for a second.
/// </summary>
public sealed class FlappingTests(FaultSetup setup) : FaultTest(setup)
{
    private const int Rounds = 2;

    private static readonly bool IsLong = Environment.GetEnvironmentVariable("GATEWAY_LONG_RUNS") == "1";
    private static readonly TimeSpan Up = TimeSpan.FromSeconds(IsLong ? 10 : 3);
    private static readonly TimeSpan Down = TimeSpan.FromSeconds(IsLong ? 20 : 4);

    /// <summary>How long its circuit stays open.</summary>
    private static readonly TimeSpan Open = TimeSpan.FromSeconds(IsLong ? 10 : 1);

    /// <summary>It begins up and ends up.</summary>
    private static readonly TimeSpan Whole = ((Up + Down) * Rounds) + Open + TimeSpan.FromSeconds(3);

    /// <summary>From its recovery to its first answer: what is left of the open time, and a request.</summary>
    private static readonly TimeSpan BackWithin = Open + TimeSpan.FromSeconds(2);

    private static readonly TimeSpan BetweenCalls = TimeSpan.FromMilliseconds(100);

    [Fact]
    public Task Every_call_is_answered_and_the_primary_is_asked_again_soon() => AtEachDoorAsync(
        IsLong ? "flappingslow" : "flapping",
        async call =>
        {
            var clock = Stopwatch.StartNew();
            var asked = new ConcurrentQueue<TimeSpan>();
            var failures = 0;
            call.On("c-f1", Say.Well).On("a", async (http, request) =>
            {
                asked.Enqueue(clock.Elapsed);
                var answer = !IsDown(clock.Elapsed) ? Say.Well
                    : Interlocked.Increment(ref failures) % 2 == 0 ? Answer.HangUp : Say.Refuse(503);
                await answer(http, request);
            });

            // A bot's first use reads it from the database, which may take too long on a busy machine; not the matter here.
            for (var tries = 0; (await call.AskAsync("before")).Status == 503 && tries < 10; tries++)
            {
                await Task.Delay(BetweenCalls, Cancel);
            }

            asked.Clear();
            clock.Restart();
            var replies = new List<Task<RawReply>>();
            while (clock.Elapsed < Whole)
            {
                replies.Add(call.AskAsync(string.Create(CultureInfo.InvariantCulture, $"question {replies.Count}")));
                await Task.Delay(BetweenCalls, Cancel);
            }

            Assert.True(replies.Count > 50, $"Only {replies.Count} calls were made.");
            Assert.All(await Task.WhenAll(replies), reply =>
                Assert.True(reply.Status == 200 && (!call.IsStream || reply.Ending == StreamEnding.Done), $"{reply.Status}: {reply.Text}"));
            for (var down = Up; down < (Up + Down) * Rounds; down += Up + Down)
            {
                AssertLeftAlone([.. asked.Where(at => at >= down && at < down + Down).Order()]);
                var back = asked.Where(at => at >= down + Down).Order().First();
                Assert.True(back - down - Down <= BackWithin, $"{call.Door}: up at {down + Down}, asked again at {back}.");
            }
        });

    private static bool IsDown(TimeSpan at) => at.Ticks % (Up + Down).Ticks >= Up.Ticks;

    /// <summary>Once its circuit has opened, a primary that is down sees one trial for each time that it was open.</summary>
    private static void AssertLeftAlone(List<TimeSpan> asked)
    {
        var pauses = asked.Skip(1).Zip(asked, (later, earlier) => later - earlier).ToList();
        var opened = pauses.FindIndex(pause => pause > Open * 0.8);
        Assert.True(opened >= 0, $"It was asked {asked.Count} times while it was down, without a pause.");
        Assert.All(pauses.Skip(opened), pause => Assert.True(pause > Open * 0.8, $"Two trials within {pause}."));
    }
}
