using System.Globalization;
using Gateway.Data;

namespace Gateway.Limits;

/// <summary>
/// <c>x-ratelimit-*</c> as OpenAI sends them. Where several limits apply, the one with the least left is shown.
/// </summary>
internal static class RateLimitHeaders
{
    private static readonly string[] Seconds = [.. Enumerable.Range(0, 60).Select(s => string.Create(CultureInfo.InvariantCulture, $"{s}s"))];

    public static void Show(IHeaderDictionary headers, RequestLimits limits, DateTimeOffset now)
    {
        LimitWindow? requests = null, tokens = null;
        foreach (var share in limits.All())
        {
            if (share.Values.Rpm is { } rpm)
            {
                requests = Tighter(requests, share.Subject.Window(LimitMeter.Requests, rpm));
            }

            if (share.Values.Tpm is { } tpm)
            {
                tokens = Tighter(tokens, share.Subject.Window(LimitMeter.Tokens, tpm));
            }
        }

        if (requests is not null)
        {
            headers["x-ratelimit-limit-requests"] = Text(requests.Most);
            headers["x-ratelimit-remaining-requests"] = Text(Remaining(requests));
            headers["x-ratelimit-reset-requests"] = Duration(requests.Id.EndsAt - now.UtcDateTime);
        }

        if (tokens is not null)
        {
            headers["x-ratelimit-limit-tokens"] = Text(tokens.Most);
            headers["x-ratelimit-remaining-tokens"] = Text(Remaining(tokens));
            headers["x-ratelimit-reset-tokens"] = Duration(tokens.Id.EndsAt - now.UtcDateTime);
        }
    }

    /// <summary>As OpenAI writes them: <c>20ms</c>, <c>12s</c>, <c>1m0s</c>.</summary>
    public static string Duration(TimeSpan left)
    {
        if (left < TimeSpan.FromSeconds(1))
        {
            return string.Create(CultureInfo.InvariantCulture, $"{Math.Max(0, Math.Ceiling(left.TotalMilliseconds)):0}ms");
        }

        var seconds = (long)Math.Ceiling(left.TotalSeconds);
        return seconds < 60
            ? Seconds[seconds]
            : string.Create(CultureInfo.InvariantCulture, $"{seconds / 60}m{seconds % 60}s");
    }

    private static LimitWindow Tighter(LimitWindow? one, LimitWindow other) =>
        one is null || Remaining(other) < Remaining(one) ? other : one;

    private static long Remaining(LimitWindow window) => Math.Max(0, window.Most - window.Used);

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
