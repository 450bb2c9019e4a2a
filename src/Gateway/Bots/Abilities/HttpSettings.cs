using System.Text.Json;
using Gateway.Bots.Egress;

namespace Gateway.Bots.Abilities;

/// <summary>
/// The settings of an HTTP ability, read from <see cref="Data.AbilityRow.Settings"/>: <c>method</c>, <c>url</c>, <c>headers</c>,
/// <c>body</c>, <c>timeout</c> (ms), <c>maxBytes</c>, <c>pick</c>. What <see cref="AbilityChecks"/> found right can be read.
/// </summary>
internal sealed class HttpSettings
{
    public static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(30);

    /// <summary>Of a reply.</summary>
    public const int DefaultMaxBytes = 256 * 1024;

    private readonly HttpMethod _method;
    private readonly UrlTemplate _url;
    private readonly List<(string Name, Template Value)> _headers = [];
    private readonly BodyTemplate? _body;
    private readonly HashSet<string> _used;

    public HttpSettings(JsonElement settings)
    {
        _method = HttpMethod.Parse(TextOf(settings, "method") ?? "GET");
        _url = new UrlTemplate(TextOf(settings, "url") ?? throw new FormatException("It has no url."));
        string? contentType = null;
        if (settings.TryGetProperty("headers", out var headers))
        {
            foreach (var header in headers.EnumerateObject())
            {
                if (header.Name.Equals("content-type", StringComparison.OrdinalIgnoreCase))
                {
                    contentType = header.Value.GetString();
                }
                else
                {
                    _headers.Add((header.Name, Template.Read(header.Value.GetString()!)));
                }
            }
        }

        _body = settings.TryGetProperty("body", out var body) && body.ValueKind != JsonValueKind.Null ? new BodyTemplate(body, contentType) : null;
        Timeout = NumberOf(settings, "timeout") is { } ms ? TimeSpan.FromMilliseconds(ms) : DefaultTimeout;
        MaxBytes = NumberOf(settings, "maxBytes") ?? DefaultMaxBytes;
        Pick = TextOf(settings, "pick");
        _used = [.. Templates.SelectMany(t => t.Parts.OfType<TemplatePart.Parameter>()).Select(p => p.Name)];
    }

    public TimeSpan Timeout { get; }

    public int MaxBytes { get; }

    /// <summary>A JSON Pointer to the part of a reply that matters; null: all of it.</summary>
    public string? Pick { get; }

    public IReadOnlySet<string> Secrets =>
        Templates.SelectMany(t => t.Parts.OfType<TemplatePart.SecretOf>()).Select(s => s.Name).ToHashSet(StringComparer.Ordinal);

    private IEnumerable<Template> Templates => [.. _url.Templates, .. _headers.Select(h => h.Value), .. _body?.Templates ?? []];

    /// <summary>The request for one call.</summary>
    /// <exception cref="AbilityException">It cannot be made; says why.</exception>
    /// <exception cref="EgressException">Bots may not ask for such a URL.</exception>
    public EgressRequest Fill(TemplateValues values)
    {
        var headers = new List<EgressHeader>();
        foreach (var (name, template) in _headers)
        {
            if (template.Fill(values, HeaderText) is { } value)
            {
                headers.Add(new EgressHeader(name, value, template.HasSecret));
            }
        }

        // Who describes no body for a method that has one means the arguments themselves.
        var sendsArguments = _body is null && (_method == HttpMethod.Post || _method == HttpMethod.Put || _method == HttpMethod.Patch);
        return new EgressRequest(
            _method, EgressUrl.Read(_url.Fill(values)), headers,
            _body?.Fill(values) ?? (sendsArguments ? BodyTemplate.OfArguments(values, _used) : null), Timeout, MaxBytes)
        {
            ContentType = _body?.ContentType ?? (sendsArguments ? "application/json" : null),
        };
    }

    private static string HeaderText(string value) =>
        value.Any(char.IsControl) ? throw new AbilityException("An argument that goes into a header has a line break or another control character in it.") : value;

    private static string? TextOf(JsonElement settings, string name) =>
        settings.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static int? NumberOf(JsonElement settings, string name) =>
        settings.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetInt32() : null;
}
