using System.Collections.Frozen;

namespace Gateway.Simulator;

/// <summary>What answers what. A table instead of endpoint routing: there are a dozen fixed paths.</summary>
internal sealed class SimulatorRoutes(TimeProvider clock, CancellationToken stopping)
{
    private const string ModelsPath = "/v1/models";

    private static readonly FrozenDictionary<string, Func<Exchange, Task>> Posts = new Dictionary<string, Func<Exchange, Task>>
    {
        ["/v1/chat/completions"] = ChatRoute.HandleAsync,
        ["/v1/completions"] = CompletionsRoute.HandleAsync,
        ["/v1/embeddings"] = EmbeddingsRoute.HandleAsync,
        ["/v1/moderations"] = OtherRoutes.ModerateAsync,
        ["/v1/images/generations"] = MediaRoutes.GenerateImageAsync,
        ["/v1/images/edits"] = MediaRoutes.EditImageAsync,
        ["/v1/images/variations"] = MediaRoutes.EditImageAsync,
        ["/v1/audio/speech"] = MediaRoutes.SpeakAsync,
        ["/v1/audio/transcriptions"] = MediaRoutes.TranscribeAsync,
        ["/v1/audio/translations"] = MediaRoutes.TranscribeAsync,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private readonly TroubleLog _log = new();

    public async Task HandleAsync(HttpContext http)
    {
        using var exchange = new Exchange(http, _log, clock, stopping);
        try
        {
            await DispatchAsync(exchange, http.Request.Method, http.Request.Path.Value ?? "");
        }
        catch (RefusalException refusal) when (!http.Response.HasStarted)
        {
            await refusal.WriteAsync(http);
        }
        catch (BadHttpRequestException bad) when (!http.Response.HasStarted)
        {
            await new RefusalException(bad.StatusCode, "invalid_request_error", null, bad.Message).WriteAsync(http);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException
            && exchange.Gone.IsCancellationRequested)
        {
            // The caller left, or the server stops: either way nobody must take what was sent for an answer.
            http.Abort();
        }
    }

    private static Task DispatchAsync(Exchange exchange, string method, string path)
    {
        if (Posts.TryGetValue(path, out var handle))
        {
            return HttpMethods.IsPost(method)
                ? handle(exchange)
                : throw RefusalException.WrongMethod(method, path, "POST");
        }

        if (!path.StartsWith(ModelsPath, StringComparison.Ordinal))
        {
            throw RefusalException.UnknownRoute(method, path);
        }

        var model = path[ModelsPath.Length..];
        if (model.Length > 0 && model[0] != '/')
        {
            throw RefusalException.UnknownRoute(method, path);
        }

        if (!HttpMethods.IsGet(method))
        {
            throw RefusalException.WrongMethod(method, path, "GET");
        }

        return model.Length <= 1
            ? OtherRoutes.ListModelsAsync(exchange)
            : OtherRoutes.GetModelAsync(exchange, model[1..]);
    }
}
