using Gateway.Http;
using Gateway.Selectors;
using Gateway.Upstream;

namespace Gateway.Passthrough;

/// <summary>What a request's <c>model</c> reaches, by the same rules as for chat, except that bots are not to be had here.</summary>
internal static class Target
{
    /// <param name="model">The field's text; null: it was given, but is no text.</param>
    /// <returns>Either the route, or why it is refused.</returns>
    public static (ModelRoute? Route, ApiError? Error) Find(HttpContext http, string? model)
    {
        if (model is null || Selector.Parse(model) is not { } selector)
        {
            return (null, ApiError.InvalidSelector(model ?? ""));
        }

        var facts = RequestFacts.Of(http);
        facts.Selector = selector.Canonical;
        if (selector is not Selector.Model { Name: var name })
        {
            return (null, ApiError.NotForBots(http.Request.Path));
        }

        var caller = facts.Caller!;
        var catalog = http.RequestServices.GetRequiredService<Catalog>().Current;
        return caller.MayUse(selector) && catalog.Find(name, caller.Workspace, selector.Text) is { } route
            ? (route, null)
            : (null, ApiError.UnknownModel(selector.Text));
    }

    /// <summary>The same for a JSON body.</summary>
    public static (ModelRoute? Route, ApiError? Error) Find(HttpContext http, JsonBody body)
    {
        if (!body.TryGet("model"u8, out var model))
        {
            return (null, ApiError.MissingParameter("model"));
        }

        return model.Kind == System.Text.Json.JsonTokenType.String
            ? Find(http, body.Text(model))
            : (null, ApiError.InvalidType("model", "a string", JsonBody.KindName(model.Kind)));
    }
}
