namespace Gateway.Http;

/// <summary>What a request's path says before it is routed.</summary>
internal static class EdgePath
{
    /// <summary>
    /// Mends base URLs that people mistype: <c>//</c>, a trailing slash and <c>/v1/v1</c>. Never by a redirect: clients
    /// turn a redirected POST into a GET and lose the body.
    /// </summary>
    public static void Tidy(HttpRequest request)
    {
        var path = request.Path.Value;
        if (path is null || path.Length < 2)
        {
            return;
        }

        var isTidy = path[^1] != '/' && !path.Contains("//", StringComparison.Ordinal)
            && !path.StartsWith("/v1/v1/", StringComparison.Ordinal);
        if (isTidy)
        {
            return;
        }

        // The model's name in /v1/models/… may hold slashes of its own.
        var isModel = path.Contains("/models/", StringComparison.Ordinal);
        while (!isModel && path.Contains("//", StringComparison.Ordinal))
        {
            path = path.Replace("//", "/", StringComparison.Ordinal);
        }

        while (path.StartsWith("/v1/v1/", StringComparison.Ordinal))
        {
            path = path[3..];
        }

        request.Path = path.Length > 1 ? path.TrimEnd('/') : path;
    }

    public static Area AreaOf(PathString path) =>
        path.StartsWithSegments("/admin", StringComparison.Ordinal) || path.StartsWithSegments("/metrics", StringComparison.Ordinal)
            ? Area.Admin
            : path.StartsWithSegments("/health", StringComparison.Ordinal) ? Area.Open : Area.Api;

    /// <summary>The route that matched, since a path may carry anything a caller put there.</summary>
    public static string ForLog(HttpContext http) =>
        (http.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? "(no route)";
}
