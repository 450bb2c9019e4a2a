using System.Collections.Concurrent;

namespace Gateway.Observability;

/// <summary>
/// How a request ended, as a label. The word may be an upstream's own error code, so only what looks like one is let
/// through, and only so many different ones.
/// </summary>
internal static class EndLabel
{
    private const int MostWords = 64;
    private const int LongestWord = 40;
    private const string Other = "other";

    private static readonly ConcurrentDictionary<string, string> Words = new(StringComparer.Ordinal);

    /// <summary>The word, or <c>other</c>.</summary>
    public static string Of(string end)
    {
        if (Words.TryGetValue(end, out var known))
        {
            return known;
        }

        // Neither digits nor dashes: no code needs them, every key has them.
        if (Words.Count >= MostWords || end.Length is 0 or > LongestWord || end.AsSpan().ContainsAnyExcept(Letters))
        {
            return Other;
        }

        return Words.GetOrAdd(end, end);
    }

    private static readonly System.Buffers.SearchValues<char> Letters = System.Buffers.SearchValues.Create("abcdefghijklmnopqrstuvwxyz_");
}
