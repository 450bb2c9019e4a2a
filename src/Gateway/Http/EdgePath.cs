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

        // The model's name in /v1/models/… may hold double slashes of its own.
        var models = path.IndexOf("/models/", StringComparison.Ordinal);
        var (head, name) = models < 0 ? (path, "") : (path[..models].TrimEnd('/'), path[models..]);
        while (head.Contains("//", StringComparison.Ordinal))
        {
            head = head.Replace("//", "/", StringComparison.Ordinal);
        }

        path = head + name;
        while (path.StartsWith("/v1/v1/", StringComparison.Ordinal))
        {
            path = path[3..];
        }

        request.Path = path.Length > 1 ? path.TrimEnd('/') : path;
    }

    /// <summary>Without regard to case, as routing compares: what is routed to management must count as management.</summary>
    public static Area AreaOf(PathString path) =>
        path.StartsWithSegments("/admin", StringComparison.OrdinalIgnoreCase) || IsMetrics(path)
            ? Area.Admin
            : path.StartsWithSegments("/health", StringComparison.OrdinalIgnoreCase) ? Area.Open : Area.Api;

    public static bool IsMetrics(PathString path) => path.StartsWithSegments("/metrics", StringComparison.OrdinalIgnoreCase);

    /// <summary>The route that matched, since a path may carry anything a caller put there.</summary>
    public static string ForLog(HttpContext http) =>
        (http.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? "(no route)";
}
