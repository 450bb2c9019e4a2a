using System.Text;

namespace Gateway.Bots.Datasets.Parsing;

/// <summary>Bytes as text, and text without what cannot be stored.</summary>
internal static class PlainText
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
    private static readonly UnicodeEncoding StrictUtf16 = new(bigEndian: false, byteOrderMark: true, throwOnInvalidBytes: true);
    private static readonly UnicodeEncoding StrictUtf16Big = new(bigEndian: true, byteOrderMark: true, throwOnInvalidBytes: true);

    /// <summary>UTF-8, or UTF-16 where a byte order mark says so: guessing at anything else would index rubbish.</summary>
    /// <exception cref="UnreadableFileException">It is neither, or no text.</exception>
    public static string Decode(ReadOnlySpan<byte> bytes)
    {
        try
        {
            var text = bytes switch
            {
                [0xEF, 0xBB, 0xBF, ..] => StrictUtf8.GetString(bytes[3..]),
                [0xFF, 0xFE, ..] => StrictUtf16.GetString(bytes[2..]),
                [0xFE, 0xFF, ..] => StrictUtf16Big.GetString(bytes[2..]),
                _ => StrictUtf8.GetString(bytes),
            };
            return text.Contains('\0', StringComparison.Ordinal)
                ? throw new UnreadableFileException("it holds NUL characters, so it is no text.")
                : text;
        }
        catch (ArgumentException)
        {
            throw new UnreadableFileException("it is not UTF-8 (nor UTF-16 with a byte order mark). Save it as UTF-8.");
        }
    }

    /// <summary>Line ends as <c>\n</c>; no control characters and no halves of surrogate pairs, which a database does not take.</summary>
    public static string Clean(string text)
    {
        if (text.AsSpan().IndexOfAnyInRange('\uD800', '\uDFFF') < 0 && !text.Any(c => char.IsControl(c) && c is not ('\n' or '\t')))
        {
            return text;
        }

        var clean = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (char.IsSurrogate(c))
            {
                if (i + 1 < text.Length && char.IsSurrogatePair(c, text[i + 1]))
                {
                    clean.Append(c).Append(text[++i]);
                }
            }
            else if (c is '\r' or '\f' or '\v')
            {
                if (c != '\r' || i + 1 == text.Length || text[i + 1] != '\n')
                {
                    clean.Append('\n');
                }
            }
            else if (!char.IsControl(c) || c is '\n' or '\t')
            {
                clean.Append(c);
            }
        }

        return clean.ToString();
    }

    public static string OneLine(string text) => Clean(text).Replace('\n', ' ').Replace('\t', ' ').Trim();
}
