using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Gateway.Admin.File;

/// <summary>Writes texts so that the reader of <c>gateway.yaml</c> takes them for the same texts again.</summary>
internal static class YamlQuote
{
    /// <summary>Without quotes where that is safe. A <c>${</c> stays one.</summary>
    public static string Scalar(string text) =>
        text.Length > 0 && char.IsAsciiLetter(text[0]) && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '/' or '-')
            && YamlScalars.KindOf(text) == ScalarKind.Text
            ? text
            : Quoted(Escaped(text));

    /// <summary>Several lines as a block, if they can be one; else as <see cref="Scalar"/>.</summary>
    /// <param name="indent">Of the block's lines.</param>
    public static string Lines(string text, int indent)
    {
        var isBlock = text.Contains('\n', StringComparison.Ordinal) && text[0] is not (' ' or '\n') && !text.EndsWith("\n\n", StringComparison.Ordinal)
            && text.All(c => c == '\n' || IsPrintable(c))
            && !text.Split('\n').Any(line => line.Length > 0 && string.IsNullOrWhiteSpace(line));
        if (!isBlock)
        {
            return Scalar(text);
        }

        var block = new StringBuilder(text[^1] == '\n' ? "|" : "|-");
        foreach (var line in Escaped(text[^1] == '\n' ? text[..^1] : text).Split('\n'))
        {
            block.Append('\n').Append(' ', line.Length == 0 ? 0 : indent).Append(line);
        }

        return block.ToString();
    }

    /// <summary>A JSON value as YAML on one line.</summary>
    public static string Json(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object when !value.EnumerateObject().Any() => "{}",
        JsonValueKind.Object =>
            $"{{ {string.Join(", ", value.EnumerateObject().Select(m => $"{Key(m.Name)}: {Json(m.Value)}"))} }}",
        JsonValueKind.Array => $"[{string.Join(", ", value.EnumerateArray().Select(Json))}]",
        JsonValueKind.String => Quoted(Escaped(value.GetString()!)),
        _ => value.GetRawText(),
    };

    /// <summary>A name, in which the reader fills in no variables.</summary>
    public static string Key(string name) => Scalar(name) == name ? name : Quoted(name);

    private static string Escaped(string text) => text.Replace("${", "$${", StringComparison.Ordinal);

    private static string Quoted(string text)
    {
        var quoted = new StringBuilder("\"");
        foreach (var c in text)
        {
            _ = c switch
            {
                '"' or '\\' => quoted.Append('\\').Append(c),
                '\n' => quoted.Append("\\n"),
                _ when IsPrintable(c) => quoted.Append(c),
                _ => quoted.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:X4}"),
            };
        }

        return quoted.Append('"').ToString();
    }

    /// <summary>Halves of surrogate pairs are: they come in pairs, since nothing else can be stored.</summary>
    private static bool IsPrintable(char c) => !char.IsControl(c) && c is not ('\u2028' or '\u2029' or '\uFEFF' or '\uFFFE' or '\uFFFF');
}
