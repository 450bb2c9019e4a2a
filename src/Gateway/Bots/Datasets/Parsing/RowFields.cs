using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;
using Gateway.Data;

namespace Gateway.Bots.Datasets.Parsing;

/// <summary>
/// The columns of a row or the members of an object as a record: <c>text</c>, <c>source</c>, <c>url</c> and <c>metadata</c> are
/// what they say, and what else there is beside a text is metadata too. Without a text the whole is one: <c>name: value</c> lines.
/// </summary>
internal sealed partial class RowFields
{
    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly List<(string Name, string Shown, Action<Utf8JsonWriter> Write)> _others = [];
    private string? _text;
    private string _source = "";
    private string? _url;
    private JsonElement? _metadata;

    public void AddText(string name, string value)
    {
        switch (name.Trim().ToLowerInvariant())
        {
            case "text" when value.Length > 0:
                _text = value;
                break;
            case "source":
                _source = value;
                break;
            case "url":
                _url = value;
                break;
            case "text":
                break;
            default:
                _others.Add((name, value, json => WriteScalar(json, value)));
                break;
        }
    }

    public void AddMetadata(JsonElement metadata) => _metadata = metadata;

    /// <summary>A member that is no string.</summary>
    public void AddJson(string name, JsonElement value) => _others.Add((name, value.GetRawText(), json => Write(json, value)));

    /// <summary>A member that is a string, and stays one.</summary>
    public void AddString(string name, string value) => _others.Add((name, value, json => json.WriteStringValue(PlainText.Clean(value))));

    public void AddTo(RecordList records)
    {
        if (_text is null)
        {
            var lines = _others.Where(o => o.Shown.Length > 0).Select(o => $"{o.Name}: {o.Shown}");
            records.Add(string.Join('\n', lines), _source, _url, Metadata([]));
            return;
        }

        records.Add(_text, _source, _url, Metadata(_others));
    }

    private string Metadata(IReadOnlyCollection<(string Name, string Shown, Action<Utf8JsonWriter> Write)> others)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, Plain))
        {
            json.WriteStartObject();
            var names = new HashSet<string>(StringComparer.Ordinal);
            foreach (var member in _metadata is { } given ? given.EnumerateObject() : default)
            {
                if (names.Add(member.Name))
                {
                    json.WritePropertyName(PlainText.Clean(member.Name));
                    Write(json, member.Value);
                }
            }

            foreach (var (name, shown, write) in others.Where(o => o.Shown.Length > 0))
            {
                if (names.Add(name))
                {
                    json.WritePropertyName(PlainText.Clean(name));
                    write(json);
                }
            }

            json.WriteEndObject();
        }

        // Half a character or a NUL, written as an escape, is JSON and is not jsonb.
        return EscapedNul().Replace(Encoding.UTF8.GetString(buffer.WrittenSpan), "$1");
    }

    private static void Write(Utf8JsonWriter json, JsonElement value)
    {
        if (!HasNumbers(value))
        {
            throw new UnreadableFileException("a number in it is larger than a 64-bit float can be, or has too many places.");
        }

        value.WriteTo(json);
    }

    private static bool HasNumbers(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => value.EnumerateObject().All(m => HasNumbers(m.Value)),
        JsonValueKind.Array => value.EnumerateArray().All(HasNumbers),
        JsonValueKind.Number => StorableJson.IsNumber(value.GetRawText()),
        _ => true,
    };

    /// <summary>A cell that looks like a number or a boolean is one, so that filters can compare it.</summary>
    private static void WriteScalar(Utf8JsonWriter json, string value)
    {
        var isNumber = value.Length is > 0 and <= 18 && (value[0] != '0' || value.Length == 1 || value[1] == '.')
            && decimal.TryParse(value, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out _);
        if (isNumber)
        {
            json.WriteNumberValue(decimal.Parse(value, CultureInfo.InvariantCulture));
        }
        else if (value is "true" or "false")
        {
            json.WriteBooleanValue(value == "true");
        }
        else
        {
            json.WriteStringValue(PlainText.Clean(value));
        }
    }

    /// <summary>The escape itself, and not the text of one behind an escaped backslash.</summary>
    [GeneratedRegex(@"(?<!\\)((?:\\\\)*)\\u0000")]
    private static partial Regex EscapedNul();
}
