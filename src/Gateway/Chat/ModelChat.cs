using Gateway.Http;
using Gateway.Upstream;

namespace Gateway.Chat;

/// <summary>Chat completions for <c>model/name=</c>: the fast path, on which bytes travel and little is looked at.</summary>
internal sealed class ModelChat(UpstreamClient client, ChatRelay relay, TimeProvider clock)
{
    public async Task RunAsync(HttpContext http, ChatRequest request, ModelRoute route, CancellationToken cancel)
    {
        var facts = RequestFacts.Of(http);
        var body = request.Body;
        if (request.IsLegacy)
        {
            var (translated, error) = LegacyFunctions.ToTools(body);
            if (translated is null)
            {
                await error!.WriteAsync(http);
                return;
            }

            body = translated;
        }

        var call = new UpstreamCall
        {
            Route = route,
            Path = "chat/completions",
            Body = body,
            IsStream = request.IsStream,
            WantsUsage = request.WantsUsage,
            Choices = request.Choices,
        };

        if (request.IsStream)
        {
            await using var caller = new EventStreamResponse(http, clock);
            await relay.RunAsync(
                call, caller, facts, request.IsLegacy ? LegacyFunctions.RewriteChunk : null, () => DroppedParams.Name(http, call.DroppedParams), cancel);
            return;
        }

        await SendPlainAsync(http, facts, call, request.IsLegacy, cancel);
    }

    private async Task SendPlainAsync(HttpContext http, RequestFacts facts, UpstreamCall call, bool isLegacy, CancellationToken cancel)
    {
        var (reply, error, deployment) = await PlainReply.SendAsync(client, call, cancel);
        facts.Deployment = deployment;
        DroppedParams.Name(http, call.DroppedParams);
        if (reply is null)
        {
            facts.End = error!.Code ?? error.Type;
            await error.WriteAsync(http);
            return;
        }

        using (reply)
        {
            if (reply.Usage is { } usage)
            {
                (facts.InputTokens, facts.OutputTokens) = (usage.Input, usage.Output);
            }

            var bytes = isLegacy ? LegacyFunctions.RewriteReply(reply.Bytes.Span) : reply.Bytes;
            http.Response.ContentType = "application/json";
            http.Response.ContentLength = bytes.Length;
            await http.Response.BodyWriter.WriteAsync(bytes, cancel);
        }
    }
}
