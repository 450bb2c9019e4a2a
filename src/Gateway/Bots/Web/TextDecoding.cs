using System.Text;
using System.Text.RegularExpressions;

namespace Gateway.Bots.Web;

/// <summary>Bytes of the web as text: by their mark, their header, what the page says of itself, else as they look. Pure.</summary>
internal static partial class TextDecoding
{
    /// <summary>How far into a page its own word for its encoding is looked for, as browsers do.</summary>
    private const int MetaBytes = 1_024;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static string Decode(byte[] bytes, string? charset, bool isHtml)
    {
        var (encoding, mark) = bytes switch
        {
            [0xEF, 0xBB, 0xBF, ..] => (Encoding.UTF8, 3),
            [0xFF, 0xFE, ..] => (Encoding.Unicode, 2),
            [0xFE, 0xFF, ..] => (Encoding.BigEndianUnicode, 2),
            _ => (Named(charset) ?? (isHtml ? Named(CharsetOf(bytes)) : null) ?? Guess(bytes), 0),
        };
        return encoding.GetString(bytes, mark, bytes.Length - mark);
    }

    /// <summary>Null when there is no such encoding. What calls itself Latin-1 is Windows-1252, as browsers know.</summary>
    private static Encoding? Named(string? charset)
    {
        if (charset is null || charset.Contains("utf-8", StringComparison.OrdinalIgnoreCase))
        {
            return charset is null ? null : Encoding.UTF8;
        }

        var name = charset.Trim().ToLowerInvariant() is "iso-8859-1" or "latin1" or "us-ascii" or "ascii" ? "windows-1252" : charset.Trim();
        try
        {
            return CodePagesEncodingProvider.Instance.GetEncoding(name) ?? Encoding.GetEncoding(name);
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    private static string? CharsetOf(byte[] bytes) =>
        Meta().Match(Encoding.Latin1.GetString(bytes, 0, Math.Min(bytes.Length, MetaBytes))) is { Success: true } match
            ? match.Groups[1].Value
            : null;

    private static Encoding Guess(byte[] bytes)
    {
        try
        {
            // A reply that was cut may end in the middle of a character, which is no reason to take it for something else.
            StrictUtf8.GetCharCount(bytes, 0, WholeCharacters(bytes));
            return Encoding.UTF8;
        }
        catch (DecoderFallbackException)
        {
            return CodePagesEncodingProvider.Instance.GetEncoding(1252)!;
        }
    }

    /// <summary>Where the last character ends that is there with all its bytes.</summary>
    private static int WholeCharacters(byte[] bytes)
    {
        var start = bytes.Length - 1;
        while (start > 0 && start > bytes.Length - 4 && (bytes[start] & 0xC0) == 0x80)
        {
            start--;
        }

        var needs = start < 0 ? 0 : bytes[start] switch { >= 0xF0 => 4, >= 0xE0 => 3, >= 0xC0 => 2, _ => 1 };
        return start + needs > bytes.Length && bytes.Length > 1_024 ? start : bytes.Length;
    }

    [GeneratedRegex("""<meta[^>]+charset\s*=\s*["']?\s*([\w.:-]+)""", RegexOptions.IgnoreCase)]
    private static partial Regex Meta();
}
