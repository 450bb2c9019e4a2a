using System.Globalization;
using System.Text.RegularExpressions;
using Gateway.Data;

namespace Gateway.Admin.File;

internal enum ScalarKind { Text, Number, Bool, Null }

/// <summary>What YAML 1.2's core schema makes of a scalar without quotes: <c>yes</c> and dates are text.</summary>
internal static partial class YamlScalars
{
    public static ScalarKind KindOf(string plain) => plain switch
    {
        "" or "~" or "null" or "Null" or "NULL" => ScalarKind.Null,
        "true" or "True" or "TRUE" or "false" or "False" or "FALSE" => ScalarKind.Bool,
        _ when Decimal().IsMatch(plain) || Based().IsMatch(plain) || NoNumber().IsMatch(plain) => ScalarKind.Number,
        _ => ScalarKind.Text,
    };

    /// <summary>A scalar of kind number as JSON writes it, digit for digit; null when JSON has no such one.</summary>
    public static string? ToJsonNumber(string plain)
    {
        if (Based().IsMatch(plain))
        {
            return ParseBased(plain)?.ToString(CultureInfo.InvariantCulture);
        }

        // 1e999 is a JSON number that no reader of doubles can take.
        var match = Decimal().Match(plain);
        if (!match.Success || !StorableJson.IsNumber(plain))
        {
            return null;
        }

        var sign = match.Groups["sign"].Value == "-" ? "-" : "";
        var whole = match.Groups["whole"].Value.TrimStart('0') is { Length: > 0 } digits ? digits : "0";
        var fraction = match.Groups["fraction"].Value is { Length: > 0 } places ? "." + places : "";
        return sign + whole + fraction + match.Groups["exponent"].Value;
    }

    /// <summary>False for text that escapes can make, but no database column and no UTF-8 body can hold.</summary>
    public static bool IsStorable(string text) => StorableJson.IsText(text);

    private static ulong? ParseBased(string plain)
    {
        ulong value = 0;
        var bits = plain[1] == 'x' ? 4 : 3;
        foreach (var digit in plain.AsSpan(2))
        {
            if (value >> (64 - bits) != 0)
            {
                return null;
            }

            value = (value << bits) | (uint)Convert.ToInt32(digit.ToString(), 16);
        }

        return value;
    }

    [GeneratedRegex(
        @"^(?<sign>[-+]?)((?<whole>[0-9]+)(\.(?<fraction>[0-9]*))?|\.(?<fraction>[0-9]+))" +
        @"(?<exponent>[eE][-+]?[0-9]+)?\z",
        RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant)]
    private static partial Regex Decimal();

    [GeneratedRegex(@"^0(o[0-7]+|x[0-9a-fA-F]+)\z", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant)]
    private static partial Regex Based();

    [GeneratedRegex(
        @"^([-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))\z", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant)]
    private static partial Regex NoNumber();
}
