using Gateway.Http;
using Gateway.Limits;
using Gateway.Upstream;

namespace Gateway.Chat;

/// <summary>Chat completions for <c>model/name=</c>: the fast path, on which bytes travel and little is looked at.</summary>
internal sealed class ModelChat(ChatRelay relay, PlainRelay plain, TimeProvider clock)
{
    public async Task RunAsync(HttpContext http, ChatRequest request, ModelRoute route, Metered metered, CancellationToken cancel)
    {
        var body = request.Body;
        if (request.IsInOldForm)
        {
            var (translated, error) = LegacyFunctions.ToTools(body);
            if (translated is null)
            {
                await error!.RefuseAsync(http);
                return;
            }

            body = translated;
        }

        var call = new UpstreamCall
        {
            Route = route,
            Path = "chat/completions",
            Body = body,
            Usage = metered.Usage,
            IsStream = request.IsStream,
            WantsUsage = request.WantsUsage,
            Choices = request.Choices,
        };

        if (await metered.ReserveAsync(call.Need(), null, cancel) is { } limited)
        {
            await limited.RefuseAsync(http);
            return;
        }

        if (request.IsStream)
        {
            await using var caller = new EventStreamResponse(http, clock);
            await relay.RunAsync(
                call, caller, RequestFacts.Of(http), request.AnswersInOldForm ? LegacyFunctions.RewriteChunk : null,
                () => AttemptHeaders.Set(http, call), cancel);
            return;
        }

        await plain.RunAsync(
            http, call, request.AnswersInOldForm ? static reply => LegacyFunctions.RewriteReply(reply.Span) : null, cancel);
    }
}
