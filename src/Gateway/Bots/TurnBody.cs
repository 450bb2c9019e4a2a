using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Gateway.Http;

namespace Gateway.Bots;

/// <summary>
/// Makes the request for a step: the bot's system prompt, the caller's messages unchanged, and the parameters of both.
/// Pure.
/// </summary>
internal static class TurnBody
{
    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <param name="prompt">Makes the system prompt of the caller's own system messages.</param>
    /// <param name="dropped">Takes the names of parameters in which the caller has no say.</param>
    /// <exception cref="InvalidOperationException">A system message holds half of a surrogate pair.</exception>
    public static JsonBody Compose(JsonBody caller, Bot bot, Func<IReadOnlyList<string>, string> prompt, List<string> dropped)
    {
        JsonBody.TryRead(bot.Parameters, null, out var own, out _);
        var written = new ArrayBufferWriter<byte>(caller.Bytes.Length + bot.Backstory.Length + 256);
        using (var json = new Utf8JsonWriter(written, Plain))
        {
            json.WriteStartObject();
            json.WriteString("model", bot.Model);
            WriteMessages(json, caller, prompt);
            WriteParameters(json, caller, own, bot, dropped);
            WriteOutputLimit(json, caller, own, bot, dropped);
            json.WriteBoolean("stream", true);
            json.WriteStartObject("stream_options");
            json.WriteBoolean("include_usage", true);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        return JsonBody.TryRead(written.WrittenMemory, null, out var body, out var error)
            ? body
            : throw new InvalidOperationException($"A composed body cannot be read: {error!.Message}");
    }

    private static void WriteMessages(Utf8JsonWriter json, JsonBody caller, Func<IReadOnlyList<string>, string> prompt)
    {
        caller.TryGet("messages"u8, out var member);
        var reader = new Utf8JsonReader(caller.Value(member).Span);
        using var messages = JsonDocument.ParseValue(ref reader);

        var system = new List<string>();
        foreach (var message in messages.RootElement.EnumerateArray())
        {
            if (IsSystem(message))
            {
                system.Add(TextOf(message));
            }
        }

        json.WriteStartArray("messages");
        if (prompt(system) is { Length: > 0 } text)
        {
            json.WriteStartObject();
            json.WriteString("role", "system");
            json.WriteString("content", text);
            json.WriteEndObject();
        }

        foreach (var message in messages.RootElement.EnumerateArray())
        {
            if (!IsSystem(message))
            {
                json.WriteRawValue(message.GetRawText(), skipInputValidation: true);
            }
        }

        json.WriteEndArray();
    }

    /// <summary>Whether a message goes into the system prompt instead of staying where it is.</summary>
    public static bool IsSystem(JsonElement message) =>
        message.TryGetProperty("role", out var role) && (role.ValueEquals("system"u8) || role.ValueEquals("developer"u8));

    private static string TextOf(JsonElement message)
    {
        if (!message.TryGetProperty("content", out var content))
        {
            return "";
        }

        if (content.ValueKind == JsonValueKind.String)
        {
            return content.GetString()!;
        }

        return content.ValueKind != JsonValueKind.Array
            ? ""
            : string.Join("\n", content.EnumerateArray()
                .Where(p => p.ValueKind == JsonValueKind.Object && p.TryGetProperty("text", out var t) && t.ValueKind == JsonValueKind.String)
                .Select(p => p.GetProperty("text").GetString()));
    }

    private static void WriteParameters(Utf8JsonWriter json, JsonBody caller, JsonBody own, Bot bot, List<string> dropped)
    {
        foreach (ref readonly var member in caller.Members)
        {
            var name = Encoding.UTF8.GetString(caller.Name(member));
            if (name is "model" or "messages" or "stream" or "stream_options" || IsOutputLimit(name))
            {
                continue;
            }

            if (bot.LockedParameters.Contains(name))
            {
                // A null means absent: there was nothing to take from.
                if (member.Kind != JsonTokenType.Null)
                {
                    dropped.Add(name);
                }

                continue;
            }

            // A null means absent: it takes nothing from what the owner set.
            if (member.Kind == JsonTokenType.Null && own.TryGet(caller.Name(member), out _))
            {
                continue;
            }

            json.WritePropertyName(name);
            json.WriteRawValue(caller.Value(member).Span, skipInputValidation: true);
        }

        foreach (ref readonly var member in own.Members)
        {
            var name = Encoding.UTF8.GetString(own.Name(member));
            if (!IsOutputLimit(name) && (bot.LockedParameters.Contains(name) || !caller.TryGet(own.Name(member), out _)))
            {
                json.WritePropertyName(name);
                json.WriteRawValue(own.Value(member).Span, skipInputValidation: true);
            }
        }
    }

    /// <summary>The caller's limit is for the whole turn, the bot's for a step: the smaller of them holds.</summary>
    private static void WriteOutputLimit(Utf8JsonWriter json, JsonBody caller, JsonBody own, Bot bot, List<string> dropped)
    {
        var (ownName, ownLimit, ownRaw) = OutputLimit(own);
        var (name, limit, raw) = OutputLimit(caller);
        if (name is not null && (bot.LockedParameters.Contains("max_tokens") || bot.LockedParameters.Contains("max_completion_tokens")))
        {
            dropped.Add(name);
            name = null;
        }

        if ((name ?? ownName) is not { } written)
        {
            return;
        }

        json.WritePropertyName(written);
        if (name is null || ownName is null)
        {
            // Of one limit nothing is to be made: it is the upstream's to read.
            json.WriteRawValue(name is null ? ownRaw.Span : raw.Span, skipInputValidation: true);
        }
        else
        {
            json.WriteNumberValue((long)Math.Clamp(Math.Floor(Math.Min(limit, ownLimit)), long.MinValue, long.MaxValue));
        }
    }

    private static (string? Name, double Limit, ReadOnlyMemory<byte> Raw) OutputLimit(JsonBody body)
    {
        foreach (ref readonly var member in body.Members)
        {
            var name = Encoding.UTF8.GetString(body.Name(member));
            if (!IsOutputLimit(name) || member.Kind != JsonTokenType.Number)
            {
                continue;
            }

            var reader = new Utf8JsonReader(body.Value(member).Span);
            reader.Read();
            return (name, reader.GetDouble(), body.Value(member));
        }

        return (null, 0, default);
    }

    private static bool IsOutputLimit(string name) => name is "max_tokens" or "max_completion_tokens";
}
