using System.Globalization;
using System.Text.RegularExpressions;
using Gateway.Data;

namespace Gateway.Admin.File;

/// <summary>Budgets as the file and the command line write them: <c>5usd/day</c>, <c>2000000tokens/month</c>; amounts: <c>0.50usd</c>.</summary>
internal static partial class FileBudget
{
    /// <summary>The same in the JSON Schema's words.</summary>
    public const string Pattern = @"^([0-9]{1,9}(\.[0-9]{1,6})?usd|[0-9]{1,15}tokens)/(day|month)$";

    public const string Expected = "a budget such as 5usd/day or 2000000tokens/month";

    /// <inheritdoc cref="Pattern"/>
    public const string MoneyPattern = @"^[0-9]{1,9}(\.[0-9]{1,6})?usd$";

    public const string MoneyExpected = "an amount such as 0.50usd";

    /// <summary>Null when the text is not a budget, or one of nothing.</summary>
    public static Budget? Parse(string text)
    {
        if (Form().Match(text) is not { Success: true } match)
        {
            return null;
        }

        var amount = decimal.Parse(match.Groups["amount"].ValueSpan, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture);
        var per = match.Groups["per"].ValueSpan is "day" ? BudgetPer.Day : BudgetPer.Month;
        return amount == 0 ? null
            : match.Groups["unit"].ValueSpan is "usd" ? new Budget(amount, null, per)
            : new Budget(null, (long)amount, per);
    }

    public static string Format(Budget budget)
    {
        var per = budget.Per == BudgetPer.Day ? "day" : "month";
        return budget.Usd is { } usd
            ? string.Create(CultureInfo.InvariantCulture, $"{usd:0.######}usd/{per}")
            : string.Create(CultureInfo.InvariantCulture, $"{budget.Tokens}tokens/{per}");
    }

    /// <summary>USD; null when the text is not an amount, or nothing.</summary>
    public static decimal? ParseMoney(string text) =>
        MoneyForm().Match(text) is { Success: true } match
        && decimal.Parse(match.Groups["amount"].ValueSpan, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture) is > 0 and var usd
            ? usd : null;

    public static string FormatMoney(decimal usd) => string.Create(CultureInfo.InvariantCulture, $"{usd:0.######}usd");

    [GeneratedRegex(@"^(?<amount>[0-9]{1,9}(\.[0-9]{1,6})?)usd\z", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant)]
    private static partial Regex MoneyForm();

    [GeneratedRegex(
        @"^(?<amount>[0-9]{1,9}(\.[0-9]{1,6})?(?=usd)|[0-9]{1,15}(?=tokens))(?<unit>usd|tokens)/(?<per>day|month)\z",
        RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant)]
    private static partial Regex Form();
}
