using ChatKit;
using Gateway.ChatKit.Turns;
using Gateway.Http;
using Gateway.Limits;
using Gateway.Observability;
using Gateway.Selectors;

namespace Gateway.ChatKit;

/// <summary>
/// <c>POST /chatkit</c> for browsers with a session, <c>POST /chatkit/{bot}</c> for servers with a key and the header
/// <c>X-Gateway-User</c>: one request of the ChatKit protocol.
/// </summary>
internal sealed class ChatKitDoor(
    ChatKitAuthentication authentication, SessionGate gate, BotServer server, Metering metering, BodyLimits limits, ILogger<ChatKitDoor> log)
{
    public async Task OfSessionAsync(HttpContext http)
    {
        var (user, error) = await authentication.OfSessionAsync(http, http.RequestAborted);
        await (user is null ? error!.RefuseAsync(http) : AnswerAsync(http, user));
    }

    public async Task OfKeyAsync(HttpContext http)
    {
        var (user, error) = authentication.OfKey(http, (string)http.GetRouteValue("bot")!);
        await (user is null ? error!.RefuseAsync(http) : AnswerAsync(http, user));
    }

    private async Task AnswerAsync(HttpContext http, ChatKitUser user)
    {
        var cancel = http.RequestAborted;
        var (body, refused) = await RequestBody.ReadJsonAsync(http, limits, cancel);
        if (body is null)
        {
            await refused!.RefuseAsync(http);
            return;
        }

        ChatKitRequest request;
        using (body)
        {
            try
            {
                request = ChatKitRequest.Parse(body.Memory);
            }
            catch (InvalidRequestException wrong)
            {
                await ChatKitErrors.Of(wrong).RefuseAsync(http);
                return;
            }
        }

        var selector = Selector.ForBot(user.BotId);
        RequestFacts.Of(http).Selector = selector.Canonical;
        if (request is not StreamingRequest and not AttachmentsCreateRequest)
        {
            await ProcessAsync(http, request, user);
            return;
        }

        if (await gate.CountAsync(user, cancel) is { } tooMany)
        {
            await tooMany.RefuseAsync(http);
        }
        else if (request is StreamingRequest)
        {
            await metering.RunAsync(http, user.BotId, metered =>
            {
                metered.Usage.IsStream = true;
                return ProcessAsync(http, request, user with { Use = new TurnUse(metered, RequestFacts.Of(http)) });
            });
        }
        else
        {
            await ProcessAsync(http, request, user);
        }
    }

    private async Task ProcessAsync(HttpContext http, ChatKitRequest request, ChatKitUser user)
    {
        var cancel = http.RequestAborted;
        ChatKitResult result;
        try
        {
            result = await server.ProcessAsync(request, user, cancel);
        }
        catch (InvalidRequestException wrong)
        {
            await ChatKitErrors.Of(wrong).RefuseAsync(http);
            return;
        }
        catch (RequestRefusedException wrong)
        {
            await ChatKitErrors.Of(wrong).RefuseAsync(http);
            return;
        }

        switch (result)
        {
            case JsonResult document:
                http.Response.ContentType = "application/json";
                http.Response.ContentLength = document.Json.Length;
                await http.Response.BodyWriter.WriteAsync(document.Json, cancel);
                break;
            case StreamingResult stream:
                await using (stream)
                {
                    await WriteAsync(http, stream, cancel);
                }

                break;
        }
    }

    private async Task WriteAsync(HttpContext http, StreamingResult stream, CancellationToken cancel)
    {
        var response = http.Response;
        response.ContentType = "text/event-stream";
        response.Headers.CacheControl = "no-cache";
        // nginx in front of us would otherwise collect the events before it sends them.
        response.Headers["X-Accel-Buffering"] = "no";
        var facts = RequestFacts.Of(http);
        try
        {
            await foreach (var happened in stream.WithCancellation(cancel))
            {
                await response.BodyWriter.WriteAsync(happened, cancel);
            }
        }
        catch (OperationCanceledException) when (facts.IsCut)
        {
            // What was shown is saved. The user can have the rest from another gateway.
            facts.End ??= RequestFacts.Shutdown;
            log.ChatKitFailed(RequestFacts.Shutdown, facts.RequestId);
            byte[] last = [.. "data: "u8, .. ChatKitJson.ToWire(new ErrorEvent { Code = ErrorEvent.StreamErrorCode, AllowRetry = true }), .. "\n\n"u8];
            await response.BodyWriter.WriteAsync(last, CancellationToken.None);
        }
    }
}
