using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Gateway.Bots.Egress;
using Gateway.Data;

namespace Gateway.Bots.Abilities;

/// <summary>
/// The settings of an MCP ability, read from <see cref="AbilityRow.Settings"/>: <c>url</c>, <c>headers</c>, <c>tools</c>,
/// <c>timeout</c> (ms). Immutable.
/// </summary>
internal sealed class McpSettings
{
    private readonly UrlTemplate _url;
    private readonly List<(string Name, Template Value)> _headers = [];
    private readonly string[]? _tools;
    private readonly byte[] _json;

    /// <exception cref="FormatException">They cannot be read.</exception>
    public McpSettings(Ability ability)
    {
        try
        {
            _json = ability.Settings;
            using var settings = JsonDocument.Parse(ability.Settings);
            _url = new UrlTemplate(settings.RootElement.GetProperty("url").GetString()!);
            if (settings.RootElement.TryGetProperty("headers", out var headers))
            {
                _headers.AddRange(headers.EnumerateObject().Select(h => (h.Name, Template.Read(h.Value.GetString()!))));
            }

            _tools = settings.RootElement.TryGetProperty("tools", out var tools) ? [.. tools.EnumerateArray().Select(t => t.GetString()!)] : null;
            Timeout = settings.RootElement.TryGetProperty("timeout", out var ms) ? TimeSpan.FromMilliseconds(ms.GetInt32()) : HttpSettings.DefaultTimeout;
        }
        catch (Exception wrong) when (wrong is JsonException or InvalidOperationException or KeyNotFoundException or NullReferenceException)
        {
            throw new FormatException("Its settings cannot be read.", wrong);
        }
    }

    /// <summary>Of one call.</summary>
    public TimeSpan Timeout { get; }

    public IReadOnlySet<string> Secrets => _url.Templates.Concat(_headers.Select(h => h.Value))
        .SelectMany(t => t.Parts.OfType<TemplatePart.SecretOf>()).Select(s => s.Name).ToHashSet(StringComparer.Ordinal);

    /// <summary>Whether bots may call a tool of the server.</summary>
    public bool Offers(string tool) => _tools is null || _tools.Any(pattern => Matches(pattern, tool));

    /// <exception cref="AbilityException">A secret is not there.</exception>
    /// <exception cref="EgressException">Bots may not ask for such a URL.</exception>
    public (Uri Url, Dictionary<string, string> Headers) Fill(Func<string, string?> secrets)
    {
        var values = new TemplateValues(JsonElement.Parse("{}"), secrets);
        return (
            EgressUrl.Read(_url.Fill(values)),
            _headers.ToDictionary(h => h.Name, h => h.Value.Fill(values, static value => value) ?? "", StringComparer.OrdinalIgnoreCase));
    }

    /// <summary>The same for the same settings with the same secrets, and tells nothing of them.</summary>
    public string Fingerprint(IReadOnlyDictionary<string, Secret> secrets)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(_json);
        foreach (var name in Secrets.Order(StringComparer.Ordinal))
        {
            hash.AppendData(SHA256.HashData(Encoding.UTF8.GetBytes($"{name}\0{secrets.GetValueOrDefault(name)?.Reveal()}")));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>A <c>*</c> is any number of characters; everything else is itself.</summary>
    private static bool Matches(string pattern, string text)
    {
        var parts = pattern.Split('*');
        if (parts.Length == 1)
        {
            return pattern == text;
        }

        if (text.Length < parts[0].Length + parts[^1].Length
            || !text.StartsWith(parts[0], StringComparison.Ordinal) || !text.EndsWith(parts[^1], StringComparison.Ordinal))
        {
            return false;
        }

        // The first place of each part leaves the most room for those behind it.
        var rest = text.AsSpan(parts[0].Length, text.Length - parts[0].Length - parts[^1].Length);
        foreach (var part in parts[1..^1])
        {
            var at = rest.IndexOf(part, StringComparison.Ordinal);
            if (at < 0)
            {
                return false;
            }

            rest = rest[(at + part.Length)..];
        }

        return true;
    }
}
