namespace Gateway.Http;

/// <summary>The header that names parameters which were not used.</summary>
internal static class DroppedParams
{
    /// <summary>Only before the response has started. Nothing is named when nothing was dropped.</summary>
    public static void Name(HttpContext http, IReadOnlyCollection<string> names)
    {
        if (names.Count > 0)
        {
            http.Response.Headers["x-gateway-dropped-params"] = string.Join(", ", names.Distinct());
        }
    }
}
