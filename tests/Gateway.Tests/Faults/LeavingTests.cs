using System.Diagnostics;
using Gateway.Tests.Support;

namespace Gateway.Tests.Faults;

/// <summary>Callers who leave while the gateway waits for something, and configuration that changes meanwhile.</summary>
public sealed class LeavingTests(FaultSetup setup) : FaultTest(setup)
{
    [Fact]
    public Task Leaving_in_a_backoff_ends_the_attempts() => AtEachDoorAsync("pair", async call =>
    {
        call.On("a", Say.Refuse(429, "2"), Say.Well).On("b", Say.Well);
        await LeaveAsync(call, async () => await (await call.NthAsync("a", 1)).Request.Answered.WaitAsync(TimeSpan.FromSeconds(5), Cancel));

        await Task.Delay(TimeSpan.FromSeconds(3), Cancel);

        Assert.Single(call.AskedAt("a"));
        Assert.Empty(call.AskedAt("b"));
    });

    [Fact]
    public Task Leaving_in_a_silence_closes_the_upstreams_connection_and_asks_nobody_else() => AtEachDoorAsync("pair", async call =>
    {
        call.On("a", Say.Nothing).On("b", Say.Well);
        await LeaveAsync(call, async () => await call.NthAsync("a", 1));
        var clock = Stopwatch.StartNew();

        await call.AskedAt("a")[0].Request.Disconnected.WaitAsync(TimeSpan.FromSeconds(5), Cancel);

        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(3));
        await Task.Delay(TimeSpan.FromSeconds(1), Cancel);
        Assert.Single(call.AskedAt("a"));
        Assert.Empty(call.AskedAt("b"));
    });

    [Fact]
    public Task Leaving_in_the_queue_gives_the_place_in_it_back() => AtEachDoorAsync("narrow", async call =>
    {
        var (held, answer) = ChoiceTests.Held();
        call.On("own", answer);
        var first = call.AskAsync("first");
        await call.NthAsync("own", 1);
        var waiting = Enumerable.Range(0, 3).Select(number => call.AskAsync($"waiting {number}")).ToArray();
        await Task.Delay(300, Cancel);
        await LeaveAsync(call, () => Task.Delay(400, Cancel), "left");
        await Task.Delay(300, Cancel);
        // The fourth and last that may wait, since the one before it has gone.
        var last = call.AskAsync("last");
        await Task.Delay(300, Cancel);

        held.SetResult();

        call.AssertAnswered(await first, Say.Text, "own=ok");
        await Task.WhenAll(waiting);
        call.AssertAnswered(await last, Say.Text, "own=ok");
        Assert.DoesNotContain("left", call.AskedAt("own").Select(a => a.Question));
    });

    [Fact]
    public async Task Leaving_while_another_carries_on_closes_that_connection()
    {
        var call = At(Door.ModelStream, "prefill").On("a", Say.Part(["One"], Piece.Abort)).On("c-f1", Say.Nothing);
        await LeaveAsync(call, async () => await call.NthAsync("c-f1", 1));

        await call.AskedAt("c-f1")[0].Request.Disconnected.WaitAsync(TimeSpan.FromSeconds(5), Cancel);
        await Task.Delay(TimeSpan.FromSeconds(1), Cancel);

        Assert.Equal((1, 1), (call.AskedAt("a").Count, call.AskedAt("c-f1").Count));
    }

    [Fact]
    public async Task A_trial_that_the_caller_leaves_decides_nothing()
    {
        var call = At(Door.ModelStream, "breaker").On("a", Say.Refuse(503));
        await call.AskAsync();
        await call.AskAsync();
        await Task.Delay(TimeSpan.FromSeconds(2.1), Cancel);
        call.On("a", Say.Nothing);
        await LeaveAsync(call, async () => await call.NthAsync("a", 3), "trial");
        await call.AskedAt("a")[2].Request.Disconnected.WaitAsync(TimeSpan.FromSeconds(5), Cancel);
        call.On("a", Say.Well);
        await Task.Delay(300, Cancel);

        call.AssertAnswered(await call.AskAsync("again"), Say.Text, "a=ok");
    }

    [Fact]
    public async Task A_request_in_a_backoff_keeps_the_configuration_that_it_began_with()
    {
        var isApplied = false;
        // Plain, since a stream's headers would go out in the wait and name the attempts until then.
        var call = At(Door.ModelPlain, "reload")
            .On("a", Answer.ByRequest(_ => Volatile.Read(ref isApplied) ? Say.Well : Say.Refuse(429, "5"))).On("b", Say.Well);
        var waiting = call.AskAsync("before");
        await call.NthAsync("a", 1);
        var yaml = await File.ReadAllTextAsync(Setup.Gateway.YamlFile, Cancel);
        var old = $"name: {call.Model}\n    deployments: [ {{ provider: a }} ]";
        Assert.Contains(old, yaml, StringComparison.Ordinal);
        await File.WriteAllTextAsync(
            Setup.Gateway.YamlFile, yaml.Replace(old, $"name: {call.Model}\n    deployments: [ {{ provider: b }} ]", StringComparison.Ordinal), Cancel);
        var clock = Stopwatch.StartNew();
        var number = 0;
        while (call.AskedAt("b").Count == 0)
        {
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(20), "The new file was not applied.");
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
            patience.CancelAfter(500);
            try
            {
                await call.AskAsync($"probe {number++}", cancel: patience.Token);
            }
            catch (OperationCanceledException) when (!Cancel.IsCancellationRequested)
            {
                // It was still the old one.
            }
        }

        Assert.False(waiting.IsCompleted);
        Volatile.Write(ref isApplied, true);
        Assert.Equal(200, (await waiting).Status);
        var tried = call.AskedAt("a").Count(a => a.Question == "before");
        call.AssertAttempts(await waiting, [.. Enumerable.Repeat("a=429", tried - 1), "a=ok"]);
        Assert.DoesNotContain(call.AskedAt("b"), a => a.Question == "before");
    }

    /// <summary>Asks, waits for something, and leaves.</summary>
    private static async Task LeaveAsync(Call call, Func<Task> until, string question = "hi")
    {
        using var leave = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var asked = call.AskAsync(question, cancel: leave.Token);
        await until();
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asked);
    }
}
