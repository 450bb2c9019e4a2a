using System.Buffers;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Gateway.Bots;

/// <summary>Reads and writes pieces of JSON that others wrote. Pure.</summary>
internal static class JsonParts
{
    public static JsonWriterOptions Plain { get; } =
        new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <summary>A member's text; null where there is none that can be read, half of a surrogate pair included.</summary>
    public static string? Text(JsonElement item, ReadOnlySpan<byte> name)
    {
        if (item.ValueKind != JsonValueKind.Object || !item.TryGetProperty(name, out var value) || value.ValueKind != JsonValueKind.String)
        {
            return null;
        }

        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>A member's items; none where it is no array.</summary>
    public static IEnumerable<JsonElement> Items(JsonElement item, string name) =>
        item.ValueKind == JsonValueKind.Object && item.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array
            ? list.EnumerateArray()
            : [];

    public static byte[] Raw(JsonElement item) => JsonMarshal.GetRawUtf8Value(item).ToArray();

    public static byte[] Write(Action<Utf8JsonWriter> write)
    {
        var written = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(written, Plain))
        {
            write(json);
        }

        return written.WrittenSpan.ToArray();
    }

    /// <summary>The object with another value for one of its members; the rest stays as it was written.</summary>
    public static byte[] With(JsonElement item, string name, Action<Utf8JsonWriter> value) => Write(json =>
    {
        json.WriteStartObject();
        foreach (var member in item.EnumerateObject())
        {
            json.WritePropertyName(member.Name);
            if (member.NameEquals(name))
            {
                value(json);
            }
            else
            {
                json.WriteRawValue(JsonMarshal.GetRawUtf8Value(member.Value), skipInputValidation: true);
            }
        }

        json.WriteEndObject();
    });
}
