using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Gateway.Upstream;

/// <summary>Strings in JSON of which one may be half of a surrogate pair, as some providers cut their texts.</summary>
internal static class JsonText
{
    /// <summary>What a string says, halves of pairs included; null for anything that is no string.</summary>
    public static string? Of(JsonNode? node)
    {
        if (node is not JsonValue value || value.GetValueKind() != JsonValueKind.String)
        {
            return null;
        }

        try
        {
            return value.GetValue<string>();
        }
        catch (InvalidOperationException)
        {
            return Unescape(value.GetValue<JsonElement>().GetRawText().AsSpan()[1..^1]);
        }
    }

    /// <param name="raw">Well-formed, as a parser has read it, without its quotes.</param>
    private static string Unescape(ReadOnlySpan<char> raw)
    {
        var text = new StringBuilder(raw.Length);
        for (var at = 0; at < raw.Length; at++)
        {
            if (raw[at] != '\\')
            {
                text.Append(raw[at]);
                continue;
            }

            at++;
            if (raw[at] == 'u')
            {
                text.Append((char)ushort.Parse(raw.Slice(at + 1, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
                at += 4;
                continue;
            }

            text.Append(raw[at] switch { 'n' => '\n', 'r' => '\r', 't' => '\t', 'b' => '\b', 'f' => '\f', var plain => plain });
        }

        return text.ToString();
    }
}
