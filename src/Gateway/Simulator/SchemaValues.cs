using System.Text.Json;
using System.Text.RegularExpressions;

namespace Gateway.Simulator;

/// <summary>Strings and numbers that satisfy the keywords of a JSON Schema.</summary>
internal static class SchemaValues
{
    private static readonly string[] Samples =
        ["a", "A", "0", "a1", "abc", "ABC", "123", "A1", "AB", "12", "1234", "12345", "ABC-123", "abc-123", "a@b.co", "1.0", "1.0.0",
         "2026-01-01", "12:00", "2026-01-01T00:00:00Z", "+10000000000", "https://example.com", "#000000", "Abc", "abcdefgh", "00000000"];

    /// <summary>
    /// A text of the length that matches, when one of the common shapes does; else one that does not match.
    /// </summary>
    public static string Sample(string pattern, int minLength, int maxLength) =>
        Array.Find(Samples, s => s.Length >= minLength && s.Length <= maxLength && Matches(s, pattern)) ?? Samples[0];

    private static bool Matches(string sample, string pattern)
    {
        try
        {
            return Regex.IsMatch(sample, pattern, RegexOptions.ECMAScript, TimeSpan.FromMilliseconds(10));
        }
        catch (Exception e) when (e is ArgumentException or RegexMatchTimeoutException)
        {
            return false;
        }
    }

    public static string? Formatted(string format) => format switch
    {
        "date-time" => "2026-01-01T00:00:00Z",
        "date" => "2026-01-01",
        "time" => "00:00:00Z",
        "duration" => "PT1S",
        "email" or "idn-email" => "user@example.com",
        "hostname" or "idn-hostname" => "example.com",
        "ipv4" => "192.0.2.1",
        "ipv6" => "2001:db8::1",
        "uuid" => "00000000-0000-4000-8000-000000000000",
        "uri" or "iri" or "uri-reference" => "https://example.com/",
        _ => null,
    };

    /// <summary>The allowed number that is nearest to zero, going up from the lower bound.</summary>
    public static double NumberFor(JsonElement schema, bool isWhole)
    {
        var step = Math.Abs(Limit(schema, "multipleOf", 0));
        var unit = step > 0 ? step : isWhole ? 1 : 0;
        var min = Limit(schema, "minimum", double.NegativeInfinity);
        var above = Limit(schema, "exclusiveMinimum", double.NegativeInfinity);
        var max = Limit(schema, "maximum", double.PositiveInfinity);
        var below = Limit(schema, "exclusiveMaximum", double.PositiveInfinity);
        var low = Math.Max(min, above);
        var high = Math.Min(max, below);

        var value = low > 0 || (low == 0 && above == 0) ? low : high < 0 || (high == 0 && below == 0) ? high : 0;
        if (unit > 0)
        {
            value = value >= 0 && value == low ? Math.Ceiling(value / unit) * unit : Math.Floor(value / unit) * unit;
        }

        var gap = unit > 0 ? unit : double.IsFinite(high - low) ? (high - low) / 2 : 1;
        return value <= above ? value + gap : value >= below ? value - gap : value;
    }

    public static double Limit(JsonElement schema, string name, double otherwise) =>
        schema.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number
            && value.TryGetDouble(out var number)
            ? number
            : otherwise;
}
