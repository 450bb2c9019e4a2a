using System.Text.Json.Nodes;

namespace ChatKit.Tests.Support;

/// <summary>Requests as a client writes them.</summary>
internal static class Ask
{
    public static JsonObject Of(string type, JsonObject parameters) => new() { ["type"] = type, ["params"] = parameters };

    public static JsonObject Input(string text, params string[] attachments) => new()
    {
        ["content"] = new JsonArray(new JsonObject { ["type"] = "input_text", ["text"] = text }),
        ["attachments"] = new JsonArray([.. attachments.Select(id => JsonValue.Create(id))]),
        ["quoted_text"] = string.Empty,
        ["inference_options"] = new JsonObject(),
    };

    public static JsonObject Create(string text = "Who wrote Emma?", params string[] attachments) =>
        Of("threads.create", new JsonObject { ["input"] = Input(text, attachments) });

    public static JsonObject Add(string threadId, string text = "And when?", params string[] attachments) =>
        Of("threads.add_user_message", new JsonObject { ["thread_id"] = threadId, ["input"] = Input(text, attachments) });

    public static JsonObject Output(string threadId, JsonNode? result) =>
        Of("threads.add_client_tool_output", new JsonObject { ["thread_id"] = threadId, ["result"] = result });

    public static JsonObject Answers(string threadId, string itemId, JsonObject input) =>
        Of("threads.add_structured_input", new JsonObject { ["thread_id"] = threadId, ["item_id"] = itemId, ["input"] = input });

    public static JsonObject Retry(string threadId, string itemId) =>
        Of("threads.retry_after_item", new JsonObject { ["thread_id"] = threadId, ["item_id"] = itemId });

    public static JsonObject Action(string threadId, string? itemId, string type = "save", JsonNode? payload = null, bool sync = false)
    {
        var parameters = new JsonObject { ["thread_id"] = threadId, ["action"] = new JsonObject { ["type"] = type, ["payload"] = payload } };
        if (itemId is not null)
        {
            parameters["item_id"] = itemId;
        }

        return Of(sync ? "threads.sync_custom_action" : "threads.custom_action", parameters);
    }

    public static JsonObject Thread(string threadId) => Of("threads.get_by_id", new JsonObject { ["thread_id"] = threadId });

    public static JsonObject Delete(string threadId) => Of("threads.delete", new JsonObject { ["thread_id"] = threadId });

    public static JsonObject Rename(string threadId, string title) =>
        Of("threads.update", new JsonObject { ["thread_id"] = threadId, ["title"] = title });

    public static JsonObject Threads(int? limit = null, string? after = null, string? order = null) =>
        Of("threads.list", Paged(new JsonObject(), limit, after, order));

    public static JsonObject Items(string threadId, int? limit = null, string? after = null, string? order = null) =>
        Of("items.list", Paged(new JsonObject { ["thread_id"] = threadId }, limit, after, order));

    public static JsonObject Feedback(string threadId, string kind, params string[] items) => Of("items.feedback", new JsonObject
    {
        ["thread_id"] = threadId,
        ["item_ids"] = new JsonArray([.. items.Select(id => JsonValue.Create(id))]),
        ["kind"] = kind,
    });

    public static JsonObject Upload(string name, string mimeType, long size = 3) =>
        Of("attachments.create", new JsonObject { ["name"] = name, ["size"] = size, ["mime_type"] = mimeType });

    public static JsonObject DeleteAttachment(string id) => Of("attachments.delete", new JsonObject { ["attachment_id"] = id });

    private static JsonObject Paged(JsonObject parameters, int? limit, string? after, string? order)
    {
        foreach (var (name, value) in new[] { ("limit", (JsonNode?)limit), ("after", after), ("order", order) })
        {
            if (value is not null)
            {
                parameters[name] = value;
            }
        }

        return parameters;
    }
}
