using System.Text.Json;
using System.Text.RegularExpressions;

namespace Gateway.Bots.Abilities;

/// <summary>A part of a <see cref="Template"/>: as written, an argument, or a secret of the workspace.</summary>
internal abstract record TemplatePart
{
    private TemplatePart() { }

    internal sealed record Literal(string Text) : TemplatePart;

    internal sealed record Parameter(string Name) : TemplatePart;

    internal sealed record SecretOf(string Name) : TemplatePart;
}

/// <summary>
/// An owner's text with <c>{name}</c> for an argument and <c>{secret:name}</c> for a secret. Any other brace is a brace. What is
/// put in is never read for placeholders again.
/// </summary>
internal sealed partial class Template
{
    private Template(IReadOnlyList<TemplatePart> parts) => Parts = parts;

    public IReadOnlyList<TemplatePart> Parts { get; }

    /// <summary>Whether it is one argument and nothing else, whose type then stays what it is.</summary>
    public TemplatePart.Parameter? Alone => Parts is [TemplatePart.Parameter only] ? only : null;

    public bool IsLiteral => Parts.All(part => part is TemplatePart.Literal);

    public bool HasSecret => Parts.Any(part => part is TemplatePart.SecretOf);

    public static Template Read(string text)
    {
        var parts = new List<TemplatePart>();
        var at = 0;
        foreach (Match match in Placeholder().Matches(text))
        {
            if (match.Index > at)
            {
                parts.Add(new TemplatePart.Literal(text[at..match.Index]));
            }

            var name = match.Groups["name"].Value;
            parts.Add(match.Groups["secret"].Success ? new TemplatePart.SecretOf(name) : new TemplatePart.Parameter(name));
            at = match.Index + match.Length;
        }

        if (at < text.Length)
        {
            parts.Add(new TemplatePart.Literal(text[at..]));
        }

        return new Template(parts);
    }

    /// <summary>Puts it together.</summary>
    /// <param name="encode">Makes a value fit where it stands.</param>
    /// <returns>Null when an argument that it needs was not given.</returns>
    /// <exception cref="AbilityException">A secret that it needs is not there.</exception>
    public string? Fill(TemplateValues values, Func<string, string> encode)
    {
        var text = new System.Text.StringBuilder();
        foreach (var part in Parts)
        {
            var piece = part switch
            {
                TemplatePart.Literal literal => literal.Text,
                TemplatePart.SecretOf secret => encode(values.SecretOf(secret.Name)),
                TemplatePart.Parameter parameter => values.Text(parameter.Name) is { } value ? encode(value) : null,
                _ => null,
            };
            if (piece is null)
            {
                return null;
            }

            text.Append(piece);
        }

        return text.ToString();
    }

    [GeneratedRegex(@"\{(?<secret>secret:)?(?<name>[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_-])?)\}")]
    private static partial Regex Placeholder();
}

/// <summary>What is put into templates: the arguments of one call, and the workspace's secrets or, to be shown, marks in their place.</summary>
internal sealed class TemplateValues(JsonElement arguments, Func<string, string?> secrets)
{
    /// <summary>Null when it was not given, or is null.</summary>
    public JsonElement? Value(string name) =>
        arguments.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    /// <summary>An argument as text: a string as it is, anything else as its JSON.</summary>
    public string? Text(string name) => Value(name) is { } value ? TextOf(value) : null;

    public static string TextOf(JsonElement value) =>
        value.ValueKind == JsonValueKind.String ? value.GetString()! : JsonSerializer.Serialize(value);

    /// <exception cref="AbilityException">It is not there.</exception>
    public string SecretOf(string name) =>
        secrets(name) ?? throw new AbilityException($"The ability is not set up: its secret '{name}' is not there.");

    public IEnumerable<JsonProperty> Arguments => arguments.EnumerateObject();
}

/// <summary>A call that cannot be made; the message is for the model.</summary>
internal sealed class AbilityException(string message) : Exception(message);
