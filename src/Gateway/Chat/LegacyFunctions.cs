using System.Buffers;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using Gateway.Bots;
using Gateway.Http;

namespace Gateway.Chat;

/// <summary>
/// The form from before tools: <c>functions</c> and <c>function_call</c>. Translated into tools on the way in, since
/// newer models know nothing else, and the answer back into its form. Pure.
/// A bot's call has an <c>id</c> in its <c>function_call</c>, which OpenAI's has not: who sends the message back as it came gets
/// the bot's hidden steps back by it, and who does not goes on without them. (Name and arguments alone would also be those of
/// another user's call, whose steps are nobody else's to see.)
/// </summary>
internal static class LegacyFunctions
{
    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The same request with tools.</summary>
    /// <returns>The body, or why it cannot be translated.</returns>
    public static (JsonBody? Body, ApiError? Error) ToTools(JsonBody body)
    {
        var written = new ArrayBufferWriter<byte>(body.Bytes.Length + 256);
        try
        {
            var reader = new Utf8JsonReader(body.Bytes.Span);
            using var json = JsonDocument.ParseValue(ref reader);
            using var writer = new Utf8JsonWriter(written, Plain);
            writer.WriteStartObject();
            var (hasTools, hasChoice) = (body.TryGet("tools"u8, out _), body.TryGet("tool_choice"u8, out _));
            var (hasFunctions, hasCall) = (body.TryGet("functions"u8, out _), body.TryGet("function_call"u8, out _));
            foreach (var member in json.RootElement.EnumerateObject())
            {
                // Of two that become the same member the newer one holds; where that is null, it is not there.
                var isLeftOut = member.Name switch
                {
                    "functions" => hasTools,
                    "function_call" => hasChoice,
                    "tools" => !hasTools && hasFunctions,
                    "tool_choice" => !hasChoice && hasCall,
                    _ => false,
                };
                if (!isLeftOut)
                {
                    WriteMember(writer, member);
                }
            }

            // The old form knows one call at a time.
            if (hasFunctions && !hasTools && !json.RootElement.TryGetProperty("parallel_tool_calls", out _))
            {
                writer.WriteBoolean("parallel_tool_calls", false);
            }

            writer.WriteEndObject();
        }
        catch (InvalidOperationException)
        {
            // A name or text that holds half of a surrogate pair cannot be written again.
            return (null, ApiError.InvalidJson("a string holds half of a surrogate pair."));
        }

        return JsonBody.TryRead(written.WrittenMemory, null, out var translated, out var error)
            ? (translated, null)
            : (null, error);
    }

    /// <summary>A whole reply in the old form.</summary>
    public static byte[] RewriteReply(ReadOnlySpan<byte> reply) => LegacyReply.Rewrite(reply, "message"u8);

    /// <summary>A chunk of a stream in the old form; null when nothing in it differs.</summary>
    public static byte[]? RewriteChunk(ReadOnlySpan<byte> data) =>
        data.IndexOf("\"tool_calls\""u8) < 0 ? null : LegacyReply.Rewrite(data, "delta"u8);

    private static void WriteMember(Utf8JsonWriter json, JsonProperty member)
    {
        switch (member.Name)
        {
            case "functions" when member.Value.ValueKind == JsonValueKind.Array:
                json.WriteStartArray("tools");
                foreach (var function in member.Value.EnumerateArray())
                {
                    json.WriteStartObject();
                    json.WriteString("type", "function");
                    json.WritePropertyName("function");
                    WriteRaw(json, function);
                    json.WriteEndObject();
                }

                json.WriteEndArray();
                break;
            case "function_call" when member.Value.ValueKind != JsonValueKind.Null:
                json.WritePropertyName("tool_choice");
                if (member.Value.ValueKind == JsonValueKind.Object)
                {
                    json.WriteStartObject();
                    json.WriteString("type", "function");
                    json.WritePropertyName("function");
                    WriteRaw(json, member.Value);
                    json.WriteEndObject();
                }
                else
                {
                    WriteRaw(json, member.Value);
                }

                break;
            case "messages":
                json.WritePropertyName("messages");
                WriteMessages(json, member.Value);
                break;
            default:
                json.WritePropertyName(member.Name);
                WriteRaw(json, member.Value);
                break;
        }
    }

    private static void WriteMessages(Utf8JsonWriter json, JsonElement messages)
    {
        // Calls had no ids; a result belongs to the last call of its name.
        var calls = 0;
        string? open = null;
        json.WriteStartArray();
        foreach (var message in messages.EnumerateArray())
        {
            var role = message.TryGetProperty("role", out var r) ? r.GetString() : null;
            if (role == "function")
            {
                if (open is null)
                {
                    // A result without its call: tools must follow one.
                    open = $"call_{++calls}";
                    json.WriteStartObject();
                    json.WriteString("role", "assistant");
                    json.WriteNull("content");
                    WriteCall(json, open, Text(message, "name"), "{}");
                    json.WriteEndObject();
                }

                WriteResult(json, message, open);
                open = null;
            }
            else if (message.TryGetProperty("function_call", out var call) && call.ValueKind == JsonValueKind.Object)
            {
                open = Text(call, "id") is var id && HiddenSteps.IsOurs(id) ? id : $"call_{++calls}";
                WriteCaller(json, message, call, open);
            }
            else
            {
                WriteRaw(json, message);
            }
        }

        json.WriteEndArray();
    }

    private static void WriteCaller(Utf8JsonWriter json, JsonElement message, JsonElement call, string id)
    {
        json.WriteStartObject();
        foreach (var member in message.EnumerateObject().Where(m => m.Name != "function_call"))
        {
            json.WritePropertyName(member.Name);
            WriteRaw(json, member.Value);
        }

        WriteCall(json, id, Text(call, "name"), Text(call, "arguments"));
        json.WriteEndObject();
    }

    private static void WriteResult(Utf8JsonWriter json, JsonElement message, string id)
    {
        json.WriteStartObject();
        json.WriteString("role", "tool");
        json.WriteString("tool_call_id", id);
        json.WritePropertyName("content");
        if (message.TryGetProperty("content", out var content) && content.ValueKind != JsonValueKind.Null)
        {
            WriteRaw(json, content);
        }
        else
        {
            json.WriteStringValue("");
        }

        json.WriteEndObject();
    }

    private static void WriteCall(Utf8JsonWriter json, string id, string name, string arguments)
    {
        json.WriteStartArray("tool_calls");
        json.WriteStartObject();
        json.WriteString("id", id);
        json.WriteString("type", "function");
        json.WriteStartObject("function");
        json.WriteString("name", name);
        json.WriteString("arguments", arguments);
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndArray();
    }

    private static void WriteRaw(Utf8JsonWriter json, JsonElement value) =>
        json.WriteRawValue(JsonMarshal.GetRawUtf8Value(value), skipInputValidation: true);

    private static string Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
}
