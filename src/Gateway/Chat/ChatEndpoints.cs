using Gateway.Http;
using Gateway.Selectors;
using Gateway.Upstream;

namespace Gateway.Chat;

/// <summary>The OpenAI door: chat completions and the list of models.</summary>
internal static class ChatEndpoints
{
    public static IEndpointRouteBuilder MapChat(this IEndpointRouteBuilder routes)
    {
        var v1 = routes.MapGroup("/v1").WithMetadata(new NeedsScope(Scopes.Chat));

        v1.MapPost("/chat/completions", CreateAsync);
        v1.MapGet("/models", ModelList.ListAsync);
        v1.MapGet("/models/{**selector}", ModelList.GetAsync);

        return routes;
    }

    private static async Task CreateAsync(HttpContext http)
    {
        var services = http.RequestServices;
        var cancel = http.RequestAborted;
        var (body, refused) = await RequestBody.ReadJsonAsync(http, cancel);
        if (body is null)
        {
            await RefuseAsync(http, refused!);
            return;
        }

        using (body)
        {
            var (request, error) = ChatRequest.Read(body.Memory);
            if (request is null)
            {
                await RefuseAsync(http, error!);
                return;
            }

            var facts = RequestFacts.Of(http);
            facts.Selector = request.Selector.Canonical;
            var caller = facts.Caller!;
            if (!caller.MayUse(request.Selector))
            {
                await RefuseAsync(http, ApiError.UnknownModel(request.Selector.Text));
                return;
            }

            if (request.Selector is Selector.Bot bot)
            {
                await services.GetRequiredService<BotChat>().RunAsync(http, request, bot, cancel);
                return;
            }

            var name = ((Selector.Model)request.Selector).Name;
            if (services.GetRequiredService<Catalog>().Current.Find(name, caller.Workspace, request.Selector.Text) is not { } route)
            {
                await RefuseAsync(http, ApiError.UnknownModel(request.Selector.Text));
                return;
            }

            await services.GetRequiredService<ModelChat>().RunAsync(http, request, route, cancel);
        }
    }

    private static Task RefuseAsync(HttpContext http, ApiError error)
    {
        RequestFacts.Of(http).End = error.Code ?? error.Type;
        return error.WriteAsync(http);
    }
}
