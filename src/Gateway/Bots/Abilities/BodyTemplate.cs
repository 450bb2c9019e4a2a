using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Gateway.Bots.Abilities;

/// <summary>An ability's request body: JSON, or a text of any type.</summary>
internal sealed class BodyTemplate
{
    private const string JsonType = "application/json";

    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly JsonElement _json;
    private readonly Template? _text;
    private readonly bool _isJsonText;
    private readonly bool _isForm;

    /// <param name="body">A string is a text; anything else is JSON.</param>
    /// <param name="contentType">As the headers name it; null: they do not.</param>
    public BodyTemplate(JsonElement body, string? contentType)
    {
        _json = body.Clone();
        if (body.ValueKind == JsonValueKind.String)
        {
            var text = body.GetString()!;
            _text = Template.Read(text);
            ContentType = contentType ?? (text.AsSpan().TrimStart() is ['{' or '[', ..] ? JsonType : "text/plain; charset=utf-8");
            _isJsonText = ContentType.Contains("json", StringComparison.OrdinalIgnoreCase);
            _isForm = ContentType.Contains("x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase);
        }
        else
        {
            ContentType = contentType ?? JsonType;
        }
    }

    public string ContentType { get; }

    public IEnumerable<Template> Templates => _text is not null ? [_text] : Strings(_json).Select(Template.Read);

    /// <exception cref="AbilityException">A secret is not there.</exception>
    public byte[] Fill(TemplateValues values)
    {
        if (_text is null)
        {
            return WriteJson(json => Write(json, _json, values));
        }

        return _isJsonText
            ? Encoding.UTF8.GetBytes(FillJsonText(_text, values))
            : Encoding.UTF8.GetBytes(string.Concat(_text.Parts.Select(part => part switch
            {
                TemplatePart.Literal literal => literal.Text,
                TemplatePart.SecretOf secret => Encoded(values.SecretOf(secret.Name)),
                TemplatePart.Parameter parameter => Encoded(values.Text(parameter.Name) ?? ""),
                _ => "",
            })));
    }

    /// <summary>The arguments themselves, for a body that nobody described.</summary>
    public static byte[] OfArguments(TemplateValues values, IReadOnlySet<string> without) => WriteJson(json =>
    {
        json.WriteStartObject();
        foreach (var argument in values.Arguments.Where(a => !without.Contains(a.Name)))
        {
            argument.WriteTo(json);
        }

        json.WriteEndObject();
    });

    private string Encoded(string value) => _isForm ? Uri.EscapeDataString(value) : value;

    /// <summary>A value that is one argument keeps that argument's type; a member whose argument was not given is left out.</summary>
    private static void Write(Utf8JsonWriter json, JsonElement value, TemplateValues values)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                json.WriteStartObject();
                foreach (var member in value.EnumerateObject().Where(m => !IsMissing(m.Value, values)))
                {
                    json.WritePropertyName(member.Name);
                    Write(json, member.Value, values);
                }

                json.WriteEndObject();
                break;
            case JsonValueKind.Array:
                json.WriteStartArray();
                foreach (var item in value.EnumerateArray().Where(i => !IsMissing(i, values)))
                {
                    Write(json, item, values);
                }

                json.WriteEndArray();
                break;
            case JsonValueKind.String:
                WriteText(json, Template.Read(value.GetString()!), values);
                break;
            default:
                value.WriteTo(json);
                break;
        }
    }

    private static bool IsMissing(JsonElement value, TemplateValues values) =>
        value.ValueKind == JsonValueKind.String
        && Template.Read(value.GetString()!).Alone is { } argument && values.Value(argument.Name) is null;

    private static void WriteText(Utf8JsonWriter json, Template template, TemplateValues values)
    {
        if (template.Alone is { } argument)
        {
            values.Value(argument.Name)?.WriteTo(json);
            return;
        }

        json.WriteStringValue(string.Concat(template.Parts.Select(part => part switch
        {
            TemplatePart.Literal literal => literal.Text,
            TemplatePart.SecretOf secret => values.SecretOf(secret.Name),
            TemplatePart.Parameter parameter => values.Text(parameter.Name) ?? "",
            _ => "",
        })));
    }

    /// <summary>Within quotes a value is escaped, outside of them it is a JSON value of its own.</summary>
    private static string FillJsonText(Template template, TemplateValues values)
    {
        var text = new StringBuilder();
        var isQuoted = false;
        foreach (var part in template.Parts)
        {
            if (part is TemplatePart.Literal literal)
            {
                text.Append(literal.Text);
                isQuoted = EndsQuoted(literal.Text, isQuoted);
                continue;
            }

            var (plain, asJson) = part is TemplatePart.Parameter parameter
                ? (values.Text(parameter.Name) ?? "", values.Value(parameter.Name) is { } value ? JsonSerializer.Serialize(value) : "null")
                : values.SecretOf(((TemplatePart.SecretOf)part).Name) is var secret ? (secret, Quoted(secret)) : ("", "");
            text.Append(isQuoted ? Quoted(plain)[1..^1] : asJson);
        }

        return text.ToString();
    }

    private static bool EndsQuoted(string literal, bool isQuoted)
    {
        for (var i = 0; i < literal.Length; i++)
        {
            if (literal[i] == '\\' && isQuoted)
            {
                i++;
            }
            else if (literal[i] == '"')
            {
                isQuoted = !isQuoted;
            }
        }

        return isQuoted;
    }

    private static string Quoted(string text) => JsonSerializer.Serialize(text);

    private static byte[] WriteJson(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer, Plain))
        {
            write(json);
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static IEnumerable<string> Strings(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => value.EnumerateObject().SelectMany(m => Strings(m.Value)),
        JsonValueKind.Array => value.EnumerateArray().SelectMany(Strings),
        JsonValueKind.String => [value.GetString()!],
        _ => [],
    };
}
