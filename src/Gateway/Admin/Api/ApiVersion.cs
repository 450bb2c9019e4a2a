using System.Globalization;

namespace Gateway.Admin.Api;

/// <summary>An object's version as HTTP says it, so that nobody undoes a change that they have not seen.</summary>
internal static class ApiVersion
{
    public static void Tell(HttpContext http, long version) => Tell(http, Text(version));

    /// <param name="version">Letters and digits, another for each content.</param>
    public static void Tell(HttpContext http, string version) => http.Response.Headers.ETag = Tag(version);

    /// <summary>Whether a change may go on: the caller names no version in <c>If-Match</c>, or this one.</summary>
    public static bool IsWanted(HttpContext http, long version) => IsWanted(http, Text(version));

    /// <inheritdoc cref="IsWanted(HttpContext, long)"/>
    /// <param name="version">Null: there is no such object, and no version of it is the wanted one.</param>
    public static bool IsWanted(HttpContext http, string? version)
    {
        var wanted = http.Request.Headers.IfMatch;
        return wanted.Count == 0 || (version is not null
            && wanted.SelectMany(line => (line ?? "").Split(',', StringSplitOptions.TrimEntries)).Any(tag => tag == "*" || tag == Tag(version)));
    }

    /// <summary>Whether the caller says which version is to be changed.</summary>
    public static bool IsNamed(HttpContext http) => http.Request.Headers.IfMatch.Count > 0;

    private static string Text(long version) => version.ToString(CultureInfo.InvariantCulture);

    private static string Tag(string version) => $"\"{version}\"";
}
