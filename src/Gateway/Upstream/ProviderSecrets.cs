using System.Diagnostics.CodeAnalysis;
using Gateway.Data;

namespace Gateway.Upstream;

/// <summary>
/// What we send a provider to be let in: its key, the values of its headers, and its address' path, which some keep a token
/// in. Some providers quote in an error what they refuse, and that is the operator's secret, not the caller's to read.
/// </summary>
internal sealed class ProviderSecrets
{
    /// <summary>Shorter values are no secrets, and would be found in the middle of ordinary words.</summary>
    private const int ShortestSecret = 8;

    private const string Concealed = "[secret]";

    private readonly string[] _values;

    public ProviderSecrets(string baseUrl, Secret? apiKey, IReadOnlyList<KeyValuePair<string, string>> headers)
    {
        var path = Uri.TryCreate(baseUrl, UriKind.Absolute, out var address) ? address.AbsolutePath.TrimEnd('/') : "";
        List<string> values = [apiKey?.Reveal() ?? "", path];
        foreach (var (_, value) in headers)
        {
            values.Add(value);
            // Without its scheme, such as Bearer.
            values.Add(value[(value.IndexOf(' ', StringComparison.Ordinal) + 1)..]);
        }

        // The longest first: a value may stand in another.
        _values = [.. values.Where(value => value.Length >= ShortestSecret).Distinct().OrderByDescending(value => value.Length)];
    }

    /// <summary>A text of the provider's without them.</summary>
    [return: NotNullIfNotNull(nameof(text))]
    public string? Conceal(string? text)
    {
        foreach (var value in text is null ? [] : _values)
        {
            text = text!.Replace(value, Concealed, StringComparison.Ordinal);
        }

        return text;
    }
}
