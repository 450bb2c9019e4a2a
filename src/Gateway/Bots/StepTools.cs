using System.Text.Json;

namespace Gateway.Bots;

/// <summary>
/// What becomes of the calls that a step makes of the bot's own tools: they run, and their results join the conversation; or
/// another bot takes the conversation over. Used by one turn, one step at a time.
/// </summary>
internal sealed class StepTools(Toolset tools, TurnScope scope, TimeProvider clock, ILogger log)
{
    private readonly ToolRuns _runs = new(tools, scope, clock, log);
    private readonly List<TurnMessage> _hidden = [];
    private int _calls;
    private int _callsSeen;
    private int _lastStep;

    /// <summary>What the turn has added to the conversation so far.</summary>
    public IReadOnlyList<TurnMessage> Hidden => _hidden;

    /// <summary>Whether the bot may call no more tools, by itself or since those that it asked have called as many.</summary>
    public bool AreUsedUp => _calls >= scope.Bot.Turn.ToolCalls || scope.Tree.AreToolsUsedUp;

    /// <summary>Runs a step's calls.</summary>
    /// <param name="said">The step's text.</param>
    /// <returns>
    /// What happens meanwhile; ends with <see cref="BotEvent.Finished"/> or <see cref="BotEvent.Failed"/> when another bot
    /// has taken over.
    /// </returns>
    /// <exception cref="OperationCanceledException">The caller left.</exception>
    public async IAsyncEnumerable<BotEvent> RunAsync(string said, StepCalls calls)
    {
        var (step, own) = (++_lastStep, calls.Own);
        var results = new Dictionary<StepCall, string>();
        if (calls.Callers.Count == 0 && own.FirstOrDefault(IsHandoff) is { } handoff)
        {
            await foreach (var happened in HandOffAsync(step, handoff, results))
            {
                yield return happened;
                if (happened is BotEvent.Finished or BotEvent.Failed)
                {
                    yield break;
                }
            }

            own = [];
        }

        Add(StepMessages.Assistant(said, calls.All));
        await foreach (var happened in RunAllAsync(step, own, results))
        {
            yield return happened;
        }

        foreach (var call in calls.Own)
        {
            Add(StepMessages.Result(
                call.UpstreamId, results.GetValueOrDefault(call, "Not run: the conversation was to be handed over.")));
        }
    }

    private async IAsyncEnumerable<BotEvent> RunAllAsync(int step, IReadOnlyList<StepCall> own, Dictionary<StepCall, string> results)
    {
        var numbers = new Dictionary<StepCall, int>();
        foreach (var call in own)
        {
            numbers[call] = ++_callsSeen;
            yield return new BotEvent.ToolStarted(step, numbers[call], call.Name, KindOf(call));
        }

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(scope.Time.Tools);
        var isTooDear = scope.Tree.IsBudgetNearEnd;
        var running = own.Select(call => _runs.RunAsync(
            call, isTooDear || !MayCall() ? ToolRuns.NoMore : null, stop.Token)).ToList();
        try
        {
            await foreach (var ended in Task.WhenEach(running))
            {
                var done = await ended;
                results[done.Call] = done.Result.Text;
                yield return new BotEvent.ToolDone(step, numbers[done.Call], done.Call.Name, done.Result.IsFailure, done.Duration);
            }
        }
        finally
        {
            // Nothing of a turn outlives it: what its members use is recorded with the request.
            await stop.CancelAsync();
            await ((Task)Task.WhenAll(running)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>One that there is not is told to the model as any other that failed.</summary>
    private ToolKind KindOf(StepCall call) => tools.Find(call.Name)?.Kind ?? ToolKind.Ability;

    /// <summary>Counts a call, for this bot and for all bots of the request together.</summary>
    private bool MayCall() => ++_calls <= scope.Bot.Turn.ToolCalls && scope.Tree.MayCallTool();

    private bool IsHandoff(StepCall call) => tools.Find(call.Name) is MemberTool { IsHandoff: true };

    /// <summary>The member's answer, as the turn's. What keeps it from beginning is told to the model instead.</summary>
    private async IAsyncEnumerable<BotEvent> HandOffAsync(int step, StepCall call, Dictionary<StepCall, string> results)
    {
        var tool = (MemberTool)tools.Find(call.Name)!;
        var message = Words(call);
        var member = scope.Tree.IsBudgetNearEnd || !MayCall() ? null : await tool.FindAsync(scope.Context, scope.Time.Caller);
        if (message is null || member is null)
        {
            results[call] = message is null ? "'message' must be a text that is not empty." : "This assistant is not available now.";
            yield break;
        }

        var seen = ++_callsSeen;
        yield return new BotEvent.ToolStarted(step, seen, call.Name, ToolKind.Member);
        var began = clock.GetTimestamp();
        var hasSpoken = false;
        await foreach (var happened in scope.Turns.HandOffAsync(scope, member, message))
        {
            if (happened is BotEvent.ToolStarted or BotEvent.ToolDone)
            {
                if (member.ExposeSteps)
                {
                    yield return Behind(happened, step, seen);
                }

                continue;
            }

            if (happened is BotEvent.Failed failed && !hasSpoken)
            {
                results[call] = $"{member.Name} could not answer: {failed.Error.Code ?? failed.Error.Type}.";
                yield return new BotEvent.ToolDone(step, seen, call.Name, true, clock.GetElapsedTime(began));
                yield break;
            }

            hasSpoken = true;
            if (happened is BotEvent.Finished)
            {
                yield return new BotEvent.ToolDone(step, seen, call.Name, false, clock.GetElapsedTime(began));
            }

            yield return happened;
        }
    }

    /// <summary>A member's step or call with a number behind those of the turn: the caller counts one turn.</summary>
    private BotEvent Behind(BotEvent happened, int step, int call)
    {
        var (ofStep, ofCall) = happened is BotEvent.ToolStarted started ? (started.Step, started.Call)
            : happened is BotEvent.ToolDone done ? (done.Step, done.Call) : default;
        (_lastStep, _callsSeen) = (Math.Max(_lastStep, step + ofStep), Math.Max(_callsSeen, call + ofCall));
        return happened switch
        {
            BotEvent.ToolStarted one => one with { Step = step + ofStep, Call = call + ofCall },
            BotEvent.ToolDone one => one with { Step = step + ofStep, Call = call + ofCall },
            _ => happened,
        };
    }

    private static string? Words(StepCall call)
    {
        try
        {
            using var arguments = JsonDocument.Parse(call.Arguments);
            return MemberTool.Message(arguments.RootElement);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private void Add(TurnMessage message)
    {
        _hidden.Add(message);
        scope.Messages.Add(message);
    }
}
