using System.Runtime.CompilerServices;
using System.Text;
using Gateway.Http;
using Gateway.Limits;
using Gateway.Observability;
using Gateway.Upstream;
using Gateway.Usage;

namespace Gateway.Bots;

/// <summary>What a turn is made of.</summary>
/// <param name="Body">The caller's request, with tools where it had functions.</param>
/// <param name="Workspace">The caller's workspace, in which the bot lives.</param>
/// <param name="Selector">The bot's selector as the caller wrote it, for messages.</param>
internal sealed record TurnRequest(Bot Bot, JsonBody Body, string Workspace, string Selector);

/// <summary>
/// One reply of a bot: gathers what its model is to know and may call, and yields what happens. See <see cref="TurnLoop"/> for
/// the steps.
/// </summary>
internal sealed class BotTurn(
    ModelCalls models, Catalog catalog, IEnumerable<IToolSource> sources, HiddenSteps hidden, TimeProvider clock, ILogger<BotTurn> log)
{
    private readonly IToolSource[] _sources = [.. sources];

    /// <summary>Runs the turn. Nothing is sent to the model before the first element is asked for.</summary>
    /// <param name="dropped">Takes the parameters that are not used: locked by the bot, or not taken by the model.</param>
    /// <exception cref="OperationCanceledException">The caller left; every upstream call and tool is stopped.</exception>
    public async IAsyncEnumerable<BotEvent> RunAsync(
        TurnRequest request, Metered metered, List<string> dropped, RequestFacts facts, [EnumeratorCancellation] CancellationToken cancel)
    {
        if (Read(request.Body) is not { } messages)
        {
            yield return new BotEvent.Failed(Unreadable());
            yield break;
        }

        using var time = new TurnTime(request.Bot.Turn.Time, clock, cancel);
        var context = new TurnContext
        {
            Bot = request.Bot,
            Caller = facts.Caller!,
            Selector = request.Selector,
            Metered = metered,
            MaySearchWeb = request.Bot.WebSearch
                || (request.Body.TryGet("web_search_options"u8, out _) && !request.Bot.LockedParameters.Contains("web_search_options")),
        };
        var scope = new TurnScope
        {
            Turns = this,
            Request = request,
            Context = context,
            Tree = new TurnTree(metered, facts, request.Bot.Turn),
            Time = time,
            Messages = messages,
            Dropped = dropped,
            OffersCallerTools = true,
        };
        scope.Context.Scope = scope;
        var (loop, failed) = await PrepareAsync(scope);
        if (loop is null)
        {
            yield return new BotEvent.Failed(failed!);
            yield break;
        }

        var marks = new CitationMarks(context.Citations);
        await foreach (var happened in loop.RunAsync())
        {
            if (happened is not (BotEvent.Failed or BotEvent.ToolStarted or BotEvent.ToolDone))
            {
                metered.Usage.SawContent();
            }

            yield return happened;
            if (happened is BotEvent.Text text)
            {
                foreach (var cited in marks.Read(text.Piece))
                {
                    yield return cited;
                }
            }
        }
    }

    /// <summary>Asks a member, whose answer is for the model that asks.</summary>
    /// <exception cref="OperationCanceledException">The caller left, or the asker's time is over.</exception>
    public async Task<ToolResult> AskAsync(TurnScope asker, Bot member, string message, CancellationToken cancel)
    {
        using var time = new TurnTime(asker.Time.ToolsLeft, clock, cancel);
        var body = Question(message);
        var scope = Below(asker, member, body, Read(body)!, message, time);
        var answer = new StringBuilder();
        await foreach (var happened in RunAsync(scope))
        {
            switch (happened)
            {
                case BotEvent.Text text:
                    answer.Append(text.Piece);
                    break;
                case BotEvent.Refusal refusal:
                    answer.Append(refusal.Piece);
                    break;
                case BotEvent.Failed failed:
                    return ToolResult.Failed($"{member.Name} could not answer: {failed.Error.Code ?? failed.Error.Type}.");
                case BotEvent.Finished { Reason: "length" }:
                    answer.Append(answer.Length > 0 ? "\n[The answer ends here: it had no more time or tokens.]" : "");
                    break;
            }
        }

        return answer.Length > 0
            ? new ToolResult(DataText.Of($"answer of {member.Name}", answer.ToString()))
            : ToolResult.Failed($"{member.Name} had no answer in the time that there was.");
    }

    /// <summary>Lets a member answer the user in the asker's place: it has the whole conversation, and the caller's parameters.</summary>
    public IAsyncEnumerable<BotEvent> HandOffAsync(TurnScope asker, Bot member, string message)
    {
        var scope = Below(asker, member, asker.Request.Body, asker.Messages.Copy(), asker.Context.Question, asker.Time, message);
        return RunAsync(scope);
    }

    private static TurnScope Below(
        TurnScope asker, Bot member, JsonBody body, TurnMessages messages, string question, TurnTime time, string? words = null)
    {
        var context = new TurnContext
        {
            Bot = member,
            Caller = asker.Context.Caller,
            Selector = asker.Context.Selector,
            Metered = asker.Context.Metered,
            Question = question,
            MaySearchWeb = member.WebSearch,
            // One numbering for all, since an answer may repeat what a member has cited.
            Citations = asker.Context.Citations,
            Above = [.. asker.Context.Above, asker.Bot.Id],
        };
        return new TurnScope
        {
            Turns = asker.Turns,
            Request = asker.Request with { Bot = member, Body = body },
            Context = context,
            Tree = asker.Tree,
            Time = time,
            Messages = messages,
            Dropped = [],
            HandedOverWith = words,
            OutputUsed = words is null ? 0 : asker.OutputUsed,
        };
    }

    private async IAsyncEnumerable<BotEvent> RunAsync(TurnScope scope)
    {
        scope.Context.Scope = scope;
        var (loop, failed) = await PrepareAsync(scope);
        if (loop is null)
        {
            yield return new BotEvent.Failed(failed!);
            yield break;
        }

        await foreach (var happened in loop.RunAsync())
        {
            yield return happened;
        }
    }

    private async ValueTask<(TurnLoop? Loop, ApiError? Failed)> PrepareAsync(TurnScope scope)
    {
        var (bot, request) = (scope.Bot, scope.Request);
        if (catalog.Current.Find(bot.Model, request.Workspace, request.Selector) is not { } route)
        {
            // The owner's mistake, not the caller's: the bot is there and cannot answer.
            return (null, ApiError.UpstreamUnavailable(request.Selector));
        }

        TurnBody body;
        try
        {
            body = new TurnBody(request.Body, bot, scope.Dropped);
        }
        catch (InvalidOperationException)
        {
            return (null, Unreadable());
        }

        // Before the sources of tools are asked, which may give numbers to what they find.
        if (HiddenMessages.Ids(scope.Messages) is { Count: > 0 } ids && scope.OffersCallerTools)
        {
            HiddenMessages.Restore(
                scope.Messages, await hidden.FindAsync(scope.Context.Caller.WorkspaceId, bot.Id, ids, scope.Time.Caller),
                scope.Context.Citations);
        }

        var tools = await ToolsAsync(scope);
        if (scope.OffersCallerTools && tools.Count > 0 && body.CallerTools.Clash(tools) is { } clash)
        {
            return (null, clash);
        }

        var (story, alone) = bot.Basis.Tell(request.Workspace, clock.GetUtcNow());
        var prompt = TurnPrompt.Compose(story, alone, tools, scope);
        return (new TurnLoop(models, hidden, clock, log, scope, route, body, tools, story, prompt), null);
    }

    private ValueTask<Toolset> ToolsAsync(TurnScope scope) => Array.Exists(_sources, source => source.IsFor(scope.Context))
        ? AskSourcesAsync(scope)
        : new(new Toolset());

    private async ValueTask<Toolset> AskSourcesAsync(TurnScope scope)
    {
        RequestUsage.Around = scope.Tree.Metered.Usage;
        var tools = new Toolset();
        foreach (var source in _sources)
        {
            if (!source.IsFor(scope.Context))
            {
                continue;
            }

            try
            {
                await source.AddAsync(scope.Context, tools, scope.Time.Tools);
            }
            catch (Exception broken) when (!scope.Time.Caller.IsCancellationRequested)
            {
                log.ToolsLeftOut(scope.Bot.Id, source.GetType().Name, broken.GetType().Name, scope.Tree.Metered.Usage.Subject.RequestId);
            }
        }

        return tools;
    }

    private static TurnMessages? Read(JsonBody body)
    {
        try
        {
            return TurnMessages.Read(body);
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    private static JsonBody Question(string message)
    {
        var bytes = JsonParts.Write(json =>
        {
            json.WriteStartObject();
            json.WriteStartArray("messages");
            json.WriteStartObject();
            json.WriteString("role", "user");
            json.WriteString("content", message);
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteEndObject();
        });
        JsonBody.TryRead(bytes, null, out var body, out _);
        return body;
    }

    private static ApiError Unreadable() => ApiError.InvalidJson("a message cannot be read as text, or is nested too deeply.");
}
