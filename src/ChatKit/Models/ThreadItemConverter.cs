using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace ChatKit;

/// <summary>
/// Turns the items of a thread into messages for a model, in the shape of OpenAI's chat completions: it is what most
/// providers and gateways take as it is. Derive from it to say what an attachment, a tag or hidden context of your own
/// means to the model, and make one per request where that depends on who asks.
/// </summary>
/// <remarks>
/// What is not a message of either side (a widget, a task, hidden context) becomes a note: a message of the user's role that
/// says what it is, since many models take a system message at the beginning alone. A user could write such a note, too:
/// nothing in one is proof of anything.
/// </remarks>
public class ThreadItemConverter
{
    /// <summary>Written without escapes, as the model reads it.</summary>
    private static readonly JsonSerializerOptions Readable = new(ChatKitJson.Store) { WriteIndented = false };

    /// <summary>The messages for items, each of which may give none, one or several.</summary>
    /// <param name="items">Oldest first, hidden ones too.</param>
    /// <param name="cancel">Passed on to what a derived class does.</param>
    /// <exception cref="NotSupportedException">An attachment, a tag, or hidden context that is not text, which no derived class handles.</exception>
    public async Task<IReadOnlyList<JsonObject>> ToMessagesAsync(IEnumerable<ThreadItem> items, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(items);
        var all = items.ToList();
        var newest = all.FindLastIndex(item => item is UserMessageItem);
        var messages = new List<JsonObject>();
        foreach (var (index, item) in all.Index())
        {
            messages.AddRange(item switch
            {
                UserMessageItem message => await UserMessageAsync(message, index == newest, cancel),
                AssistantMessageItem message => AssistantMessage(message),
                ClientToolCallItem call => ClientToolCall(call),
                WidgetItem widget => Widget(widget),
                GeneratedImageItem image => GeneratedImage(image),
                StructuredInputItem input => StructuredInput(input),
                TaskItem task => Tasks([task.Task]),
                WorkflowItem workflow => Tasks(workflow.Workflow.Tasks),
                HiddenContextItem hidden => await HiddenContextAsync(hidden, cancel),
                SdkHiddenContextItem hidden => [HiddenNote(hidden.Content)],
                _ => [],
            });
        }

        return messages;
    }

    /// <summary>What an attachment is to the model. There is no answer that fits all: this throws.</summary>
    /// <param name="attachment">The attachment; load its bytes from where you store them.</param>
    /// <param name="cancel">Cancelled when the request is.</param>
    /// <returns>A part of a message, for instance <c>{"type":"image_url","image_url":{"url":"data:…"}}</c>.</returns>
    protected virtual ValueTask<JsonObject> AttachmentAsync(Attachment attachment, CancellationToken cancel) =>
        throw new NotSupportedException($"A message has attachments: override {nameof(AttachmentAsync)} to say what they are to the model.");

    /// <summary>What the model should know about an entity that the user mentioned. There is no answer that fits all: this throws.</summary>
    /// <param name="tag">The mention. Its data is untrusted: look the entity up by its id.</param>
    /// <param name="cancel">Cancelled when the request is.</param>
    /// <returns>A part of a message, for instance <see cref="TextPart"/>.</returns>
    protected virtual ValueTask<JsonObject> TagAsync(UserTagContent tag, CancellationToken cancel) =>
        throw new NotSupportedException($"A message mentions an entity: override {nameof(TagAsync)} to say what the model should know about it.");

    /// <summary>The messages for hidden context. Text becomes a note; for anything else this throws.</summary>
    /// <param name="item">The item.</param>
    /// <param name="cancel">Cancelled when the request is.</param>
    protected virtual ValueTask<IReadOnlyList<JsonObject>> HiddenContextAsync(HiddenContextItem item, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(item);
        return item.Content is JsonValue value && value.TryGetValue<string>(out var text)
            ? ValueTask.FromResult<IReadOnlyList<JsonObject>>([HiddenNote(text)])
            : throw new NotSupportedException($"Hidden context is not text: override {nameof(HiddenContextAsync)} to say what it is to the model.");
    }

    /// <summary>The messages for what the assistant wrote: its parts, with a blank line between them. Nothing for a message without text.</summary>
    protected virtual IReadOnlyList<JsonObject> AssistantMessage(AssistantMessageItem item)
    {
        ArgumentNullException.ThrowIfNull(item);
        var text = string.Join("\n\n", item.Content.Select(part => part.Text).Where(part => part.Length > 0));
        return text.Length == 0 ? [] : [Message("assistant", text)];
    }

    /// <summary>The messages for a tool of the page: the call and its result. Nothing while the result has not come, because a model may not see a call without one.</summary>
    protected virtual IReadOnlyList<JsonObject> ClientToolCall(ClientToolCallItem item)
    {
        ArgumentNullException.ThrowIfNull(item);
        if (item.Status == ClientToolCallStatus.Pending)
        {
            return [];
        }

        var call = new JsonObject
        {
            ["id"] = item.CallId,
            ["type"] = "function",
            ["function"] = new JsonObject { ["name"] = item.Name, ["arguments"] = TextOf(item.Arguments) },
        };
        return
        [
            new JsonObject { ["role"] = "assistant", ["content"] = null, ["tool_calls"] = new JsonArray(call) },
            new JsonObject { ["role"] = "tool", ["tool_call_id"] = item.CallId, ["content"] = TextOf(item.Output) },
        ];
    }

    /// <summary>The messages for a widget: a note with its tree.</summary>
    protected virtual IReadOnlyList<JsonObject> Widget(WidgetItem item)
    {
        ArgumentNullException.ThrowIfNull(item);
        return [Note($"The user was shown this widget (id {item.Id}), as JSON:", "widget", Encoding.UTF8.GetString(ChatKitJson.ToWire(item.Widget)))];
    }

    /// <summary>The messages for a picture that was made: a note with the picture. Nothing while there is none.</summary>
    protected virtual IReadOnlyList<JsonObject> GeneratedImage(GeneratedImageItem item)
    {
        ArgumentNullException.ThrowIfNull(item);
        return item.Image is null ? [] : [Message("user", new JsonArray(TextPart("This picture was made for the user:"), ImagePart(item.Image.Url)))];
    }

    /// <summary>The messages for tasks that the user was shown: a note with those of your own. Thoughts, searches and files are the model's own business.</summary>
    protected virtual IReadOnlyList<JsonObject> Tasks(IReadOnlyList<ChatTask> tasks)
    {
        var lines = tasks.OfType<CustomTask>()
            .Select(task => string.Join(": ", new[] { task.Title, task.Content }.Where(text => !string.IsNullOrEmpty(text))))
            .Where(line => line.Length > 0).ToList();
        return lines.Count == 0 ? [] : [Note("The user was shown that this was done:", "task", string.Join('\n', lines))];
    }

    /// <summary>The messages for questions: a note with the answers so far.</summary>
    protected virtual IReadOnlyList<JsonObject> StructuredInput(StructuredInputItem item)
    {
        ArgumentNullException.ThrowIfNull(item);
        var lines = item.Inputs.Select(input => $"{input.Question}: {AnswerOf(input)}");
        var status = JsonNamingPolicy.SnakeCaseLower.ConvertName(item.Status.ToString());
        return [Note($"The user was asked these questions (status: {status}):", "questions", string.Join('\n', lines))];
    }

    /// <summary>A message with text, or with parts.</summary>
    /// <param name="role">For instance <c>user</c>.</param>
    /// <param name="content">Text, or an array of parts.</param>
    protected static JsonObject Message(string role, JsonNode content) => new() { ["role"] = role, ["content"] = content };

    /// <summary>A part of a message that is text.</summary>
    protected static JsonObject TextPart(string text) => new() { ["type"] = "text", ["text"] = text };

    /// <summary>A part of a message that is a picture.</summary>
    /// <param name="url">Where it is; a <c>data:</c> URL is allowed.</param>
    protected static JsonObject ImagePart(string url) => new() { ["type"] = "image_url", ["image_url"] = new JsonObject { ["url"] = url } };

    /// <summary>A message of the user's role that says something about the conversation.</summary>
    /// <param name="introduction">What it is about.</param>
    /// <param name="tag">Marks where the text begins and ends.</param>
    /// <param name="text">The text.</param>
    protected static JsonObject Note(string introduction, string tag, string text) => Message("user", $"{introduction}\n<{tag}>\n{text}\n</{tag}>");

    private static JsonObject HiddenNote(string text) => Note("Context that the user does not see:", "hidden_context", text);

    private static string AnswerOf(StructuredInput input) => input.Answer switch
    {
        null => "unanswered",
        { Skipped: true } => "skipped",
        var answer => string.Join(", ", answer.Values),
    };

    private static string TextOf(JsonNode? json) => json?.ToJsonString(Readable) ?? "null";

    private async Task<IReadOnlyList<JsonObject>> UserMessageAsync(UserMessageItem item, bool newest, CancellationToken cancel)
    {
        var tags = item.Content.OfType<UserTagContent>().DistinctBy(tag => tag.Text).ToList();
        var text = string.Concat(item.Content.Select(part => part switch
        {
            UserTextContent typed => typed.Text,
            UserTagContent tag => $"@{tag.Text}",
            _ => string.Empty,
        }));

        JsonNode content = text;
        if (item.Attachments.Count > 0)
        {
            // Some providers refuse a part that is an empty text.
            var parts = text.Length > 0 ? new JsonArray(TextPart(text)) : [];
            foreach (var attachment in item.Attachments)
            {
                parts.Add(await AttachmentAsync(attachment, cancel));
            }

            content = parts;
        }

        List<JsonObject> messages = [Message("user", content)];
        if (tags.Count > 0)
        {
            var parts = new JsonArray(TextPart("About what is mentioned with @ in the message before, by name:"));
            foreach (var tag in tags)
            {
                parts.Add(TextPart($"{tag.Text}:"));
                parts.Add(await TagAsync(tag, cancel));
            }

            messages.Add(Message("user", parts));
        }

        // An older quotation has been answered; kept, it would draw the model back to it.
        if (newest && !string.IsNullOrEmpty(item.QuotedText))
        {
            messages.Add(Note("The message before is about this part of the conversation:", "quote", item.QuotedText));
        }

        return messages;
    }
}
