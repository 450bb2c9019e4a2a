using System.Runtime.CompilerServices;
using Gateway.Data;
using Gateway.Http;
using Gateway.Limits;
using Gateway.Upstream;

namespace Gateway.Bots;

/// <summary>What a turn is made of.</summary>
/// <param name="Body">The caller's request, with tools where it had functions.</param>
/// <param name="Workspace">The caller's workspace, in which the bot lives.</param>
/// <param name="Selector">The bot's selector as the caller wrote it, for messages.</param>
internal sealed record TurnRequest(Bot Bot, JsonBody Body, string Workspace, string Selector);

/// <summary>
/// One reply of a bot: composes what the model is asked, streams the model, and yields what happens. A step is one model
/// call; the turn is over when the model stops or calls a tool of the caller's.
/// </summary>
internal sealed class BotTurn(ModelCalls models, Catalog catalog, TimeProvider clock)
{
    /// <summary>Runs the turn. Nothing is sent to the model before the first element is asked for.</summary>
    /// <param name="dropped">Takes the parameters that are not used: locked by the bot, or not taken by the model.</param>
    /// <exception cref="OperationCanceledException">The caller left; every upstream call is closed.</exception>
    public async IAsyncEnumerable<BotEvent> RunAsync(
        TurnRequest request, Metered metered, List<string> dropped, RequestFacts facts, [EnumeratorCancellation] CancellationToken cancel)
    {
        var bot = request.Bot;
        if (catalog.Current.Find(bot.Model, request.Workspace, request.Selector) is not { } route)
        {
            // The owner's mistake, not the caller's: the bot is there and cannot answer.
            yield return new BotEvent.Failed(ApiError.UpstreamUnavailable(request.Selector));
            yield break;
        }

        JsonBody? body = null;
        ApiError? refused = null;
        var backstory = "";
        try
        {
            backstory = Backstory.Expand(bot.Backstory, bot.Name, request.Workspace, clock.GetUtcNow());
            body = TurnBody.Compose(request.Body, bot, system => Backstory.Compose(backstory, system), dropped);
        }
        catch (InvalidOperationException)
        {
            refused = ApiError.InvalidJson("a message cannot be read as text, or is nested too deeply.");
        }

        if (body is null)
        {
            yield return new BotEvent.Failed(refused!);
            yield break;
        }

        var call = new UpstreamCall
        {
            Route = route,
            Path = "chat/completions",
            Body = body,
            Usage = metered.Usage,
            IsStream = true,
            WantsUsage = true,
        };
        var limits = bot.Limits is { } own ? (bot.Id, own) : ((string, LimitValues)?)null;
        if (await metered.ReserveAsync(call.Need(), limits, cancel) is { } limited)
        {
            yield return new BotEvent.Failed(limited);
            yield break;
        }

        await foreach (var happened in StepAsync(request, call, backstory, dropped, facts, cancel))
        {
            yield return happened;
        }
    }

    private async IAsyncEnumerable<BotEvent> StepAsync(
        TurnRequest request, UpstreamCall call, string backstory, List<string> dropped, RequestFacts facts,
        [EnumeratorCancellation] CancellationToken cancel)
    {
        var (stream, error) = await models.OpenAsync(call, cancel);
        NoteAttempts();
        dropped.AddRange(call.DroppedParams);
        if (stream is null)
        {
            yield return Failed(error!);
            yield break;
        }

        await using (stream)
        {
            call.Usage.SawContent();
            var chunks = new ChunkReader();
            do
            {
                while (stream.TryNext(out var kind))
                {
                    if (kind is EventKind.Content or EventKind.Preamble)
                    {
                        foreach (var happened in chunks.Read(stream.Data))
                        {
                            yield return happened;
                        }
                    }

                    stream.Buffer.Release(stream.Buffer.EventEnd);
                }
            }
            while (await stream.ReadAsync());

            if (stream.Error is { } broken)
            {
                // What became of the attempt is known when it has ended, and the header of a refusal says it.
                await stream.DisposeAsync();
                NoteAttempts();
                yield return Failed(broken);
                yield break;
            }

            NoteAttempts();
            yield return new BotEvent.Finished(chunks.FinishReason, stream.Usage).Checked(request.Selector);
        }

        void NoteAttempts()
        {
            var trail = call.Trail!;
            facts.Deployment = trail.LastDeployment;
            facts.AttemptsHeader = trail.Count > 0 ? trail.ToHeader() : null;
        }

        // What an upstream says of a request tells of what the bot added to it, which is not the caller's to know.
        BotEvent.Failed Failed(ApiError said) =>
            new(MessagePositions.Restore(Backstory.Conceal(said, backstory), request.Body, call.Body));
    }
}
