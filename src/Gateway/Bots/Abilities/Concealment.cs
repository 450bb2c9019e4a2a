using System.Net;
using System.Text.Encodings.Web;
using System.Text.Json;
using Gateway.Data;

namespace Gateway.Bots.Abilities;

/// <summary>
/// Takes the secrets that a request was made with out of what comes back: a server that repeats a request, or an error that
/// quotes it, would show them to the model.
/// </summary>
internal sealed class Concealment
{
    public const string Mark = "[secret]";

    /// <summary>Shorter values stand in the middle of ordinary words.</summary>
    private const int ShortestSecret = 4;

    private readonly string[] _values;

    public Concealment(IEnumerable<Secret> secrets) => _values =
    [
        .. secrets.Select(s => s.Reveal())
            .SelectMany(Forms)
            .Where(value => value.Length >= ShortestSecret)
            .Distinct().OrderByDescending(value => value.Length),
    ];

    /// <summary>The ways in which it is usually written: as it is, in a URL or a form, and in JSON by those who escape little or much.</summary>
    private static IEnumerable<string> Forms(string value)
    {
        var little = JsonEncodedText.Encode(value, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).Value;
        return
        [
            value, Uri.EscapeDataString(value), WebUtility.UrlEncode(value), WebUtility.HtmlEncode(value), little,
            little.Replace("/", "\\/", StringComparison.Ordinal), JsonEncodedText.Encode(value).Value,
            // JSON that stands as a text in JSON.
            JsonEncodedText.Encode(little).Value,
        ];
    }

    /// <param name="isCut">Whether the text ends where its reading stopped, perhaps in the middle of a secret.</param>
    public string Conceal(string text, bool isCut = false)
    {
        foreach (var value in _values)
        {
            text = text.Replace(value, Mark, StringComparison.OrdinalIgnoreCase);
        }

        return isCut ? WithoutBegunSecret(text) : text;
    }

    private string WithoutBegunSecret(string text)
    {
        foreach (var value in _values)
        {
            for (var begun = Math.Min(value.Length - 1, text.Length); begun >= ShortestSecret; begun--)
            {
                if (text.AsSpan().EndsWith(value.AsSpan(0, begun), StringComparison.Ordinal))
                {
                    return text[..^begun] + Mark;
                }
            }
        }

        return text;
    }
}
