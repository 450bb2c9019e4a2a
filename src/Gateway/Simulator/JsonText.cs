using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Gateway.Simulator;

/// <summary>How the simulator writes JSON: no reflection, and text as it is rather than escaped for HTML.</summary>
internal static class JsonText
{
    public static readonly JsonWriterOptions Options = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true,
    };

    public static byte[] Write(Action<Utf8JsonWriter> content)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            content(json);
        }

        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>A string as JSON, its quotes included, in UTF-8.</summary>
    public static byte[] Quoted(string text) => Write(json => json.WriteStringValue(text));
}
