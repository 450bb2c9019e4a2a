using System.Globalization;

namespace Gateway.Admin.Api;

/// <summary>An object's version as HTTP says it, so that nobody undoes a change that they have not seen.</summary>
internal static class ApiVersion
{
    public static void Tell(HttpContext http, long version) => http.Response.Headers.ETag = Tag(version);

    /// <summary>Whether a change may go on: the caller names no version in <c>If-Match</c>, or this one.</summary>
    public static bool IsWanted(HttpContext http, long version)
    {
        var wanted = http.Request.Headers.IfMatch;
        return wanted.Count == 0
            || wanted.SelectMany(line => (line ?? "").Split(',', StringSplitOptions.TrimEntries)).Any(tag => tag == "*" || tag == Tag(version));
    }

    private static string Tag(long version) => string.Create(CultureInfo.InvariantCulture, $"\"{version}\"");
}
