using Gateway.Bots;
using Gateway.Http;
using Gateway.Limits;
using Gateway.Selectors;
using Gateway.Upstream;

namespace Gateway.Chat;

/// <summary>Chat completions for <c>bot/id=</c>: translates a turn's events into chunks, or gathers them into one reply.</summary>
internal sealed class BotChat(BotCatalog bots, BotTurn turns, TimeProvider clock)
{
    /// <summary>With <c>on</c>, and where the bot's owner allows it, the caller is told of the bot's own tools.</summary>
    private const string StepsHeader = "X-Gateway-Steps";

    private const string TrimmedHeader = "x-gateway-context-trimmed";

    public async Task RunAsync(HttpContext http, ChatRequest request, Selector.Bot selector, Metered metered, CancellationToken cancel)
    {
        var facts = RequestFacts.Of(http);
        var (bot, unavailable) = await bots.GetAsync(facts.Caller!, selector.Id, cancel);
        var refused = unavailable
            ?? (bot is null ? ApiError.UnknownModel(selector.Text) : null)
            ?? Refuse(request);
        JsonBody? body = request.Body;
        if (refused is null && request.IsInOldForm)
        {
            (body, refused) = LegacyFunctions.ToTools(request.Body);
        }

        if (refused is not null)
        {
            await refused.RefuseAsync(http);
            return;
        }

        var dropped = new List<string>();
        var events = turns.RunAsync(
            new TurnRequest(bot!, body!, facts.Caller!.Workspace, selector.Text), metered, dropped, facts, cancel);
        var showsSteps = bot!.ExposeSteps && string.Equals(http.Request.Headers[StepsHeader], "on", StringComparison.OrdinalIgnoreCase);
        using var writer = new BotReplyWriter(
            selector.Text, clock.GetUtcNow().ToUnixTimeSeconds(), request.WantsUsage, request.AnswersInOldForm, showsSteps);
        if (request.IsStream)
        {
            await StreamAsync(http, events, writer, dropped, cancel);
        }
        else
        {
            await GatherAsync(http, events, writer, selector.Text, dropped, cancel);
        }
    }

    /// <summary>What a bot cannot do although a model can.</summary>
    private static ApiError? Refuse(ChatRequest request) =>
        !request.AsksForOneChoice
            ? ApiError.InvalidValue("n", "a bot gives one answer; leave 'n' out or set it to 1.")
            : request.Body.TryGet("modalities"u8, out var asked) && request.Body.Value(asked).Span.IndexOf("\"audio\""u8) >= 0
                ? ApiError.InvalidValue("modalities", "a bot answers in text.")
                : null;

    private async Task StreamAsync(
        HttpContext http, IAsyncEnumerable<BotEvent> events, BotReplyWriter writer, List<string> dropped, CancellationToken cancel)
    {
        await using var caller = new EventStreamResponse(http, clock);
        await foreach (var happened in events)
        {
            if (!caller.HasStarted)
            {
                // A copy: the turn may add to its list while a keep-alive sends the headers.
                var names = dropped.ToArray();
                caller.BeforeHeaders = () =>
                {
                    DroppedParams.Name(http, names);
                    NameFacts(http);
                };
            }

            if (happened is BotEvent.Failed failed)
            {
                await caller.FailAsync(failed.Error);
                return;
            }

            if (writer.Chunks(happened) is { Length: > 0 } chunks)
            {
                await caller.WriteAsync(chunks, cancel);
            }
        }
    }

    private static async Task GatherAsync(
        HttpContext http, IAsyncEnumerable<BotEvent> events, BotReplyWriter writer, string selector, List<string> dropped,
        CancellationToken cancel)
    {
        var reply = new BotReply(PlainReply.MaxReplyBytes);
        await foreach (var happened in events)
        {
            if (happened is BotEvent.Failed failed)
            {
                await RefuseAsync(failed.Error);
                return;
            }

            if (!reply.TryAdd(happened))
            {
                await RefuseAsync(ApiError.UpstreamMalformed(selector, "it is too large"));
                return;
            }
        }

        var bytes = writer.Whole(reply);
        DroppedParams.Name(http, dropped);
        NameFacts(http);
        http.Response.ContentType = "application/json";
        http.Response.ContentLength = bytes.Length;
        await http.Response.BodyWriter.WriteAsync(bytes, cancel);

        Task RefuseAsync(ApiError error)
        {
            DroppedParams.Name(http, dropped);
            NameFacts(http);
            return error.RefuseAsync(http);
        }
    }

    /// <summary>Headers that tell how the answer came about, as far as that is known.</summary>
    private static void NameFacts(HttpContext http)
    {
        var facts = RequestFacts.Of(http);
        AttemptHeaders.Set(http, facts);
        if (facts.ContextTrimmed is { } trimmed)
        {
            http.Response.Headers[TrimmedHeader] = trimmed;
        }
    }
}
