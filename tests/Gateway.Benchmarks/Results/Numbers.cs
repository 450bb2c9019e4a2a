using System.Globalization;

namespace Gateway.Benchmarks.Results;

internal static class Numbers
{
    /// <summary>With three or four telling digits, thousands parted, and the unit behind.</summary>
    public static string Show(double value, string unit) =>
        unit is "" or "1/s" ? Digits(value, unit) : $"{Digits(value, unit)} {unit}";

    /// <summary>Whole percents.</summary>
    public static string Share(double share) => string.Create(CultureInfo.InvariantCulture, $"{share * 100:F0} %");

    public static string Show(Target target) =>
        $"{(target.Bound == Bound.AtLeast ? "≥" : "≤")} {Show(target.Limit, target.Unit)}";

    /// <summary>The lowest and the highest round.</summary>
    public static string Range(IReadOnlyCollection<double> rounds, string unit) =>
        $"{Digits(rounds.Min(), unit)} to {Show(rounds.Max(), unit)}";

    private static string Digits(double value, string unit)
    {
        var format = Math.Abs(value) switch
        {
            0 => "0",
            >= 100 => "#,0",
            >= 10 => "0.0",
            _ when unit.Length == 0 => "0.00",
            _ => "0.000",
        };
        return value.ToString(format, CultureInfo.InvariantCulture);
    }
}
