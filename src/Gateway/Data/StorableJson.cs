using System.Globalization;
using System.Text.Json;

namespace Gateway.Data;

/// <summary>What JSON can say and a <c>jsonb</c> column cannot hold: numbers beyond all measure, NULs, halves of surrogate pairs.</summary>
internal static class StorableJson
{
    /// <summary>What is wrong with a value that is not storable, as the end of a sentence.</summary>
    public const string Otherwise = "without NULs, halves of surrogate pairs, and numbers that no 64-bit float can take";

    private const int LongestNumber = 100;
    private const int LeastExponent = -400;

    public static bool Is(JsonElement value)
    {
        try
        {
            return value.ValueKind switch
            {
                JsonValueKind.Object => value.EnumerateObject().All(m => IsText(m.Name) && Is(m.Value)),
                JsonValueKind.Array => value.EnumerateArray().All(Is),
                JsonValueKind.String => IsText(value.GetString()!),
                JsonValueKind.Number => IsNumber(value.GetRawText()),
                _ => true,
            };
        }
        catch (InvalidOperationException)
        {
            // What the reader says of an escaped half of a surrogate pair.
            return false;
        }
    }

    /// <param name="text">Digits as JSON writes them, or nearly so.</param>
    public static bool IsNumber(string text)
    {
        if (text.Length > LongestNumber || !double.IsFinite(double.Parse(text, CultureInfo.InvariantCulture)))
        {
            return false;
        }

        // 1e-99999 is a zero to readers of doubles, and to Postgres a number of too many places.
        var exponent = text.AsSpan()[(text.AsSpan().IndexOfAny('e', 'E') + 1)..];
        return exponent.Length == text.Length
            || (int.TryParse(exponent, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var power) && power >= LeastExponent);
    }

    public static bool IsText(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsSurrogatePair(text, i))
            {
                i++;
            }
            else if (text[i] == '\0' || char.IsSurrogate(text[i]))
            {
                return false;
            }
        }

        return true;
    }
}
