using ChatKit;
using Gateway.Bots;
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
    ChatKitAuthentication authentication, SessionGate gate, BotServer server, BotCatalog bots, Metering metering, BodyLimits limits,
    ILogger<ChatKitDoor> log)
{
    /// <summary>Of one message.</summary>
    private const int MostFiles = 10;

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

        RequestFacts.Of(http).Selector = Selector.ForBot(user.BotId).Canonical;
        if (request is StreamingRequest)
        {
            // Outside of what may refuse it: a turn that is refused is recorded, too.
            await metering.RunAsync(http, user.BotId, metered =>
            {
                metered.Usage.IsStream = true;
                return CheckedAsync(http, request, user with { Use = new TurnUse(metered, RequestFacts.Of(http)) });
            });
        }
        else
        {
            await CheckedAsync(http, request, user);
        }
    }

    /// <summary>All that can be known to be wrong is refused before anything is kept.</summary>
    private async Task CheckedAsync(HttpContext http, ChatKitRequest request, ChatKitUser user)
    {
        var cancel = http.RequestAborted;
        var refused = RequestLimits.Check(request)
            ?? await CheckFilesAsync(request, user, cancel)
            ?? await WishCheck.RefuseAsync(request, bots, user, cancel)
            // Last, so that only what begins is counted: turns and uploads.
            ?? (request is StreamingRequest or AttachmentsCreateRequest ? await gate.CountAsync(user, cancel) : null);
        await (refused is null ? ProcessAsync(http, request, user) : refused.RefuseAsync(http));
    }

    /// <summary>Why a message's files are refused, before anything of it is stored; null: they are not.</summary>
    private async Task<ApiError?> CheckFilesAsync(ChatKitRequest request, ChatKitUser user, CancellationToken cancel)
    {
        var files = request switch
        {
            ThreadsCreateRequest create => create.Params.Input.Attachments,
            ThreadsAddUserMessageRequest add => add.Params.Input.Attachments,
            _ => [],
        };
        if (files.Count > MostFiles || files.Distinct(StringComparer.Ordinal).Count() < files.Count)
        {
            return ApiError.InvalidValue("params.input.attachments", $"expected {MostFiles} files at the most, each once.");
        }

        var thread = (request as ThreadsAddUserMessageRequest)?.Params.ThreadId;
        foreach (var id in files)
        {
            try
            {
                var file = await server.Store.LoadAttachmentAsync(id, user, cancel);
                if (file.UploadDescriptor is not null)
                {
                    return ApiError.OfChatKit(409, "attachment_not_uploaded", $"The attachment '{id}' has not been uploaded yet.");
                }

                if (file.ThreadId is { } elsewhere && elsewhere != thread)
                {
                    return ApiError.OfChatKit(
                        409, "attachment_in_use", $"The attachment '{id}' was sent in another thread: upload the file again.");
                }
            }
            catch (NotFoundException)
            {
                return ApiError.NotFound("attachment");
            }
        }

        return null;
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
