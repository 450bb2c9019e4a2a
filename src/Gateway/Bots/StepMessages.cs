using System.Text;
using System.Text.Json;

namespace Gateway.Bots;

/// <summary>Writes what a step adds to the conversation. Pure.</summary>
internal static class StepMessages
{
    /// <summary>What the model said, with all that it called.</summary>
    public static TurnMessage Assistant(string text, IReadOnlyList<StepCall> calls) => new("assistant", JsonParts.Write(json =>
    {
        json.WriteStartObject();
        json.WriteString("role", "assistant");
        json.WriteString("content", text.Length > 0 ? text : null);
        json.WriteStartArray("tool_calls");
        foreach (var call in calls)
        {
            json.WriteStartObject();
            json.WriteString("id", call.UpstreamId);
            json.WriteString("type", call.Type);
            json.WriteStartObject(call.Type);
            json.WriteString("name", call.Name);
            json.WriteString(call.Type == "custom" ? "input" : "arguments", call.IsOwn ? AsJson(call.Arguments) : call.Arguments);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }), null, isHidden: true);

    public static TurnMessage Result(string callId, string text) => new("tool", JsonParts.Write(json =>
    {
        json.WriteStartObject();
        json.WriteString("role", "tool");
        json.WriteString("tool_call_id", callId);
        json.WriteString("content", text);
        json.WriteEndObject();
    }), null, isHidden: true);

    /// <summary>Some upstreams refuse a conversation in which arguments are no JSON, although it was their model that wrote them.</summary>
    private static string AsJson(string arguments)
    {
        var json = new Utf8JsonReader(Encoding.UTF8.GetBytes(arguments));
        try
        {
            return json.Read() && json.TokenType == JsonTokenType.StartObject && json.TrySkip() && !json.Read() ? arguments : "{}";
        }
        catch (JsonException)
        {
            return "{}";
        }
    }
}
