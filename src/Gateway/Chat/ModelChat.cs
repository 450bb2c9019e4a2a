using Gateway.Http;
using Gateway.Limits;
using Gateway.Upstream;

namespace Gateway.Chat;

/// <summary>Chat completions for <c>model/name=</c>: the fast path, on which bytes travel and little is looked at.</summary>
internal sealed class ModelChat(ChatRelay relay, PlainRelay plain, TimeProvider clock)
{
    public Task RunAsync(HttpContext http, ChatRequest request, ModelRoute route, Metered metered, CancellationToken cancel)
    {
        var body = request.Body;
        if (request.IsInOldForm)
        {
            var (translated, error) = LegacyFunctions.ToTools(body);
            if (translated is null)
            {
                return error!.RefuseAsync(http);
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

        // Nearly always there at once; then nothing stands between the request and its answer.
        var reserved = metered.ReserveAsync(call.Need(), null, cancel);
        return reserved.IsCompletedSuccessfully
            ? AnswerAsync(http, request, call, reserved.Result, cancel)
            : WaitAsync(http, request, call, reserved, cancel);
    }

    private async Task WaitAsync(
        HttpContext http, ChatRequest request, UpstreamCall call, ValueTask<ApiError?> reserved, CancellationToken cancel) =>
        await AnswerAsync(http, request, call, await reserved, cancel);

    private Task AnswerAsync(HttpContext http, ChatRequest request, UpstreamCall call, ApiError? limited, CancellationToken cancel) =>
        limited is not null ? limited.RefuseAsync(http)
        : request.IsStream ? StreamAsync(http, request, call, cancel)
        : plain.RunAsync(http, call, request.AnswersInOldForm ? static reply => LegacyFunctions.RewriteReply(reply.Span) : null, cancel);

    private async Task StreamAsync(HttpContext http, ChatRequest request, UpstreamCall call, CancellationToken cancel)
    {
        await using var caller = new EventStreamResponse(http, clock);
        await relay.RunAsync(
            call, caller, RequestFacts.Of(http), request.AnswersInOldForm ? LegacyFunctions.RewriteChunk : null,
            () => AttemptHeaders.Set(http, call), cancel);
    }
}
