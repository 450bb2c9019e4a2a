using System.Globalization;
using System.Text;
using System.Text.Json;
using Gateway.Admin.File;
using Gateway.Data;
using Gateway.Http;

namespace Gateway.Admin;

/// <summary>A budget as the API says it: one of the two, and in which time.</summary>
internal sealed record BudgetObject(decimal? Usd, long? Tokens, string Per)
{
    public static BudgetObject? Of(Budget? budget) => budget is null
        ? null
        : new BudgetObject(budget.Usd, budget.Tokens, budget.Per == BudgetPer.Day ? "day" : "month");
}

/// <summary>A key's limits in <c>/admin/v1/keys</c>: <c>rpm</c>, <c>tpm</c>, <c>concurrent</c>, <c>budget</c>.</summary>
internal static class KeyLimits
{
    private const int DaysOfLongestMonth = 31;

    /// <summary>Null when the body has none, or with an error.</summary>
    public static LimitValues? Read(JsonBody json, ref ApiError? error)
    {
        var rpm = Count(json, "rpm", ref error);
        var tpm = Count(json, "tpm", ref error);
        var concurrent = Count(json, "concurrent", ref error);
        var budget = Budget(json, ref error);
        return rpm is null && tpm is null && concurrent is null && budget is null
            ? null
            : new LimitValues(rpm, tpm, concurrent, budget);
    }

    /// <summary>What is wrong with limits for a key that is made by one with limits of its own; null: nothing.</summary>
    /// <param name="own">The making key's.</param>
    public static ApiError? Beyond(LimitValues? own, LimitValues? wanted) => own is null
        ? null
        : Beyond("rpm", own.Rpm, wanted?.Rpm)
            ?? Beyond("tpm", own.Tpm, wanted?.Tpm)
            ?? Beyond("concurrent", own.Concurrent, wanted?.Concurrent)
            ?? (own.Budget is { } most && !IsWithin(wanted?.Budget, most)
                ? ApiError.InvalidValue("budget", $"expected at most {FileBudget.Format(most)}, which is this key's own.")
                : null);

    private static ApiError? Beyond(string name, long? own, long? wanted) => own is null || wanted <= own
        ? null
        : ApiError.InvalidValue(name, $"expected a number from 1 to {own}, which is this key's own.");

    /// <summary>Whether no day and no month could take more out of the one budget than out of the other.</summary>
    private static bool IsWithin(Budget? wanted, Budget own)
    {
        var times = wanted?.Per == BudgetPer.Day && own.Per == BudgetPer.Month ? DaysOfLongestMonth : 1;
        return wanted is not null
            && (own.Usd is null || wanted.Usd * times <= own.Usd)
            && (own.Tokens is null || wanted.Tokens * times <= own.Tokens);
    }

    private static int? Count(JsonBody json, string name, ref ApiError? error)
    {
        if (!json.TryGet(Encoding.UTF8.GetBytes(name), out var member))
        {
            return null;
        }

        if (member.Kind != JsonTokenType.Number)
        {
            error ??= ApiError.InvalidType(name, "an integer", JsonBody.KindName(member.Kind));
            return null;
        }

        var reader = new Utf8JsonReader(json.Value(member).Span);
        reader.Read();
        if (reader.TryGetInt32(out var count) && count is > 0 and <= GatewayFileShape.MaxCount)
        {
            return count;
        }

        error ??= ApiError.InvalidValue(name, $"expected a whole number from 1 to {GatewayFileShape.MaxCount}.");
        return null;
    }

    private static Budget? Budget(JsonBody json, ref ApiError? error)
    {
        if (!json.TryGet("budget"u8, out var member))
        {
            return null;
        }

        if (member.Kind != JsonTokenType.StartObject)
        {
            error ??= ApiError.InvalidType("budget", "an object", JsonBody.KindName(member.Kind));
            return null;
        }

        if (!JsonBody.TryRead(json.Value(member), null, out var fields, out var wrong))
        {
            error ??= wrong;
            return null;
        }

        // Both ways to write a budget have the same limits when one is read as the other.
        var text = new StringBuilder();
        string? per = null;
        foreach (ref readonly var field in fields.Members)
        {
            var name = Encoding.UTF8.GetString(fields.Name(field));
            if (name is "usd" or "tokens" && field.Kind == JsonTokenType.Number)
            {
                text.Append(Plain(fields.Value(field).Span)).Append(name);
            }
            else if (name is "per" && field.Kind == JsonTokenType.String)
            {
                per = fields.Text(field);
            }
            else
            {
                text.Append('?');
            }
        }

        var budget = FileBudget.Parse($"{text}/{per}");
        error ??= budget is null
            ? ApiError.InvalidValue("budget", """expected one such as {"usd":5,"per":"day"} or {"tokens":2000000,"per":"month"}.""")
            : null;
        return budget;
    }

    /// <summary>1e3 and 5.0 are numbers too.</summary>
    private static string Plain(ReadOnlySpan<byte> number)
    {
        var reader = new Utf8JsonReader(number);
        reader.Read();
        return reader.TryGetDecimal(out var value) ? value.ToString("0.############################", CultureInfo.InvariantCulture) : "?";
    }
}
