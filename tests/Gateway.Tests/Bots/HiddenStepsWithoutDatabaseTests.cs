using Gateway.Bots;
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
        Assert.NotNull(found[calls[0].ShownId].Messages);
        Assert.Null(found[calls[1].ShownId].Messages);
        Assert.Empty(await steps.FindAsync(workspace, "another", ids, cancel));
        Assert.Empty(await steps.FindAsync(Guid.NewGuid(), "bot", ids, cancel));
    }

    private static StepCall Call(string id)
    {
        var call = new StepCall();
        call.Add(new BotEvent.CallerToolCall(0, id, "function", "look_up", "{}"));
        return call;
    }
}
