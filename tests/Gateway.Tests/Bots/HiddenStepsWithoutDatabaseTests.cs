using Gateway.Bots;
using Gateway.Tests.Limits;
using Gateway.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Gateway.Tests.Bots;

/// <summary>While the database does not answer, a gateway remembers by itself what its callers come back for.</summary>
public sealed class HiddenStepsWithoutDatabaseTests
{
    [Fact]
    public async Task Steps_are_kept_in_memory_and_others_are_done_without()
    {
        var cancel = TestContext.Current.CancellationToken;
        await using var nowhere = NpgsqlDataSource.Create($"Host=127.0.0.1;Port={FreePort.Next()};Timeout=1");
        var steps = new HiddenSteps(nowhere, TimeProvider.System, NullLogger<HiddenSteps>.Instance);
        var workspace = Guid.NewGuid();
        StepCall[] calls = [Call("up_1"), Call("up_2")];

        await steps.KeepAsync(workspace, "bot", calls, [.. "[]"u8]);

        string[] ids = [calls[0].ShownId, calls[1].ShownId, HiddenSteps.NewCallId()];
        var found = await steps.FindAsync(workspace, "bot", ids, cancel);
        Assert.Equal(["up_1", "up_2"], found.Values.Select(c => c.UpstreamId).Order());
        Assert.NotNull(found[calls[0].ShownId].Steps);
        Assert.Null(found[calls[1].ShownId].Steps);
        Assert.Empty(await steps.FindAsync(workspace, "another", ids, cancel));
        Assert.Empty(await steps.FindAsync(Guid.NewGuid(), "bot", ids, cancel));
    }

    [Fact]
    public void Memory_lets_go_of_the_oldest_by_calls_by_bytes_and_by_age()
    {
        var clock = ShiftedClock.InMidMinute();
        var memory = new HiddenMemory(TimeSpan.FromHours(24), clock, mostCalls: 3, mostBytes: 100);
        var workspace = Guid.NewGuid();
        void Keep(string id, int bytes) => memory.Keep((workspace, "bot", id), new HiddenCall(id, bytes == 0 ? null : new byte[bytes]));
        string Kept() => string.Concat(new[] { "a", "b", "c", "d", "e", "f", "g" }.Where(id => memory.Find((workspace, "bot", id)) is not null));

        Keep("a", 40);
        Keep("b", 0);
        Keep("c", 0);
        Assert.Equal("abc", Kept());
        Keep("d", 30);
        Assert.Equal("bcd", Kept());
        Keep("e", 80);
        Assert.Equal("e", Kept());
        Keep("f", 101);
        Assert.Equal("", Kept());
        Keep("g", 100);
        Assert.Equal("g", Kept());
        clock.Advance(TimeSpan.FromHours(25));
        Assert.Equal("", Kept());
    }

    private static StepCall Call(string id)
    {
        var call = new StepCall();
        call.Add(new BotEvent.CallerToolCall(0, id, "function", "look_up", "{}"));
        return call;
    }
}
