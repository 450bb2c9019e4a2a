using System.Collections.Concurrent;
using System.Diagnostics;
using Gateway.Tests.Support;

namespace Gateway.Tests.Faults;

/// <summary>
/// A primary that goes down and comes back while callers keep asking. With <c>GATEWAY_LONG_RUNS=1</c> for a minute and with
/// the default circuit breaker, else for a quarter of it and with a circuit that opens for a second.
/// </summary>
public sealed class FlappingTests(FaultSetup setup) : FaultTest(setup)
{
    private static readonly bool IsLong = Environment.GetEnvironmentVariable("GATEWAY_LONG_RUNS") == "1";

    /// <summary>How long it is up, and then down, again and again.</summary>
    private static readonly TimeSpan Half = IsLong ? TimeSpan.FromSeconds(15) : TimeSpan.FromSeconds(3);

    private static readonly TimeSpan Whole = IsLong ? TimeSpan.FromSeconds(60) : TimeSpan.FromSeconds(18);

    private static readonly TimeSpan Open = TimeSpan.FromSeconds(IsLong ? 10 : 1);

    /// <summary>From recovery to the first answer of the primary: what is left of the open time, and the next request.</summary>
    private static readonly TimeSpan BackWithin = Open + TimeSpan.FromSeconds(2);

    [Theory]
    [InlineData(Door.ModelStream)]
    [InlineData(Door.ModelPlain)]
    [InlineData(Door.BotStream)]
    public async Task Every_call_is_answered_and_the_primary_is_asked_again_when_it_is_back(Door door)
    {
        var call = At(door, IsLong ? "flappingslow" : "flapping");
        var clock = Stopwatch.StartNew();
        var asked = new ConcurrentQueue<(TimeSpan At, bool IsDown)>();
        var number = 0;
        call.On("c-f1", Say.Well).On("a", async (http, request) =>
        {
            var isDown = IsDown(clock.Elapsed);
            asked.Enqueue((clock.Elapsed, isDown));
            var answer = !isDown ? Say.Well : Interlocked.Increment(ref number) % 2 == 0 ? Answer.HangUp : Say.Refuse(503);
            await answer(http, request);
        });

        var answered = new ConcurrentQueue<(TimeSpan At, RawReply Reply)>();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(async worker =>
        {
            for (var i = 0; clock.Elapsed < Whole; i++)
            {
                answered.Enqueue((clock.Elapsed, await call.AskAsync($"worker {worker}, question {i}")));
                await Task.Delay(60, Cancel);
            }
        }));

        Assert.True(answered.Count > 100, $"Only {answered.Count} calls were made.");
        Assert.All(answered, a => Assert.True(a.Reply.Status == 200, $"At {a.At}: {a.Reply.Status} {a.Reply.Text}"));
        Assert.All(answered.Where(_ => call.IsStream), a => Assert.Equal(StreamEnding.Done, a.Reply.Ending));
        for (var down = Half; down + Half < Whole; down += Half * 2)
        {
            AssertLeftAloneWhileDown(asked, down);
            AssertBack(asked, down + Half);
        }
    }

    /// <summary>It begins up.</summary>
    private static bool IsDown(TimeSpan at) => (int)(at / Half) % 2 == 1;

    /// <summary>Behind the failures that open the circuit, one trial for each time that it was open.</summary>
    private static void AssertLeftAloneWhileDown(IEnumerable<(TimeSpan At, bool IsDown)> asked, TimeSpan down)
    {
        var inDown = asked.Where(a => a.IsDown && a.At >= down && a.At < down + Half).Select(a => a.At).Order().ToList();
        Assert.NotEmpty(inDown);
        // Requests that were on their way when the circuit opened; their number is that of the workers at most.
        var opened = inDown[0] + (Open / 2);
        var trials = inDown.Where(at => at > opened).ToList();
        for (var i = 1; i < trials.Count; i++)
        {
            Assert.True(trials[i] - trials[i - 1] > Open * 0.8, $"Trials at {trials[i - 1]} and {trials[i]}.");
        }
    }

    private static void AssertBack(IEnumerable<(TimeSpan At, bool IsDown)> asked, TimeSpan up)
    {
        var back = asked.Where(a => !a.IsDown && a.At >= up).Select(a => a.At).Order().ToList();
        Assert.True(back.Count > 0 && back[0] - up <= BackWithin, $"Up at {up}, asked again at {back.FirstOrDefault()}.");
    }
}
