using System.Globalization;
using Gateway.Tests.Support;

namespace Gateway.Tests.Faults;

/// <summary>What the fault suite's tests share.</summary>
[Collection(FaultTestsShareOneGateway.Name)]
public abstract class FaultTest(FaultSetup setup) : IAsyncLifetime
{
    /// <summary>Those behind which the provider is asked for a stream: a bot streams whatever its caller wants.</summary>
    private protected static readonly Door[] StreamedUpstream = [Door.ModelStream, Door.BotStream, Door.BotPlain];

    private protected static readonly Door[] Models = [Door.ModelStream, Door.ModelPlain];

    private int _logged;

    protected FaultSetup Setup { get; } = setup;

    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync()
    {
        _logged = Setup.Gateway.Output.Length;
        return ValueTask.CompletedTask;
    }

    /// <summary>Whatever a test did, the gateway lives and nothing in it went wrong that it did not foresee.</summary>
    public ValueTask DisposeAsync()
    {
        Assert.False(Setup.Gateway.HasExited, "The gateway has ended.");
        Assert.DoesNotContain(Setup.Gateway.Output[_logged..].Split('\n'), IsUnforeseen);
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    private protected Call At(Door door, string profile) => new(Setup, door, Setup.Take(profile));

    /// <summary>Runs a case at each door at the same time, each with a model of its own.</summary>
    private protected Task AtEachDoorAsync(string profile, Func<Call, Task> test, params Door[] doors) =>
        Task.WhenAll((doors.Length == 0 ? Enum.GetValues<Door>() : doors).Select(door => test(At(door, profile))));

    /// <summary>Asks fifty different questions at the same time.</summary>
    private protected static Task<RawReply[]> FiftyAsync(Call call) => Task.WhenAll(
        Enumerable.Range(1, 50).Select(i => call.AskAsync(string.Create(CultureInfo.InvariantCulture, $"question {i}"))));

    private static bool IsUnforeseen(string line) =>
        line.Contains(" ERR ", StringComparison.Ordinal) || line.Contains(" FTL ", StringComparison.Ordinal)
        || line.Contains("\"@l\":\"Error\"", StringComparison.Ordinal) || line.Contains("\"@l\":\"Fatal\"", StringComparison.Ordinal);
}
