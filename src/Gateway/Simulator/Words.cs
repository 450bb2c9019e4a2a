using System.Collections.Frozen;
using System.Globalization;

namespace Gateway.Simulator;

/// <summary>
/// The simulator's idea of tokens and of meaning: a token is a word or one punctuation mark with the white space before
/// it; two texts are about the same where their words have the same stems.
/// </summary>
internal static class Words
{
    private static readonly FrozenSet<string> Empty = FrozenSet.ToFrozenSet(
        ("a an and any are as at be been but by can could did do does for from had has have he her him his how i if in into is it its "
            + "let me my no not of off on or our out please say she should so some tell than that the their them then there these they "
            + "this those to up us use was we were what when where which who whom whose why will with would you your")
        .Split(' '));

    /// <summary>Where the token that begins at <paramref name="start"/> ends.</summary>
    public static int End(ReadOnlySpan<char> text, int start)
    {
        var at = start;
        while (at < text.Length && char.IsWhiteSpace(text[at]))
        {
            at++;
        }

        if (at == text.Length)
        {
            return at;
        }

        if (!IsWordPart(text[at]))
        {
            // Half of a surrogate pair would not survive the way through UTF-8.
            return char.IsHighSurrogate(text[at]) && at + 1 < text.Length ? at + 2 : at + 1;
        }

        while (at < text.Length && IsWordPart(text[at]))
        {
            at++;
        }

        return at;
    }

    public static int Count(ReadOnlySpan<char> text)
    {
        var count = 0;
        for (var at = 0; at < text.Length; at = End(text, at))
        {
            count++;
        }

        return count;
    }

    /// <summary>
    /// The length of the first <paramref name="tokens"/> tokens; the whole length when there are no more.
    /// </summary>
    public static int LengthOf(ReadOnlySpan<char> text, int tokens)
    {
        var at = 0;
        for (var n = 0; n < tokens && at < text.Length; n++)
        {
            at = End(text, at);
        }

        return at;
    }

    /// <summary>
    /// Stems of the words that carry meaning, each once. <c>findCustomer</c> and <c>find_customer</c> are two words.
    /// </summary>
    public static HashSet<string> Stems(string text)
    {
        var stems = new HashSet<string>(StringComparer.Ordinal);
        foreach (var word in Split(text))
        {
            if (!Empty.Contains(word))
            {
                stems.Add(Stem(word));
            }
        }

        return stems;
    }

    /// <summary>Every word, lower case, in order.</summary>
    public static IEnumerable<string> Split(string text)
    {
        var start = -1;
        for (var at = 0; at <= text.Length; at++)
        {
            var isPart = at < text.Length && char.IsLetterOrDigit(text[at]);
            var isHump = isPart && start >= 0 && char.IsUpper(text[at]) && char.IsLower(text[at - 1]);
            if (start >= 0 && (!isPart || isHump))
            {
                yield return text[start..at].ToLower(CultureInfo.InvariantCulture);
                start = -1;
            }

            if (isPart && start < 0)
            {
                start = at;
            }
        }
    }

    public static string Stem(string word)
    {
        string[] endings = ["ing", "ies", "ed", "es", "s", "y", "e"];
        foreach (var ending in endings)
        {
            if (word.Length >= ending.Length + 3 && word.EndsWith(ending, StringComparison.Ordinal))
            {
                word = word[..^ending.Length];
                break;
            }
        }

        // "shipping" is about "ship"; "billing" stays "bill".
        return word.Length > 3 && word[^1] == word[^2] && word[^1] is not ('l' or 's') ? word[..^1] : word;
    }

    private static bool IsWordPart(char c) => char.IsLetterOrDigit(c) && c < '\u2E80';
}
