using System.Text.Json;
using Gateway.Bots.Egress;

namespace Gateway.Bots.Abilities;

/// <summary>The checks that both kinds of abilities share. Pure.</summary>
internal static class SettingsChecks
{
    /// <summary>Headers that frame a request or belong to the connection: the gateway's to write.</summary>
    private static readonly HashSet<string> OwnHeaders = new(StringComparer.OrdinalIgnoreCase)
    {
        "host", "content-length", "transfer-encoding", "connection", "keep-alive", "te", "trailer", "upgrade", "expect",
        "proxy-authorization", "proxy-connection", "accept-encoding", "mcp-session-id", "mcp-protocol-version",
    };

    public static void CheckFields(JsonElement settings, string[] known, string path, Action<string, string> wrong)
    {
        foreach (var field in settings.EnumerateObject().Where(f => !known.Contains(f.Name, StringComparer.Ordinal)))
        {
            wrong($"{path}.{field.Name}", $"unknown field; expected one of: {string.Join(", ", known)}.");
        }
    }

    public static void CheckNumber(
        JsonElement settings, string name, int least, int most, string unit, string path, Action<string, string> wrong)
    {
        if (settings.TryGetProperty(name, out var value)
            && !(value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number >= least && number <= most))
        {
            wrong($"{path}.{name}", $"expected a whole number of {unit} from {least} to {most}.");
        }
    }

    public static void CheckHeaders(JsonElement settings, string path, Action<string, string> wrong)
    {
        if (!settings.TryGetProperty("headers", out var headers))
        {
            return;
        }

        if (headers.ValueKind != JsonValueKind.Object)
        {
            wrong($"{path}.headers", "expected an object of texts.");
            return;
        }

        foreach (var header in headers.EnumerateObject())
        {
            var why = header.Value.ValueKind != JsonValueKind.String ? "expected a string."
                : !IsToken(header.Name) ? "expected a header's name: letters, digits and '-'."
                : OwnHeaders.Contains(header.Name) ? "this header is the gateway's own to write."
                : header.Value.GetString()!.Any(char.IsControl) ? "expected one line without control characters."
                : header.Name.Equals("content-type", StringComparison.OrdinalIgnoreCase) && !Template.Read(header.Value.GetString()!).IsLiteral
                    ? "a content type has no placeholders."
                : null;
            if (why is not null)
            {
                wrong($"{path}.headers.{header.Name}", why);
            }
        }
    }

    /// <summary>Placeholders never form scheme or host: where a request goes is the owner's to say, not the model's.</summary>
    public static void CheckUrl(JsonElement settings, string path, Action<string, string> wrong)
    {
        path += ".url";
        if (!settings.TryGetProperty("url", out var value) || value.ValueKind != JsonValueKind.String || value.GetString() is not { Length: > 0 } url)
        {
            wrong(path, "expected an absolute URL, such as https://api.example.com/customers.");
            return;
        }

        var (origin, _, _) = UrlTemplate.Split(url);
        if (origin.AsSpan().ContainsAny('{', '}'))
        {
            wrong(path, "expected a URL that begins with its scheme and host as they are: no placeholder can stand there.");
            return;
        }

        if (url.Contains('#', StringComparison.Ordinal))
        {
            wrong(path, "expected a URL without '#': what stands behind it is never sent.");
        }

        try
        {
            EgressUrl.Read(string.Concat(Template.Read(url).Parts.Select(p => p is TemplatePart.Literal literal ? literal.Text : "x")));
        }
        catch (EgressException refused)
        {
            wrong(path, $"expected an absolute http or https URL. {refused.Message}");
        }
    }

    /// <param name="known">Names of parameters; null: this kind has none.</param>
    public static void CheckPlaceholders(JsonElement settings, HashSet<string>? known, string path, Action<string, string> wrong)
    {
        foreach (var (at, text) in Texts(settings, path))
        {
            foreach (var name in Template.Read(text).Parts.OfType<TemplatePart.Parameter>().Select(p => p.Name).Distinct())
            {
                if (known is null)
                {
                    wrong(at, $"'{{{name}}}' is no secret, and an MCP server's settings can hold secrets alone: {{secret:name}}.");
                }
                else if (!known.Contains(name))
                {
                    wrong(at, known.Count == 0
                        ? $"'{{{name}}}' is no parameter: there are none."
                        : $"'{{{name}}}' is no parameter; they are: {string.Join(", ", known.Order(StringComparer.Ordinal))}.");
                }
            }
        }
    }

    /// <summary>Every text in some settings, with its path.</summary>
    public static IEnumerable<(string Path, string Text)> Texts(JsonElement value, string path) => value.ValueKind switch
    {
        JsonValueKind.Object => value.EnumerateObject().SelectMany(m => Texts(m.Value, $"{path}.{m.Name}")),
        JsonValueKind.Array => value.EnumerateArray().SelectMany((item, i) => Texts(item, $"{path}[{i}]")),
        JsonValueKind.String => [(path, value.GetString()!)],
        _ => [],
    };

    private static bool IsToken(string name) => name.Length > 0 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');
}
