using System.Text;
using System.Text.Json;

namespace Gateway.Simulator;

/// <summary>Writes whole (not streamed) replies, and the parts that streams share with them.</summary>
internal static class ChatWriter
{
    public const string Fingerprint = "fp_simulator";

    public static byte[] Chat(SimulatorRequest request, string id, long created, List<Reply> replies) => JsonText.Write(json =>
    {
        WriteHead(json, id, "chat.completion", created, request.Model);
        for (var i = 0; i < replies.Count; i++)
        {
            json.WriteStartObject();
            json.WriteNumber("index", i);
            WriteMessage(json, replies[i], request.Tools.IsLegacy);
            json.WritePropertyName("logprobs");
            WriteLogprobs(json, request, replies[i].Text);
            json.WriteString("finish_reason", replies[i].FinishReason);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        if (!request.Trouble.HasNoUsage)
        {
            json.WritePropertyName("usage");
            WriteUsage(json, Usage.Of(request.PromptTokens, replies));
        }

        json.WriteEndObject();
    });

    /// <summary>Everything up to and into <c>choices</c>, which is left open.</summary>
    public static void WriteHead(Utf8JsonWriter json, string id, string kind, long created, string model)
    {
        json.WriteStartObject();
        json.WriteString("id", id);
        json.WriteString("object", kind);
        json.WriteNumber("created", created);
        json.WriteString("model", model);
        json.WriteString("system_fingerprint", Fingerprint);
        json.WriteStartArray("choices");
    }

    public static void WriteUsage(Utf8JsonWriter json, Usage usage)
    {
        json.WriteStartObject();
        json.WriteNumber("prompt_tokens", usage.Prompt);
        json.WriteNumber("completion_tokens", usage.Completion);
        json.WriteNumber("total_tokens", usage.Prompt + usage.Completion);
        json.WriteStartObject("prompt_tokens_details");
        json.WriteNumber("cached_tokens", 0);
        json.WriteNumber("audio_tokens", 0);
        json.WriteEndObject();
        json.WriteStartObject("completion_tokens_details");
        json.WriteNumber("reasoning_tokens", usage.Reasoning);
        json.WriteNumber("audio_tokens", 0);
        json.WriteNumber("accepted_prediction_tokens", 0);
        json.WriteNumber("rejected_prediction_tokens", 0);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>Null unless asked for. Every token is equally certain: there is no chance in a rule.</summary>
    public static void WriteLogprobs(Utf8JsonWriter json, SimulatorRequest request, string? text)
    {
        if (!request.HasLogprobs || text is null)
        {
            json.WriteNullValue();
            return;
        }

        json.WriteStartObject();
        json.WriteStartArray("content");
        for (var at = 0; at < text.Length;)
        {
            var end = Words.End(text, at);
            json.WriteStartObject();
            WriteToken(json, text[at..end]);
            json.WriteStartArray("top_logprobs");
            if (request.TopLogprobs > 0)
            {
                json.WriteStartObject();
                WriteToken(json, text[at..end]);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
            at = end;
        }

        json.WriteEndArray();
        json.WriteNull("refusal");
        json.WriteEndObject();
    }

    private static void WriteToken(Utf8JsonWriter json, string token)
    {
        json.WriteString("token", token);
        json.WriteNumber("logprob", 0);
        json.WriteStartArray("bytes");
        foreach (var b in Encoding.UTF8.GetBytes(token))
        {
            json.WriteNumberValue(b);
        }

        json.WriteEndArray();
    }

    private static void WriteMessage(Utf8JsonWriter json, Reply reply, bool isLegacy)
    {
        json.WriteStartObject("message");
        json.WriteString("role", "assistant");
        json.WriteString("content", reply.Text);
        json.WriteNull("refusal");
        json.WriteStartArray("annotations");
        json.WriteEndArray();
        if (reply.Reasoning is not null)
        {
            json.WriteString("reasoning_content", reply.Reasoning);
        }

        if (reply.Calls.Count > 0 && isLegacy)
        {
            json.WriteStartObject("function_call");
            json.WriteString("name", reply.Calls[0].Name);
            json.WriteString("arguments", reply.Calls[0].Arguments);
            json.WriteEndObject();
        }
        else if (reply.Calls.Count > 0)
        {
            json.WriteStartArray("tool_calls");
            foreach (var call in reply.Calls)
            {
                WriteCall(json, call);
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    private static void WriteCall(Utf8JsonWriter json, ToolCall call)
    {
        var kind = call.IsCustom ? "custom" : "function";
        json.WriteStartObject();
        json.WriteString("id", call.Id);
        json.WriteString("type", kind);
        json.WriteStartObject(kind);
        json.WriteString("name", call.Name);
        json.WriteString(call.IsCustom ? "input" : "arguments", call.Arguments);
        json.WriteEndObject();
        json.WriteEndObject();
    }
}
