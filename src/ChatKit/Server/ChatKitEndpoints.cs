using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;

namespace ChatKit;

/// <summary>Maps a ChatKit server to a route of ASP.NET Core.</summary>
public static class ChatKitEndpoints
{
    /// <summary>
    /// Maps the one endpoint of the protocol. Only <c>POST</c> with <c>application/json</c> is answered (else 405, 415). Refusals and
    /// faults before a stream begins are JSON in OpenAI's form, <c>{"error":{"message","type","param","code"}}</c>; an
    /// unexpected fault is logged, and its text is not shown. Add authentication to what is returned (<c>RequireAuthorization</c>).
    /// </summary>
    /// <param name="pattern">By habit <c>/chatkit</c>.</param>
    /// <param name="server">Serves all requests.</param>
    /// <param name="context">Makes the context of a request, usually from its user. May throw <see cref="RequestRefusedException"/>.</param>
    /// <param name="options">Settings; null: the defaults.</param>
    public static IEndpointConventionBuilder MapChatKit<TContext>(
        this IEndpointRouteBuilder routes, string pattern, ChatKitServer<TContext> server, Func<HttpContext, TContext> context,
        ChatKitEndpointOptions? options = null) =>
        routes.MapChatKit(pattern, _ => server, http => ValueTask.FromResult(context(http)), options);

    /// <summary>As the other, with a server that is found for each request and a context that is made asynchronously.</summary>
    /// <param name="server">Finds the server. It may be made for one request, if all of them share the store that holds the leases.</param>
    /// <inheritdoc cref="MapChatKit{TContext}(IEndpointRouteBuilder, string, ChatKitServer{TContext}, Func{HttpContext, TContext}, ChatKitEndpointOptions?)"/>
    public static IEndpointConventionBuilder MapChatKit<TContext>(
        this IEndpointRouteBuilder routes, string pattern, Func<HttpContext, ChatKitServer<TContext>> server,
        Func<HttpContext, ValueTask<TContext>> context, ChatKitEndpointOptions? options = null)
    {
        var limit = (options ?? new()).MaxRequestBytes;
        return routes.Map(pattern, http => AnswerAsync(http, server, context, limit)).WithDisplayName($"ChatKit {pattern}");
    }

    private static async Task AnswerAsync<TContext>(
        HttpContext http, Func<HttpContext, ChatKitServer<TContext>> find, Func<HttpContext, ValueTask<TContext>> context, int limit)
    {
        ChatKitResult result;
        try
        {
            ErrorDocument.RefuseOtherThanJson(http);
            var body = await RequestBody.ReadAsync(http, limit);
            result = await find(http).ProcessAsync(body, await context(http), http.RequestAborted);
        }
        catch (Exception e) when (!http.RequestAborted.IsCancellationRequested)
        {
            await ErrorDocument.WriteAsync(http, e);
            return;
        }
        catch (Exception)
        {
            // The client has gone: there is nobody to answer.
            return;
        }

        await (result is JsonResult json ? WriteAsync(http, json) : WriteAsync(http, (StreamingResult)result));
    }

    private static async Task WriteAsync(HttpContext http, JsonResult result)
    {
        http.Response.ContentType = "application/json";
        http.Response.ContentLength = result.Json.Length;
        await http.Response.Body.WriteAsync(result.Json, http.RequestAborted);
    }

    private static async Task WriteAsync(HttpContext http, StreamingResult result)
    {
        await using var disposed = result;
        http.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        http.Response.ContentType = "text/event-stream";
        http.Response.Headers.CacheControl = "no-cache";
        http.Response.Headers["X-Accel-Buffering"] = "no";
        try
        {
            // At once: a handler may think for a while, and a client that has no headers yet may give up.
            await http.Response.StartAsync(http.RequestAborted);
            await foreach (var bytes in result.WithCancellation(http.RequestAborted))
            {
                await http.Response.Body.WriteAsync(bytes, http.RequestAborted);
                await http.Response.Body.FlushAsync(http.RequestAborted);
            }
        }
        catch (Exception) when (http.RequestAborted.IsCancellationRequested)
        {
            // The client has gone, and what was shown is saved.
        }
    }
}
