using System.Text.Json.Nodes;
using Gateway.Tests.Support;

namespace Gateway.Tests.Bots;

/// <summary>Bots that ask bots.</summary>
public sealed class TeamTests(TurnSetup setup) : TurnTest(setup)
{
    [Fact]
    public async Task Usage_is_the_sum_with_a_line_for_each_step_of_each_bot()
    {
        Setup.Script("lead", Says.Calls("", ("ask_member", Says.Message("A")), ("ask_other", Says.Message("B"))), Says.Text("Both."));
        Setup.Script("member", Says.Text("A."));
        Setup.Script("other", Says.Text("B."));

        var reply = await Setup.AskAsync("lead", "Go", false, Cancel);

        var (steps, input, count) = await Setup.UsageAsync(reply.Headers["x-request-id"], Cancel);
        Assert.Equal((12L, 4), (input, count));
        Assert.Equal(12, (int)JsonNode.Parse(reply.Body)!["usage"]!["prompt_tokens"]!);
        Assert.Equal(
            ["lead 1 1 ask_member,ask_other", "member 2 1 ", "other 2 1 ", "lead 1 2 "],
            steps.Select(s => $"{s!["bot"]} {s["depth"]} {s["step"]} {string.Join(',', s["tools"]!.AsArray())}")
                .OrderBy(s => s.EndsWith("1 2 ", StringComparison.Ordinal)).ThenBy(s => s, StringComparer.Ordinal));
        Assert.All(steps, s => Assert.Equal((3, 2, 0.5m), ((int)s!["input_tokens"]!, (int)s["output_tokens"]!, (decimal)s["usd"]!)));
    }

    [Fact]
    public async Task Three_levels_with_a_circle_end_within_their_limits()
    {
        var low = Says.Message("say:From below.");
        var middle = Says.Message($"call:ask_sim-low {low}\ncall:ask_sim-top {Says.Message("Again?")}");

        var reply = await Setup.AskAsync("sim-top", $"!loop call:nothing {{}}\ncall:ask_sim-middle {middle}", false, Cancel);

        Assert.Equal(200, reply.Status);
        Assert.Contains("From below.", (string?)MessageOf(reply)["content"], StringComparison.Ordinal);
        var (steps, _, count) = await Setup.UsageAsync(reply.Headers["x-request-id"], Cancel);
        Assert.Equal(["sim-low:3", "sim-middle:2", "sim-top:1"], steps.Select(s => $"{s!["bot"]}:{s["depth"]}").Distinct().Order());
        Assert.InRange(count, 5, 3 + (3 * 3) + (3 * 3 * 3));
    }

    [Fact]
    public async Task Three_levels_that_ask_everybody_again_and_again_stay_within_the_limits_of_the_first()
    {
        foreach (var bot in new[] { "chief", "captain", "bosun", "deckhand", "cook" })
        {
            Setup.Script(bot, Answer.ByRequest(r => ToolsIn(r.Json).Any() && (string?)r.Json["tool_choice"] != "none"
                ? Says.Calls("", [.. ToolsIn(r.Json).Select(tool => (tool!, Says.Message("And you?")))])
                : Says.Text($"From the {bot}.")));
        }

        var reply = await Setup.AskAsync("chief", "Go", false, Cancel);

        Assert.Equal(("From the chief.", "stop"), ((string?)MessageOf(reply)["content"], FinishOf(reply)));
        var (steps, _, _) = await Setup.UsageAsync(reply.Headers["x-request-id"], Cancel);
        var seen = steps.Select(s => (Bot: (string?)s!["bot"], Depth: (int)s["depth"]!, Number: (int)s["step"]!)).ToList();
        Assert.Equal([1, 2, 3], seen.Select(s => s.Depth).Distinct().Order());
        Assert.All(seen, s => Assert.Equal(s.Depth == 1, s.Bot == "chief"));
        Assert.InRange(seen.Count(s => s is { Depth: > 1, Number: 1 }), 4, 10);
        // Those below have used up the tools of all: it is not offered them again.
        Assert.Equal(2, seen.Count(s => s.Depth == 1));
        Assert.Equal(["ask_bosun", "ask_captain"], ToolsIn(Setup.Asked("chief")[0]).Order());
        Assert.All(Setup.Upstream.Requests, r => Assert.True(r.Model == "chief" || !ToolsIn(r.Json).Contains("ask_chief")));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task When_the_caller_leaves_every_branch_of_three_levels_is_ended(bool stream)
    {
        Setup.Script("chief", Says.Calls("", ("ask_captain", Says.Message("A")), ("ask_bosun", Says.Message("B"))));
        Setup.Script("captain", Says.Asks("deckhand", "A"));
        Setup.Script("bosun", Says.Calls("", ("ask_deckhand", Says.Message("B")), ("ask_cook", Says.Message("C"))));
        Setup.Script("deckhand", Answer.Stream(Piece.Of(Chat.Wire.Role() + Chat.Wire.Text("A")), Piece.Stall));
        Setup.Script("cook", Answer.After(TimeSpan.FromMinutes(5), Says.Text("Too late.")));
        using var leave = CancellationTokenSource.CreateLinkedTokenSource(Cancel);

        var asking = Setup.AskAsync("chief", "Go", stream, leave.Token);
        var requests = new List<UpstreamRequest>();
        while (requests.Count < 6)
        {
            requests.Add(await Setup.Upstream.NextRequestAsync(Cancel));
        }

        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);

        var branches = requests.Where(r => r.Model is "deckhand" or "cook").ToList();
        Assert.Equal(["cook", "deckhand", "deckhand"], branches.Select(b => b.Model).Order());
        await Task.WhenAll(branches.Select(b => b.Disconnected)).WaitAsync(TimeSpan.FromSeconds(10), Cancel);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task When_the_caller_leaves_every_branch_is_ended(bool stream)
    {
        Setup.Script("lead", Says.Calls("", ("ask_member", Says.Message("A")), ("ask_other", Says.Message("B"))));
        Setup.Script("member", Answer.Stream(Piece.Of(Chat.Wire.Role() + Chat.Wire.Text("A")), Piece.Stall));
        Setup.Script("other", Answer.Stream(Piece.Stall));
        using var leave = CancellationTokenSource.CreateLinkedTokenSource(Cancel);

        var asking = Setup.AskAsync("lead", "Go", stream, leave.Token);
        await Setup.Upstream.NextRequestAsync(Cancel);
        UpstreamRequest[] branches = [await Setup.Upstream.NextRequestAsync(Cancel), await Setup.Upstream.NextRequestAsync(Cancel)];
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);

        Assert.Equal(["member", "other"], branches.Select(b => b.Model).Order());
        await Task.WhenAll(branches.Select(b => b.Disconnected)).WaitAsync(TimeSpan.FromSeconds(10), Cancel);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_conversation_that_is_handed_over_is_answered_by_the_member(bool stream)
    {
        Setup.Script("giver", Says.Calls("One moment.", ("ask_member", Says.Message("They want to know."))));
        Setup.Script("member", Says.Text("I take over."));

        var reply = await Setup.AskAsync("giver", "Who?", stream, Cancel, ",\"temperature\":0.5");

        Assert.Equal(
            "One moment.\n\nI take over.", stream ? Transcript.ContentOf(reply.Body) : (string?)MessageOf(reply)["content"]);
        var asked = Assert.Single(Setup.Asked("member"));
        Assert.Equal(["system", "user"], RolesIn(asked));
        Assert.Contains("They want to know.", (string?)asked["messages"]![0]!["content"], StringComparison.Ordinal);
        Assert.Equal(("Who?", 0.5), ((string?)asked["messages"]![1]!["content"], (double)asked["temperature"]!));
        Assert.Single(Setup.Asked("giver"));
    }

    [Fact]
    public async Task A_member_that_cannot_take_over_leaves_the_turn_to_who_asked()
    {
        Setup.Script("giver", Says.Asks("member", "Take it."), Says.Text("Then I answer."));
        Setup.Script("member", Answer.Refusal(500));

        var reply = await Setup.AskAsync("giver", "Who?", false, Cancel);

        Assert.Equal("Then I answer.", (string?)MessageOf(reply)["content"]);
    }
}
