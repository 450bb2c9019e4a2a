using System.Buffers;
using Gateway.Http;
using Gateway.Limits;
using Gateway.Upstream;

namespace Gateway.Passthrough;

/// <summary>The routes of <c>/v1</c> that models answer and bots do not.</summary>
internal static class PassthroughEndpoints
{
    private static readonly SearchValues<char> PathCharacters =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_/");

    public static IEndpointRouteBuilder MapPassthrough(this IEndpointRouteBuilder routes)
    {
        var v1 = routes.MapGroup("/v1").WithMetadata(new NeedsScope(Scopes.Chat));

        v1.MapPost("/completions", TextCompletions.CreateAsync).WithMetadata(new RouteDoc("Continues a text, as OpenAI does."));
        v1.MapPost("/embeddings", ForwardJsonAsync).WithMetadata(new RouteDoc("Makes vectors of texts, as OpenAI does."));
        v1.MapPost("/moderations", ForwardJsonAsync).WithMetadata(new RouteDoc("Judges texts, as OpenAI does."));
        v1.MapPost("/images/{**operation}", ForwardAsync).WithMetadata(new RouteDoc("Makes and changes images, as OpenAI does."));
        v1.MapPost("/audio/{**operation}", ForwardAsync).WithMetadata(new RouteDoc("Speaks and understands speech, as OpenAI does."));

        return routes;
    }

    private static async Task ForwardJsonAsync(HttpContext http) => await ForwardAsync(http, await ReadJsonAsync(http));

    private static async Task ForwardAsync(HttpContext http)
    {
        // The path becomes part of the upstream's: nothing in it may lead elsewhere, in whatever encoding.
        var operation = http.GetRouteValue("operation") as string;
        if (operation is not { Length: > 0 } || operation.AsSpan().ContainsAnyExcept(PathCharacters))
        {
            await ApiError.UnknownUrl(http.Request.Method, http.Request.Path).RefuseAsync(http);
            return;
        }

        var type = http.Request.ContentType;
        if (MultipartForm.IsForm(type))
        {
            await ForwardAsync(http, await ReadFormAsync(http, type!));
            return;
        }

        await ForwardAsync(http, await ReadJsonAsync(http, orForm: true));
    }

    private static async Task ForwardAsync(HttpContext http, (IForwardedBody? Body, ModelRoute? Route, ApiError? Error) read)
    {
        using (read.Body)
        {
            if (RequestFacts.Of(http).Selector is null)
            {
                await read.Error!.RefuseAsync(http);
                return;
            }

            await http.RequestServices.GetRequiredService<Metering>().RunAsync(http, bot: null, metered =>
                read.Error is { } error
                    ? error.RefuseAsync(http)
                    : http.RequestServices.GetRequiredService<Forwarding>().RunAsync(http, read.Body!, read.Route!, metered));
        }
    }

    private static async Task<(IForwardedBody?, ModelRoute?, ApiError?)> ReadJsonAsync(HttpContext http, bool orForm = false)
    {
        var (bytes, refused) = await RequestBody.ReadJsonAsync(
            http, http.RequestServices.GetRequiredService<BodyLimits>(), http.RequestAborted);
        if (bytes is null)
        {
            return (null, null, orForm && refused!.Status == 415 && http.Request.Headers.ContentEncoding.Count == 0
                ? ApiError.UnsupportedMediaType(http.Request.ContentType, "application/json' or 'multipart/form-data")
                : refused);
        }

        ModelRoute? route = null;
        if (JsonBody.TryRead(bytes.Memory, null, out var body, out var error))
        {
            (route, error) = Target.Find(http, body);
        }

        if (error is null)
        {
            return (new ForwardedJson(bytes, body), route, null);
        }

        bytes.Dispose();
        return (null, null, error);
    }

    private static async Task<(IForwardedBody?, ModelRoute?, ApiError?)> ReadFormAsync(HttpContext http, string contentType)
    {
        var cancel = http.RequestAborted;
        var (bytes, refused) = await http.RequestServices.GetRequiredService<Spool>().ReadAsync(http, cancel);
        if (bytes is null)
        {
            return (null, null, refused);
        }

        var isKept = false;
        try
        {
            var (form, error) = await MultipartForm.ReadAsync(bytes, contentType, cancel);
            if (form is null)
            {
                return (null, null, error);
            }

            (var route, error) = await FindAsync(http, form, cancel);
            if (route is null)
            {
                return (null, null, error);
            }

            var stream = form.Parts.FirstOrDefault(p => p.Name == "stream");
            var isStream = stream.Name is not null && await form.TextAsync(stream, cancel) == "true";
            isKept = true;
            return (new ForwardedForm(bytes, form, contentType, isStream), route, null);
        }
        finally
        {
            if (!isKept)
            {
                bytes.Dispose();
            }
        }
    }

    private static async Task<(ModelRoute?, ApiError?)> FindAsync(HttpContext http, MultipartForm form, CancellationToken cancel)
    {
        var models = form.Parts.Where(p => p.Name == "model").ToList();
        return models switch
        {
            [] => (null, ApiError.MissingParameter("model")),
            [var model] when model.IsFile => (null, ApiError.InvalidType("model", "a string", "a file")),
            [var model] when model.ContentEnd - model.ContentStart > MultipartForm.MaxTextBytes =>
                (null, ApiError.InvalidValue("model", $"it is longer than {MultipartForm.MaxTextBytes} bytes.")),
            [var model] => Target.Find(http, await form.TextAsync(model, cancel)),
            _ => (null, ApiError.DuplicateMember("model")),
        };
    }
}
