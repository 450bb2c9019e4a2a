using System.Globalization;
using System.Text.Json;
using Gateway.Data;
using Gateway.Http;
using Gateway.Upstream;

namespace Gateway.Bots;

/// <summary>
/// The steps of one bot's turn: asks the model, runs what it calls of the bot's own tools, and asks again, until the model
/// stops, calls a tool of the caller's, or a limit is met. Used once.
/// </summary>
/// <param name="story">The backstory, its placeholders filled in.</param>
internal sealed class TurnLoop(
    ModelCalls models, HiddenSteps hidden, TimeProvider clock, ILogger log, TurnScope scope, ModelRoute route, TurnBody body,
    Toolset tools, string story)
{
    private readonly ToolRuns _runs = new(tools, scope, clock, log);
    private readonly CallerTools _callers = scope.OffersCallerTools ? body.CallerTools : CallerTools.None;
    private readonly bool _hasOwn = tools.Tools.Count > 0;
    private readonly List<TurnMessage> _hidden = [];
    private readonly string _prompt = TurnPrompt.Compose(story, tools, scope);
    private int _toolCalls;
    private int _callsSeen;
    private bool _hasSpoken;
    private bool _speaks;

    /// <exception cref="OperationCanceledException">The caller left.</exception>
    public async IAsyncEnumerable<BotEvent> RunAsync()
    {
        for (var number = 1; ; number++)
        {
            if (scope.Time.RanOut || body.IsUsedUp(scope.OutputUsed) || (number > 1 && scope.Tree.IsBudgetSpent))
            {
                yield return Finished("length");
                yield break;
            }

            var isAnswer = number > 1 && IsLast(number);
            var (call, offer) = Compose(number, isAnswer);
            if (await ReserveAsync(call) is { } refused)
            {
                yield return refused;
                yield break;
            }

            var calls = offer is null ? null : new StepCalls(_callers);
            await using var step = new ModelStep(models, call, scope, calls, body.HasAnswerForm);
            while (await step.ReadAsync())
            {
                foreach (var happened in step.Events)
                {
                    foreach (var shown in Joined(happened))
                    {
                        yield return shown;
                    }
                }
            }

            if (End(step, call, calls, isAnswer || number >= scope.Bot.Turn.Steps) is { } end)
            {
                foreach (var held in end is BotEvent.Failed ? [] : step.Held)
                {
                    foreach (var shown in Joined(held))
                    {
                        yield return shown;
                    }
                }

                if (end is BotEvent.Finished && calls?.Callers.Count > 0 && _hidden.Count > 0)
                {
                    await KeepAsync(step.Text, calls);
                }

                yield return end;
                yield break;
            }

            // Its place at the provider is another's while tools run.
            await step.DisposeAsync();
            _speaks = false;
            scope.OutputUsed += call.Step!.Totals().Output;
            call.Step.Tools = [.. calls!.Own.Select(c => c.Name)];
            await foreach (var happened in ToolsAsync(number, step, calls))
            {
                foreach (var shown in Joined(happened))
                {
                    yield return shown;
                }

                if (happened is BotEvent.Finished or BotEvent.Failed)
                {
                    yield break;
                }
            }
        }
    }

    private bool IsLast(int number) =>
        number >= scope.Bot.Turn.Steps || _toolCalls >= scope.Bot.Turn.ToolCalls || scope.Time.IsNearEnd || scope.Tree.IsBudgetNearEnd;

    private (UpstreamCall Call, ToolOffer? Offer) Compose(int number, bool isAnswer)
    {
        var offer = _hasOwn || !scope.OffersCallerTools ? _callers.Offer(isOnly: number == 1 && scope.Bot.Turn.Steps == 1, isAnswer) : null;
        // A bot whose own tools are none has nothing to offer, and a choice without tools is refused.
        offer = offer is not null && !_hasOwn ? offer with { OfBot = false, Choice = null } : offer;
        var composed = body.Compose(_prompt, scope.Messages, tools, offer, scope.OutputUsed);
        if (Trim(composed))
        {
            composed = body.Compose(_prompt, scope.Messages, tools, offer, scope.OutputUsed);
        }

        var call = new UpstreamCall
        {
            Route = route,
            Path = "chat/completions",
            Body = composed,
            Usage = scope.Tree.Metered.Usage,
            Step = scope.Tree.Metered.Usage.BeginStep(scope.Bot.Id, scope.Depth, number, route.Model.Name),
            IsStream = true,
            WantsUsage = true,
        };
        return (call, offer);
    }

    /// <summary>Whether the conversation had to be made shorter.</summary>
    private bool Trim(JsonBody composed)
    {
        if (route.Model.ContextTokens is not { } context)
        {
            return false;
        }

        var prompt = PromptEstimate.Prompt(composed);
        // A guess of what an answer may take must not empty a small context.
        var answer = PromptEstimate.Asked(composed) ?? Math.Min(PromptEstimate.Output(composed, route.Model, 1, prompt), context / 4);
        var over = prompt + answer - context;
        if (over <= 0)
        {
            return false;
        }

        var (results, turns) = ContextTrim.Fit(scope.Messages, scope.Messages.All.Sum(m => m.Tokens) - over);
        scope.Tree.Trimmed(results, turns);
        return results + turns > 0;
    }

    /// <returns>How the turn ends before its step began; null: it may be sent.</returns>
    private async Task<BotEvent?> ReserveAsync(UpstreamCall call)
    {
        try
        {
            var limits = scope.Bot.Limits is { } own ? (scope.Bot.Id, own) : ((string, LimitValues)?)null;
            return await scope.Tree.Metered.ReserveAsync(call.Need(), limits, scope.Time.Whole) is { } limited
                ? new BotEvent.Failed(limited)
                : null;
        }
        catch (OperationCanceledException) when (scope.Time.RanOut)
        {
            return Finished("length");
        }
    }

    /// <returns>How the turn ends with this step; null: the bot's own tools are to be run.</returns>
    private BotEvent? End(ModelStep step, UpstreamCall call, StepCalls? calls, bool isLast)
    {
        if (step.Error is { } error)
        {
            return new BotEvent.Failed(Told(error, call));
        }

        if (step.IsCut)
        {
            var used = call.Step!.Totals();
            scope.Tree.Add(new TokenUsage((int)used.Input, (int)used.Output, 0, 0));
            return Finished("length");
        }

        scope.Tree.Add(step.Usage);
        var end = Finished(step.FinishReason).Checked(scope.Request.Selector);
        if (calls is null || calls.Own.Count == 0 || end is not BotEvent.Finished || step.FinishReason is "length" or "content_filter")
        {
            return end;
        }

        // It was told not to call anything, or has no time to hear of it.
        return isLast || scope.Time.RanOut ? Finished("length") : null;
    }

    private async IAsyncEnumerable<BotEvent> ToolsAsync(int number, ModelStep step, StepCalls calls)
    {
        var own = calls.Own;
        var results = new Dictionary<StepCall, string>();
        if (calls.Callers.Count == 0 && own.FirstOrDefault(IsHandoff) is { } handoff)
        {
            await foreach (var happened in HandOffAsync(number, handoff, results))
            {
                yield return happened;
                if (happened is BotEvent.Finished or BotEvent.Failed)
                {
                    yield break;
                }
            }

            own = [];
        }

        Add(StepMessages.Assistant(step.Text, calls.All));
        await foreach (var happened in RunAllAsync(number, own, results))
        {
            yield return happened;
        }

        foreach (var call in calls.Own)
        {
            Add(StepMessages.Result(
                call.UpstreamId, results.GetValueOrDefault(call, "Not run: the conversation was to be handed over.")));
        }

        if (calls.Callers.Count > 0)
        {
            await hidden.KeepAsync(scope.Context.Caller.WorkspaceId, scope.Bot.Id, calls.Callers, HiddenMessages.Join(_hidden));
            yield return Finished("tool_calls");
        }
    }

    private async IAsyncEnumerable<BotEvent> RunAllAsync(int number, IReadOnlyList<StepCall> own, Dictionary<StepCall, string> results)
    {
        var numbers = new Dictionary<StepCall, int>();
        foreach (var call in own)
        {
            numbers[call] = ++_callsSeen;
            yield return new BotEvent.ToolStarted(number, numbers[call], call.Name);
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
                yield return new BotEvent.ToolDone(number, numbers[done.Call], done.Call.Name, done.Result.IsFailure, done.Duration);
            }
        }
        finally
        {
            // Nothing of a turn outlives it: what its members use is recorded with the request.
            await stop.CancelAsync();
            await ((Task)Task.WhenAll(running)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Counts a call, for this bot and for all bots of the request together.</summary>
    private bool MayCall() => ++_toolCalls <= scope.Bot.Turn.ToolCalls && scope.Tree.MayCallTool();

    private bool IsHandoff(StepCall call) => tools.Find(call.Name) is MemberTool { IsHandoff: true };

    /// <summary>The member's answer, as the turn's. What keeps it from beginning is told to the model instead.</summary>
    private async IAsyncEnumerable<BotEvent> HandOffAsync(int number, StepCall call, Dictionary<StepCall, string> results)
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
        yield return new BotEvent.ToolStarted(number, seen, call.Name);
        var began = clock.GetTimestamp();
        var hasBegun = false;
        await foreach (var happened in scope.Turns.HandOffAsync(scope, member, message))
        {
            if (happened is BotEvent.Failed failed && !hasBegun)
            {
                results[call] = $"{member.Name} could not answer: {failed.Error.Code ?? failed.Error.Type}.";
                yield return new BotEvent.ToolDone(number, seen, call.Name, true, clock.GetElapsedTime(began));
                yield break;
            }

            hasBegun = true;
            if (happened is BotEvent.Finished)
            {
                yield return new BotEvent.ToolDone(number, seen, call.Name, false, clock.GetElapsedTime(began));
            }

            yield return happened;
        }
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

    private Task KeepAsync(string text, StepCalls calls) => hidden.KeepAsync(
        scope.Context.Caller.WorkspaceId, scope.Bot.Id, calls.Callers,
        HiddenMessages.Join([.. _hidden, StepMessages.Assistant(text, calls.All)]));

    /// <summary>An event, and before the first text of a step the blank line that parts it from an earlier one's.</summary>
    private IEnumerable<BotEvent> Joined(BotEvent happened)
    {
        if (happened is BotEvent.Text { Piece.Length: > 0 })
        {
            if (_hasSpoken && !_speaks)
            {
                yield return new BotEvent.Text("\n\n", null);
            }

            _hasSpoken = _speaks = true;
        }

        yield return happened;
    }

    private BotEvent.Finished Finished(string reason) => new(reason, scope.Tree.Usage);

    // What an upstream says of a request tells of what the bot added to it, which is not the caller's to know.
    private ApiError Told(ApiError said, UpstreamCall call)
    {
        var isOfOwnTool = _hasOwn && said.Param?.StartsWith("tools[", StringComparison.Ordinal) == true
            && int.TryParse(said.Param.AsSpan(6, Math.Max(0, said.Param.IndexOf(']', StringComparison.Ordinal) - 6)), NumberStyles.None, CultureInfo.InvariantCulture, out var index)
            && index < tools.Tools.Count;
        var concealed = isOfOwnTool
            ? said with { Message = "The bot's model refused one of the bot's tools.", Param = null }
            : Backstory.Conceal(said, TurnPrompt.Private(_prompt, story, tools, _hidden, scope));
        var offersOwn = _hasOwn && call.Body.TryGet("tools"u8, out _);
        return MessagePositions.Restore(
            concealed, scope.Messages.All, _prompt.Length > 0 ? 1 : 0, offersOwn ? tools.Tools.Count : 0);
    }
}
