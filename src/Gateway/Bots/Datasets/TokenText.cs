using System.Text;
using Gateway.Upstream;

namespace Gateway.Bots.Datasets;

/// <summary>Cuts texts to sizes in tokens, at ends of sentences or words where there are any.</summary>
internal static class TokenText
{
    /// <summary>The begin of a text, at most so many tokens.</summary>
    public static string Cut(string text, int most) =>
        PromptEstimate.Text(text) <= most ? text : Cut(text, Math.Max(1, most), 0).First();

    /// <summary>All of a text in parts, each of which repeats the last sentences of the part before it.</summary>
    /// <param name="overlap">Less than <paramref name="most"/>.</param>
    public static IEnumerable<string> Cut(string text, int most, int overlap)
    {
        var open = new List<(string Text, int Tokens)>();
        var tokens = 0;
        var fresh = 0;
        foreach (var unit in Sentences(text).SelectMany(s => Fit(s, most)))
        {
            var own = PromptEstimate.Text(unit);
            if (fresh > 0 && tokens + own > most)
            {
                yield return Join(open);
                fresh = 0;
                (open, tokens) = Last(open, Math.Min(overlap, most - own));
            }

            open.Add((unit, own));
            tokens += own;
            fresh++;
        }

        if (fresh > 0)
        {
            yield return Join(open);
        }
    }

    private static string Join(List<(string Text, int Tokens)> units) => string.Concat(units.Select(u => u.Text));

    private static (List<(string, int)> Units, int Tokens) Last(List<(string Text, int Tokens)> units, int most)
    {
        var tokens = 0;
        var from = units.Count;
        while (from > 0 && tokens + units[from - 1].Tokens <= most)
        {
            tokens += units[--from].Tokens;
        }

        return (units[from..], tokens);
    }

    /// <summary>With the white space behind them, so that they give the text again.</summary>
    private static IEnumerable<string> Sentences(string text)
    {
        var start = 0;
        for (var i = 0; i < text.Length; i++)
        {
            var isEnd = text[i] is '。' or '！' or '？' or '\n'
                || (text[i] is '.' or '!' or '?' && (i + 1 == text.Length || char.IsWhiteSpace(text[i + 1])));
            if (!isEnd)
            {
                continue;
            }

            while (i + 1 < text.Length && char.IsWhiteSpace(text[i + 1]))
            {
                i++;
            }

            yield return text[start..(i + 1)];
            start = i + 1;
        }

        if (start < text.Length)
        {
            yield return text[start..];
        }
    }

    /// <summary>A sentence that fits, or its words in parts that do; a word that does not fit is cut itself.</summary>
    private static IEnumerable<string> Fit(string sentence, int most)
    {
        if (PromptEstimate.Text(sentence) <= most)
        {
            yield return sentence;
            yield break;
        }

        var part = new StringBuilder();
        var bytes = 0;
        var mostBytes = most * PromptEstimate.BytesPerToken;
        var lastSpace = 0;
        foreach (var rune in sentence.EnumerateRunes())
        {
            if (bytes + rune.Utf8SequenceLength > mostBytes && part.Length > 0)
            {
                var end = lastSpace > part.Length / 2 ? lastSpace : part.Length;
                yield return part.ToString(0, end);
                part.Remove(0, end);
                bytes = Encoding.UTF8.GetByteCount(part.ToString());
                lastSpace = 0;
            }

            part.Append(rune);
            bytes += rune.Utf8SequenceLength;
            if (Rune.IsWhiteSpace(rune))
            {
                lastSpace = part.Length;
            }
        }

        if (part.Length > 0)
        {
            yield return part.ToString();
        }
    }
}
