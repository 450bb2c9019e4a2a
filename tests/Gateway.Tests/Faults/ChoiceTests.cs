using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Gateway.Tests.Support;

namespace Gateway.Tests.Faults;

/// <summary>Who is asked first, who is left alone, and what happens when a provider is full.</summary>
public sealed class ChoiceTests(FaultSetup setup) : FaultTest(setup)
{
    [Fact]
    public async Task Weights_share_the_requests()
    {
        var call = At(Door.ModelPlain, "even").On("a", Say.Well).On("b", Say.Well);

        for (var i = 0; i < 8; i++)
        {
            await FiftyAsync(call);
        }

        Assert.Equal(400, call.AskedAt("a").Count + call.AskedAt("b").Count);
        // 300 are expected; six deviations of a binomial are 52.
        Assert.InRange(call.AskedAt("a").Count, 240, 360);
    }

    [Fact]
    public Task An_open_circuit_is_not_asked_and_closes_by_a_trial() => AtEachDoorAsync("breaker", async call =>
    {
        call.On("a", Say.Refuse(503), Say.Refuse(503), Say.Well);
        for (var i = 0; i < 2; i++)
        {
            await call.AssertRefusedAsync(await call.AskAsync(), 503, null, "a=503");
        }

        var refused = await call.AskAsync();

        await call.AssertRefusedAsync(refused, 503, "upstream_unavailable");
        var wait = int.Parse(refused.Headers["Retry-After"], CultureInfo.InvariantCulture);
        Assert.InRange(wait, 1, 3);
        Assert.Equal(2, call.AskedAt("a").Count);

        await Task.Delay(TimeSpan.FromSeconds(2.1), Cancel);
        call.AssertAnswered(await call.AskAsync(), Say.Text, "a=ok");
        call.AssertAnswered(await call.AskAsync(), Say.Text, "a=ok");
    });

    [Fact]
    public async Task One_of_fifty_is_the_trial()
    {
        var call = At(Door.ModelStream, "breakerpair").On("a", Say.Refuse(503)).On("b", Say.Well);
        await call.AskAsync("first");
        await call.AskAsync("second");
        await Task.Delay(TimeSpan.FromSeconds(2.1), Cancel);

        var replies = await FiftyAsync(call);

        Assert.All(replies, reply => Assert.Equal((200, StreamEnding.Done), (reply.Status, reply.Ending)));
        Assert.Equal(3, call.AskedAt("a").Count);
    }

    [Fact]
    public Task An_open_circuit_is_passed_over() => AtEachDoorAsync("breakerpair", async call =>
    {
        call.On("a", Answer.HangUp).On("b", Say.Well);
        call.AssertAnswered(await call.AskAsync(), Say.Text, "a=connect", "b=ok");
        call.AssertAnswered(await call.AskAsync(), Say.Text, "a=connect", "b=ok");

        call.AssertAnswered(await call.AskAsync(), Say.Text, "b=ok");
    });

    [Fact]
    public async Task An_open_circuit_is_shown_to_the_operator()
    {
        var call = At(Door.ModelStream, "breaker").On("a", Say.Refuse(500));
        await call.AskAsync();
        await call.AskAsync();

        using var operators = Setup.Gateway.Client(GatewayProcess.AdminKey);
        var list = JsonNode.Parse(await operators.GetStringAsync(new Uri("/admin/v1/deployments", UriKind.Relative), Cancel))!["data"]!.AsArray();

        Assert.Equal("open", (string?)Assert.Single(list, d => (string?)d!["model"] == call.Model)!["circuit"]);
    }

    [Fact]
    public async Task Breaks_behind_content_open_the_circuit_too()
    {
        var call = At(Door.ModelStream, "breaker").On("a", Say.CutAfterContent);
        // Each is one good and one bad: half of them, which is the limit.
        call.AssertBroken(await call.AskAsync(), 502, "upstream_unavailable");

        await call.AssertRefusedAsync(await call.AskAsync(), 503, "upstream_unavailable");
    }

    [Fact]
    public async Task Refusals_below_500_open_no_circuit()
    {
        foreach (var (status, told) in new[] { (429, 429), (400, 400), (401, 502) })
        {
            var call = At(Door.ModelStream, "breaker").On("a", Say.Refuse(status, "30"));
            for (var i = 0; i < 5; i++)
            {
                Assert.Equal(told, (await call.AskAsync()).Status);
            }

            Assert.Equal(5, call.AskedAt("a").Count);
        }
    }

    [Fact]
    public Task A_full_provider_has_a_queue_and_behind_it_a_refusal() => AtEachDoorAsync("narrow", async call =>
    {
        var (held, answer) = Held();
        call.On("own", answer, Say.Well);
        var first = call.AskAsync("first");
        await call.NthAsync("own", 1);
        var waiting = await FillQueueAsync(call);

        var last = await call.AskAsync("last");

        await call.AssertRefusedAsync(last, 503, "upstream_overloaded");
        Assert.Single(call.AskedAt("own"));
        held.SetResult();
        call.AssertAnswered(await first, Say.Text, "own=ok");
        foreach (var reply in await Task.WhenAll(waiting))
        {
            call.AssertAnswered(reply, Say.Text, "own=ok");
        }
    });

    [Fact]
    public Task A_full_provider_is_passed_over_while_another_deployment_has_room() => AtEachDoorAsync("narrowpair", async call =>
    {
        var (held, answer) = Held();
        call.On("own", answer).On("b", Say.Well);
        var first = call.AskAsync("first");
        await call.NthAsync("own", 1);

        call.AssertAnswered(await call.AskAsync("second"), Say.Text, "b=ok");

        held.SetResult();
        call.AssertAnswered(await first, Say.Text, "own=ok");
    });

    [Fact]
    public Task A_fallback_is_for_those_who_find_the_queue_full_too() => AtEachDoorAsync("narrowchain", async call =>
    {
        var (held, answer) = Held();
        call.On("own", answer).On("c-f1", Say.Well);
        var first = call.AskAsync("first");
        await call.NthAsync("own", 1);
        var waiting = await FillQueueAsync(call);

        call.AssertAnswered(await call.AskAsync("last"), Say.Text, "c-f1=ok");

        held.SetResult();
        call.AssertAnswered(await first, Say.Text, "own=ok");
        foreach (var reply in await Task.WhenAll(waiting))
        {
            call.AssertAnswered(reply, Say.Text, "own=ok");
        }
    });

    [Fact]
    public async Task A_broken_attempt_gives_its_place_back()
    {
        foreach (var trouble in new[] { Say.Refuse(429, "30"), Answer.HangUp, Say.CutAfterContent, Say.CutBeforeContent })
        {
            var call = At(Door.ModelStream, "narrow").On("own", trouble);
            await call.AskAsync();
            call.On("own", Say.Well);

            call.AssertAnswered(await call.AskAsync(), Say.Text, "own=ok");
        }
    }

    /// <summary>A good answer that waits until it is let go.</summary>
    internal static (TaskCompletionSource Held, UpstreamAnswer Answer) Held()
    {
        var held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return (held, async (http, request) =>
        {
            if (request.Body.AsSpan().IndexOf("first"u8) >= 0)
            {
                await held.Task.WaitAsync(http.RequestAborted);
            }

            await Say.Well(http, request);
        }
        );
    }

    /// <summary>Asks until the queue of a provider with one place is full: four times as many wait as have a place.</summary>
    private async Task<Task<RawReply>[]> FillQueueAsync(Call call)
    {
        var waiting = Enumerable.Range(0, 4).Select(number => call.AskAsync($"waiting {number}")).ToArray();
        await UntilQueuedAsync(call.Model, waiting.Length);
        return waiting;
    }

    /// <summary>Until so many requests wait for a place at the provider of this model, as the operator sees it.</summary>
    private async Task UntilQueuedAsync(string model, int waiting)
    {
        using var operators = Setup.Gateway.Client(GatewayProcess.AdminKey);
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < TimeSpan.FromSeconds(15); await Task.Delay(50, Cancel))
        {
            var list = JsonNode.Parse(await operators.GetStringAsync(new Uri("/admin/v1/deployments", UriKind.Relative), Cancel))!["data"]!.AsArray();
            if (list.Any(d => (string?)d!["model"] == model && (int?)d["queued"] == waiting))
            {
                return;
            }
        }

        throw new TimeoutException($"Nobody queued for {model}.");
    }
}
