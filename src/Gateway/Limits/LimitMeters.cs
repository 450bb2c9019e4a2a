using System.Globalization;
using Gateway.Data;
using Gateway.Http;

namespace Gateway.Limits;

/// <summary>One configured limit.</summary>
/// <param name="Most">In the meter's unit.</param>
internal readonly record struct MeteredLimit(LimitMeter Meter, long Most);

/// <summary>What the meters mean: units, and the words of refusals.</summary>
internal static class LimitMeters
{
    /// <summary>Money is counted in billionths of a USD: a thousandth of what a token of the cheapest models costs.</summary>
    private const decimal UnitsPerUsd = 1_000_000_000m;

    /// <summary>The limits that are set, but for those on requests at a time.</summary>
    public static int Of(LimitValues values, Span<MeteredLimit> limits)
    {
        var count = 0;
        if (values.Rpm is { } rpm)
        {
            limits[count++] = new(LimitMeter.Requests, rpm);
        }

        if (values.Tpm is { } tpm)
        {
            limits[count++] = new(LimitMeter.Tokens, tpm);
        }

        if (values.Budget is { Usd: { } usd, Per: var per })
        {
            limits[count++] = new(per == BudgetPer.Day ? LimitMeter.UsdPerDay : LimitMeter.UsdPerMonth, Floor(usd));
        }

        if (values.Budget is { Tokens: { } tokens, Per: var span })
        {
            limits[count++] = new(span == BudgetPer.Day ? LimitMeter.TokensPerDay : LimitMeter.TokensPerMonth, tokens);
        }

        return count;
    }

    public static bool IsUsd(LimitMeter meter) => meter is LimitMeter.UsdPerDay or LimitMeter.UsdPerMonth;

    public static bool IsBudget(LimitMeter meter) => meter is not (LimitMeter.Requests or LimitMeter.Tokens);

    /// <summary>An expense in the meter's unit, rounded up: many small ones must not be free.</summary>
    public static long Ceiling(decimal usd) =>
        usd >= long.MaxValue / UnitsPerUsd ? long.MaxValue : (long)Math.Ceiling(usd * UnitsPerUsd);

    /// <summary>Why a limit does not allow a request.</summary>
    public static ApiError Refusal(LimitWindow window, string whose, long requested, DateTimeOffset now)
    {
        var (meter, most, used) = (window.Id.Meter, window.Most, Math.Min(window.Used, window.Most));
        if (!IsBudget(meter))
        {
            var (what, type) = meter == LimitMeter.Requests
                ? ("requests per min (RPM)", "requests")
                : ("tokens per min (TPM)", "tokens");
            return ApiError.RateLimited(whose, what, type, most, used, requested, window.Id.EndsAt - now.UtcDateTime);
        }

        var span = meter is LimitMeter.UsdPerDay or LimitMeter.TokensPerDay ? "day" : "month";
        return ApiError.BudgetSpent(
            whose, $"{Amount(meter, most)} per {span}", Amount(meter, most - used), Amount(meter, requested), window.Id.EndsAt);
    }

    private static long Floor(decimal usd) =>
        usd >= long.MaxValue / UnitsPerUsd ? long.MaxValue / 2 : (long)Math.Floor(usd * UnitsPerUsd);

    private static string Amount(LimitMeter meter, long amount) => IsUsd(meter)
        ? string.Create(CultureInfo.InvariantCulture, $"{amount / UnitsPerUsd:0.######} USD")
        : string.Create(CultureInfo.InvariantCulture, $"{amount} tokens");
}
