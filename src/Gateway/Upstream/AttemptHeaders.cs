using Gateway.Http;

namespace Gateway.Upstream;

/// <summary>What a reply's headers tell of how it came about.</summary>
internal static class AttemptHeaders
{
    private const string Name = "x-gateway-attempts";

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
            http.Response.Headers[Name] = trail.ToHeader();
        }
    }

    /// <summary>For who does not see the calls, such as a bot's door.</summary>
    public static void Set(HttpContext http, RequestFacts facts)
    {
        if (facts.AttemptsHeader is { } text)
        {
            http.Response.Headers[Name] = text;
        }
    }
}
