using System.Text.RegularExpressions;

namespace Gateway.Bots.Abilities;

/// <summary>Regular expressions of schemas, which the owner writes and arguments of a model meet.</summary>
internal static class SchemaPattern
{
    /// <summary>A pattern that takes longer is one that can be driven to take for ever.</summary>
    private static readonly TimeSpan LongestMatch = TimeSpan.FromMilliseconds(100);

    /// <summary>Null when it is no pattern.</summary>
    public static Regex? Read(string pattern)
    {
        try
        {
            // In time that grows with the text alone. Patterns with look-around or back-references have only the clock.
            return new Regex(pattern, RegexOptions.CultureInvariant | RegexOptions.NonBacktracking, LongestMatch);
        }
        catch (NotSupportedException)
        {
            return new Regex(pattern, RegexOptions.CultureInvariant, LongestMatch);
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    /// <summary>Null when that cannot be told in time.</summary>
    public static bool? Matches(Regex pattern, string text)
    {
        try
        {
            return pattern.IsMatch(text);
        }
        catch (RegexMatchTimeoutException)
        {
            return null;
        }
    }
}
