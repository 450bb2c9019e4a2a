using System.Globalization;
using Gateway.Data;
using Gateway.Http;
using Gateway.Upstream;

namespace Gateway.Bots;

/// <summary>
/// The steps of one bot's turn: asks the model, runs what it calls of the bot's own tools, and asks again, until the model
/// stops, calls a tool of the caller's, or a limit is met. Used once.
/// </summary>
/// <param name="story">The backstory, its placeholders filled in.</param>
/// <param name="prompt">The story, and all that is added to it.</param>
internal sealed class TurnLoop(
    ModelCalls models, HiddenSteps hidden, TimeProvider clock, ILogger log, TurnScope scope, ModelRoute route, TurnBody body,
    Toolset tools, string story, SystemPrompt prompt)
{
    /// <summary>What the last answer may have where the limits leave no room for a whole one, in tokens.</summary>
    private const int ShortAnswer = 256;

    private static readonly BotEvent.Text BlankLine = new("\n\n", null);

    private readonly bool _hasOwn = tools.Count > 0;
    private StepTools? _ownTools;
    private bool _hasSpoken;
    private bool _speaks;

    private StepTools Own => _ownTools ??= new(tools, scope, clock, log);

    private CallerTools Callers => scope.OffersCallerTools ? body.CallerTools : CallerTools.None;

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

            var (opened, offer, isAnswer, refused) = await BeginAsync(number);
            if (opened is not { } call)
            {
                yield return refused!;
                yield break;
            }

            var calls = offer is null ? null : new StepCalls(Callers);
            await using var step = new ModelStep(models, call, scope, calls, body.HasAnswerForm);
            while (await step.ReadAsync())
            {
                foreach (var happened in step.Events)
                {
                    if (BeginsText(happened))
                    {
                        yield return BlankLine;
                    }

                    yield return happened;
                }
            }

            if (End(step, call, calls, isAnswer || number >= scope.Bot.Turn.Steps) is { } end)
            {
                foreach (var held in end is BotEvent.Failed ? [] : step.Held)
                {
                    if (BeginsText(held))
                    {
                        yield return BlankLine;
                    }

                    yield return held;
                }

                if (end is BotEvent.Finished && calls?.Callers.Count > 0 && Own.Hidden.Count > 0)
                {
                    await KeepAsync(calls, StepMessages.Assistant(step.Text, calls.All));
                }

                yield return end;
                yield break;
            }

            // Its place at the provider is another's while tools run.
            await step.DisposeAsync();
            _speaks = false;
            scope.OutputUsed += call.Step!.Totals().Output;
            call.Step.Tools = [.. calls!.Own.Select(c => c.Name)];
            await foreach (var happened in Own.RunAsync(step.Text, calls))
            {
                if (BeginsText(happened))
                {
                    yield return BlankLine;
                }

                yield return happened;
                if (happened is BotEvent.Finished or BotEvent.Failed)
                {
                    yield break;
                }
            }

            if (calls.Callers.Count > 0)
            {
                await KeepAsync(calls);
                yield return Finished("tool_calls");
                yield break;
            }
        }
    }

    /// <summary>
    /// The next step, with what it may use reserved. Where the limits do not leave that much, a later step is asked for a
    /// short answer instead, and else ends the turn: what was said so far is worth more than an error.
    /// </summary>
    /// <returns>The call; or how the turn ends without it.</returns>
    private async ValueTask<(UpstreamCall? Call, ToolOffer? Offer, bool IsAnswer, BotEvent? End)> BeginAsync(int number)
    {
        var isAnswer = number > 1 && IsLast(number);
        var (call, offer) = Compose(isAnswer, most: null);
        var end = await ReserveAsync(call);
        if (end is BotEvent.Failed && number > 1)
        {
            isAnswer = true;
            (call, offer) = Compose(isAnswer, ShortAnswer);
            end = await ReserveAsync(call) is null ? null : Finished("length");
        }

        call.Step = end is null ? scope.Tree.Metered.Usage.BeginStep(scope.Bot.Id, scope.Depth, number, route.Model.Name) : null;
        return (end is null ? call : null, offer, isAnswer, end);
    }

    private bool IsLast(int number) =>
        number >= scope.Bot.Turn.Steps || Own.AreUsedUp || scope.Time.IsNearEnd || scope.Tree.IsBudgetNearEnd;

    private (UpstreamCall Call, ToolOffer? Offer) Compose(bool isAnswer, int? most)
    {
        var offer = _hasOwn || !scope.OffersCallerTools ? Callers.Offer(isOnly: scope.Bot.Turn.Steps == 1, isAnswer) : null;
        // A bot whose own tools are none has nothing to offer, and a choice without tools is refused.
        offer = offer is not null && !_hasOwn ? offer with { OfBot = false, Choice = null } : offer;
        var composed = body.Compose(prompt, scope.Messages, tools, offer, scope.OutputUsed, most);
        if (Trim(composed))
        {
            composed = body.Compose(prompt, scope.Messages, tools, offer, scope.OutputUsed, most);
        }

        var call = new UpstreamCall
        {
            Route = route,
            Path = "chat/completions",
            Body = composed,
            Usage = scope.Tree.Metered.Usage,
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

        var asked = PromptEstimate.Prompt(composed);
        // A guess of what an answer may take must not empty a small context.
        var answer = PromptEstimate.Asked(composed) ?? Math.Min(PromptEstimate.Output(composed, route.Model, 1, asked), context / 4);
        var over = asked + answer - context;
        if (over <= 0)
        {
            return false;
        }

        var (results, turns) = ContextTrim.Fit(scope.Messages, scope.Messages.All.Sum(m => m.Tokens) - over);
        scope.Tree.Trimmed(results, turns);
        return results + turns > 0;
    }

    /// <returns>How the turn ends before its step began; null: it may be sent.</returns>
    private async ValueTask<BotEvent?> ReserveAsync(UpstreamCall call)
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

    /// <param name="last">What the step said, where it is not among the hidden messages yet.</param>
    private Task KeepAsync(StepCalls calls, params IEnumerable<TurnMessage> last) => hidden.KeepAsync(
        scope.Context.Caller.WorkspaceId, scope.Bot.Id, calls.Callers,
        HiddenMessages.Write(Own.Hidden.Concat(last), scope.Context.Citations));

    /// <summary>Whether an event is the first text of a step behind one that spoke too: a blank line parts the two.</summary>
    private bool BeginsText(BotEvent happened)
    {
        if (happened is not BotEvent.Text { Piece.Length: > 0 })
        {
            return false;
        }

        var isSecond = _hasSpoken && !_speaks;
        _hasSpoken = _speaks = true;
        return isSecond;
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
            : Backstory.Conceal(said, TurnPrompt.Private(prompt.Text, story, tools, scope));
        var offersOwn = _hasOwn && call.Body.TryGet("tools"u8, out _);
        return MessagePositions.Restore(
            concealed, scope.Messages.All, prompt.Message.Length > 0 ? 1 : 0, offersOwn ? tools.Tools.Count : 0);
    }
}
