using System.Text;
using System.Text.Json;
using ChatKit;

namespace Gateway.ChatKit.Threads;

/// <summary>Threads and items in the form of OpenAI's API, which differs from the protocol's own.</summary>
internal static class ThreadObjects
{
    public static void Write(Utf8JsonWriter json, OwnedThread owned)
    {
        json.WriteStartObject();
        json.WriteString("id", owned.Id);
        json.WriteString("object", "chatkit.thread");
        json.WriteNumber("created_at", owned.Thread.CreatedAt.ToUnixTimeSeconds());
        json.WriteString("title", owned.Thread.Title);
        json.WriteString("user", owned.UserId);
        json.WriteString("bot", owned.BotId);
        json.WriteStartObject("status");
        var (type, reason) = owned.Thread.Status switch
        {
            LockedStatus locked => ("locked", locked.Reason),
            ClosedStatus closed => ("closed", closed.Reason),
            _ => ("active", null),
        };
        json.WriteString("type", type);
        if (type != "active")
        {
            json.WriteString("reason", reason);
        }

        json.WriteEndObject();
        json.WritePropertyName("feedback");
        json.WriteRawValue(owned.Feedback);
        json.WriteEndObject();
    }

    public static void Write(Utf8JsonWriter json, ThreadItem item)
    {
        json.WriteStartObject();
        json.WriteString("id", item.Id);
        json.WriteString("object", "chatkit.thread_item");
        json.WriteString("thread_id", item.ThreadId);
        json.WriteNumber("created_at", item.CreatedAt.ToUnixTimeSeconds());
        switch (item)
        {
            case UserMessageItem message:
                Write(json, message);
                break;
            case AssistantMessageItem message:
                Write(json, message);
                break;
            case ClientToolCallItem call:
                json.WriteString("type", "chatkit.client_tool_call");
                json.WriteString("call_id", call.CallId);
                json.WriteString("name", call.Name);
                json.WriteString("arguments", call.Arguments.ToJsonString());
                json.WriteString("status", call.Status == ClientToolCallStatus.Completed ? "completed" : "in_progress");
                json.WriteString("output", call.Status == ClientToolCallStatus.Completed ? call.Output?.ToJsonString() ?? "null" : null);
                break;
            case WidgetItem widget:
                json.WriteString("type", "chatkit.widget");
                json.WriteString("widget", Encoding.UTF8.GetString(ChatKitJson.ToWire(widget.Widget)));
                break;
            case TaskItem task:
                json.WriteString("type", "chatkit.task");
                Write(json, task.Task, "task_type");
                break;
            case WorkflowItem workflow:
                json.WriteString("type", "chatkit.task_group");
                json.WriteStartArray("tasks");
                foreach (var task in workflow.Workflow.Tasks)
                {
                    json.WriteStartObject();
                    Write(json, task, "type");
                    json.WriteEndObject();
                }

                json.WriteEndArray();
                break;
        }

        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, UserMessageItem message)
    {
        json.WriteString("type", "chatkit.user_message");
        json.WriteStartArray("content");
        foreach (var part in message.Content)
        {
            Part(json, "input_text", part is UserTagContent tag ? $"@{tag.Text}" : ((UserTextContent)part).Text);
        }

        if (message.QuotedText is { Length: > 0 } quoted)
        {
            Part(json, "quoted_text", quoted);
        }

        json.WriteEndArray();
        json.WriteStartArray("attachments");
        foreach (var attachment in message.Attachments)
        {
            json.WriteStartObject();
            json.WriteString("id", attachment.Id);
            json.WriteString("type", attachment is ImageAttachment ? "image" : "file");
            json.WriteString("name", attachment.Name);
            json.WriteString("mime_type", attachment.MimeType);
            // Links are made for a user's page and for minutes; a server that lists has none.
            json.WriteNull("preview_url");
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartObject("inference_options");
        json.WriteString("model", message.InferenceOptions.Model);
        if (message.InferenceOptions.ToolChoice is { } choice)
        {
            json.WriteStartObject("tool_choice");
            json.WriteString("id", choice.Id);
            json.WriteEndObject();
        }
        else
        {
            json.WriteNull("tool_choice");
        }

        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, AssistantMessageItem message)
    {
        json.WriteString("type", "chatkit.assistant_message");
        json.WriteStartArray("content");
        foreach (var part in message.Content)
        {
            json.WriteStartObject();
            json.WriteString("type", "output_text");
            json.WriteString("text", part.Text);
            json.WriteStartArray("annotations");
            foreach (var annotation in part.Annotations)
            {
                Write(json, annotation.Source);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter json, Source source)
    {
        if (source is EntitySource)
        {
            return;
        }

        json.WriteStartObject();
        json.WriteString("type", source is UrlSource ? "url" : "file");
        json.WriteStartObject("source");
        if (source is UrlSource page)
        {
            json.WriteString("type", "url");
            json.WriteString("url", page.Url);
        }
        else
        {
            json.WriteString("type", "file");
            json.WriteString("filename", ((FileSource)source).Filename);
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, ChatTask task, string typeMember)
    {
        json.WriteString(typeMember, task is ThoughtTask ? "thought" : "custom");
        json.WriteString("heading", task.Title);
        json.WriteString("summary", task switch
        {
            ThoughtTask thought => thought.Content,
            CustomTask custom => custom.Content,
            _ => null,
        });
    }

    private static void Part(Utf8JsonWriter json, string type, string text)
    {
        json.WriteStartObject();
        json.WriteString("type", type);
        json.WriteString("text", text);
        json.WriteEndObject();
    }
}
