using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Gateway.Http;
using static Gateway.Admin.Api.ApiSchema;

namespace Gateway.Admin.Api;

/// <summary>
/// <c>GET /admin/v1/openapi.json</c>: every route of <c>/admin/v1</c> and <c>/v1</c> that is mapped, so that none can be left
/// out, with what its <see cref="RouteDoc"/> says.
/// </summary>
internal static partial class OpenApiEndpoints
{
    private static readonly string[] Areas = ["/admin/v1/", "/v1/"];

    public static IEndpointRouteBuilder MapOpenApi(this IEndpointRouteBuilder admin)
    {
        admin.MapGet("/openapi.json", (EndpointDataSource routes) => ApiPage.Json(Document(routes)))
            .WithMetadata(new RouteDoc("Gives this document."));
        return admin;
    }

    /// <summary>OpenAPI 3.1.</summary>
    public static JsonObject Document(EndpointDataSource routes)
    {
        var paths = new JsonObject();
        foreach (var (path, method, endpoint) in Routes(routes).OrderBy(r => r.Path, StringComparer.Ordinal))
        {
            if (paths[path] is not JsonObject item)
            {
                paths[path] = item = [];
            }

            item[method.ToLowerInvariant()] = Operation(path, method, endpoint);
        }

        return new JsonObject
        {
            ["openapi"] = "3.1.0",
            ["info"] = new JsonObject
            {
                ["title"] = "Gateway",
                ["version"] = "1",
                ["description"] = "Models and bots behind OpenAI's API (/v1), and their management (/admin/v1).",
            },
            ["security"] = new JsonArray(new JsonObject { ["key"] = new JsonArray() }),
            ["paths"] = paths,
            ["components"] = new JsonObject
            {
                ["securitySchemes"] = new JsonObject { ["key"] = new JsonObject { ["type"] = "http", ["scheme"] = "bearer" } },
                ["schemas"] = OpenApiSchemas.All(),
            },
        };
    }

    private static IEnumerable<(string Path, string Method, RouteEndpoint Endpoint)> Routes(EndpointDataSource routes) =>
        from endpoint in routes.Endpoints.OfType<RouteEndpoint>()
        let path = "/" + Braces().Replace(endpoint.RoutePattern.RawText!, "{${name}}").TrimStart('/')
        where Areas.Any(area => path.StartsWith(area, StringComparison.Ordinal))
        from method in endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? []
        select (path, method, endpoint);

    private static JsonObject Operation(string path, string method, RouteEndpoint endpoint)
    {
        var doc = endpoint.Metadata.GetMetadata<RouteDoc>() ?? new RouteDoc($"{method} {path}");
        var operation = new JsonObject
        {
            ["operationId"] = $"{method.ToLowerInvariant()}{Separators().Replace(path, "_")}".TrimEnd('_'),
            ["summary"] = doc.Summary,
            ["tags"] = Texts([path.Split('/', StringSplitOptions.RemoveEmptyEntries) is [_, "v1", var area, ..] ? area : "openai"]),
            ["parameters"] = new JsonArray([.. Parameters(endpoint, doc)]),
        };
        if (Body(doc, method) is { } body)
        {
            operation["requestBody"] = new JsonObject { ["required"] = true, ["content"] = body };
        }

        operation["responses"] = new JsonObject
        {
            ["200"] = Reply(doc),
            ["default"] = new JsonObject { ["description"] = "A refusal.", ["content"] = Content("application/json", Reference("Error")) },
        };
        return operation;
    }

    private static IEnumerable<JsonObject> Parameters(RouteEndpoint endpoint, RouteDoc doc)
    {
        foreach (var parameter in endpoint.RoutePattern.Parameters)
        {
            yield return Parameter(parameter.Name, "path", isRequired: true);
        }

        var query = doc is { Verb: RouteVerb.List, IsWhole: false } ? doc.Query.Concat(["limit", "after"]) : doc.Query;
        foreach (var name in doc.IsOwned ? query.Append("workspace") : query)
        {
            yield return Parameter(name, "query", isRequired: false);
        }

        if (doc.TakesVersion || doc.Verb is RouteVerb.Change or RouteVerb.Delete)
        {
            yield return Parameter("If-Match", "header", isRequired: false);
        }
    }

    private static JsonObject Parameter(string name, string place, bool isRequired) => new()
    {
        ["name"] = name,
        ["in"] = place,
        ["required"] = isRequired,
        ["schema"] = Type(name == "limit" ? "integer" : "string"),
    };

    private static JsonObject? Body(RouteDoc doc, string method) => doc.Verb switch
    {
        RouteVerb.Create => Content(doc.Takes ?? "application/json", Reference($"{OpenApiSchemas.Name(doc.Kind!)}Body")),
        RouteVerb.Change => Content("application/json", Reference($"{OpenApiSchemas.Name(doc.Kind!)}Change")),
        RouteVerb.Other when HttpMethods.IsPost(method) || doc.Takes is not null => Content(doc.Takes ?? "application/json", Type("object")),
        _ => null,
    };

    private static JsonObject Reply(RouteDoc doc)
    {
        var kind = doc.Kind is null ? null : OpenApiSchemas.Name(doc.Kind);
        var schema = doc.Verb switch
        {
            RouteVerb.List => new JsonObject
            {
                ["type"] = "object",
                ["properties"] = new JsonObject
                {
                    ["object"] = Type("string"),
                    ["data"] = new JsonObject { ["type"] = "array", ["items"] = kind is null ? Type("object") : Reference(kind) },
                    ["has_more"] = Type("boolean"),
                },
                ["required"] = Texts(["object", "data"]),
            },
            RouteVerb.Get or RouteVerb.Create or RouteVerb.Change => Reference(kind!),
            RouteVerb.Delete => new JsonObject
            {
                ["type"] = "object",
                ["properties"] = new JsonObject { ["object"] = Type("string"), ["id"] = Type("string"), ["deleted"] = Type("boolean") },
            },
            _ => doc.Gives == "application/json" ? Type("object") : Type("string"),
        };
        var reply = new JsonObject { ["description"] = "Done.", ["content"] = Content(doc.Gives, schema) };
        if (doc.TellsVersion || doc.Verb is RouteVerb.Get or RouteVerb.Create or RouteVerb.Change)
        {
            reply["headers"] = new JsonObject { ["ETag"] = new JsonObject { ["schema"] = Type("string") } };
        }

        return reply;
    }

    private static JsonObject Content(string type, JsonObject schema) => new() { [type] = new JsonObject { ["schema"] = schema } };

    [GeneratedRegex(@"\{\*{0,2}(?<name>[A-Za-z]+)[^}]*\}", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant)]
    private static partial Regex Braces();

    [GeneratedRegex("[^A-Za-z0-9]+", RegexOptions.CultureInvariant)]
    private static partial Regex Separators();
}
