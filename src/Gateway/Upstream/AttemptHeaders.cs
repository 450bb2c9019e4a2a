using Gateway.Http;

namespace Gateway.Upstream;

/// <summary>What a reply's headers tell of how it came about.</summary>
internal static class AttemptHeaders
{
    /// <summary>Only before the response has started.</summary>
    public static void Set(HttpContext http, UpstreamCall call)
    {
        DroppedParams.Name(http, call.DroppedParams);
        Set(http, call.Trail);
    }

    /// <param name="trail">Null or empty: nothing was asked, and nothing is told.</param>
    public static void Set(HttpContext http, AttemptTrail? trail)
    {
        if (trail is { Count: > 0 })
        {
            http.Response.Headers["x-gateway-attempts"] = trail.ToHeader();
        }
    }
}
