using Gateway.Http;
using Gateway.Limits;
using Gateway.Selectors;
using Gateway.Upstream;

namespace Gateway.Chat;

/// <summary>The OpenAI door: chat completions and the list of models.</summary>
internal static class ChatEndpoints
{
    public static IEndpointRouteBuilder MapChat(this IEndpointRouteBuilder routes)
    {
        var v1 = routes.MapGroup("/v1").WithMetadata(new NeedsScope(Scopes.Chat));
        var completions = routes.ServiceProvider.GetRequiredService<ChatCompletions>();
        var models = routes.ServiceProvider.GetRequiredService<ModelList>();

        v1.MapPost("/chat/completions", completions.CreateAsync).WithMetadata(new RouteDoc("Answers a conversation, as OpenAI does."));
        v1.MapGet("/models", models.ListAsync).WithMetadata(new RouteDoc("Lists the selectors that the key may use."));
        v1.MapGet("/models/{**selector}", models.GetAsync).WithMetadata(new RouteDoc("Shows one of them."));

        return routes;
    }
}

/// <summary>
/// <c>POST /v1/chat/completions</c>: reads the request and hands it to whom its selector names. One instance for all
/// requests: asking the container for it each time would make a scope for each.
/// </summary>
internal sealed class ChatCompletions(
    Catalog catalog, ModelChat models, BotChat bots, Metering metering, BodyLimits limits)
{
    public async Task CreateAsync(HttpContext http)
    {
        var cancel = http.RequestAborted;
        var (body, refused) = await RequestBody.ReadJsonAsync(http, limits, cancel);
        if (body is null)
        {
            await refused!.RefuseAsync(http);
            return;
        }

        using (body)
        {
            var (request, selector, error) = ChatRequest.Read(body.Memory);
            if (selector is null)
            {
                await error!.RefuseAsync(http);
                return;
            }

            var facts = RequestFacts.Of(http);
            facts.Selector = selector.Canonical;
            await metering.RunAsync(http, (selector as Selector.Bot)?.Id, metered =>
                request is null ? error!.RefuseAsync(http) : AnswerAsync(http, request, metered, cancel));
        }
    }

    private Task AnswerAsync(HttpContext http, ChatRequest request, Metered metered, CancellationToken cancel)
    {
        metered.Usage.IsStream = request.IsStream;
        var caller = RequestFacts.Of(http).Caller!;
        if (!caller.MayUse(request.Selector))
        {
            return ApiError.UnknownModel(request.Selector.Text).RefuseAsync(http);
        }

        if (request.Selector is Selector.Bot bot)
        {
            return bots.RunAsync(http, request, bot, metered, cancel);
        }

        var name = ((Selector.Model)request.Selector).Name;
        return catalog.Current.Find(name, caller.Workspace, request.Selector.Text) is { } route
            ? models.RunAsync(http, request, route, metered, cancel)
            : ApiError.UnknownModel(request.Selector.Text).RefuseAsync(http);
    }
}
