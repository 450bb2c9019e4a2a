using Gateway.Data;

namespace Gateway.Http;

/// <summary>
/// Answers browsers, for <c>/v1</c> and <c>/chatkit</c>, never for <c>/admin</c>. Our own and not the framework's,
/// because OpenAI's clients send headers nobody can list (<c>x-stainless-*</c>), and because refusals made before
/// routing must carry the headers too, or a browser hides them from the page.
/// </summary>
internal sealed class Cors
{
    private const string Exposed =
        "x-request-id, retry-after, retry-after-ms, x-should-retry, x-ratelimit-limit-requests, x-ratelimit-limit-tokens, "
        + "x-ratelimit-remaining-requests, x-ratelimit-remaining-tokens, x-ratelimit-reset-requests, x-ratelimit-reset-tokens, "
        + "x-gateway-dropped-params, x-gateway-attempts, x-gateway-context-trimmed";

    private readonly string[] _origins;
    private readonly bool _any;

    public Cors(GatewaySettings settings)
    {
        _origins = settings.CorsOrigins.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        _any = _origins.Contains("*");
    }

    /// <summary>Adds the headers; true when the request was a preflight and is answered.</summary>
    public bool Answer(HttpContext http)
    {
        var origin = http.Request.Headers.Origin;
        if (origin.Count == 0 || EdgePath.AreaOf(http.Request.Path) != Area.Api)
        {
            return false;
        }

        var headers = http.Response.Headers;
        headers.Append("Vary", "Origin");
        var isAllowed = _any || (origin[0] is { } o && _origins.Contains(o, StringComparer.OrdinalIgnoreCase));
        if (isAllowed)
        {
            headers.AccessControlAllowOrigin = _any ? "*" : origin;
            headers.AccessControlExposeHeaders = Exposed;
        }

        var isPreflight = HttpMethods.IsOptions(http.Request.Method)
            && http.Request.Headers.AccessControlRequestMethod.Count > 0;
        if (!isPreflight)
        {
            return false;
        }

        if (isAllowed)
        {
            headers.AccessControlAllowMethods = "GET, POST, PUT, DELETE, OPTIONS";
            headers.AccessControlAllowHeaders = http.Request.Headers.AccessControlRequestHeaders is { Count: > 0 } asked
                ? asked
                : "authorization, content-type";
            headers.AccessControlMaxAge = "600";
        }

        http.Response.StatusCode = StatusCodes.Status204NoContent;
        return true;
    }
}
