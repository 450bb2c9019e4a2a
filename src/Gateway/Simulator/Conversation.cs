using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Gateway.Simulator;

/// <param name="Text">Its text parts, joined by line breaks. Empty when it has none.</param>
/// <param name="Attachments">What else it holds, in words, such as "an image (image/png, 68 bytes)".</param>
/// <param name="CallIds">The tool calls of an assistant message; one empty id for a legacy function call.</param>
internal sealed record Message(string Role, string Text, IReadOnlyList<string> Attachments, IReadOnlyList<string> CallIds)
{
    /// <summary>Which call a tool message answers.</summary>
    public string? CallId { get; init; }

    public bool IsToolResult => Role is "tool" or "function";
}

/// <summary>
/// Reads <c>messages</c> as strictly as the real upstream: roles, parts, and the order of calls and their results.
/// </summary>
internal static class Conversation
{
    private static readonly string[] Roles = ["system", "developer", "user", "assistant", "tool", "function"];

    public static List<Message> Read(JsonElement body)
    {
        var messages = body.Array("messages") ?? throw RefusalException.Missing("messages");
        if (messages.GetArrayLength() == 0)
        {
            throw RefusalException.Invalid("messages", "Invalid 'messages': empty array. Expected at least one message.", "empty_array");
        }

        var read = new List<Message>(messages.GetArrayLength());
        foreach (var message in messages.EnumerateArray())
        {
            var path = string.Create(CultureInfo.InvariantCulture, $"messages[{read.Count}]");
            read.Add(ReadOne(message.AsObject(path), path + "."));
        }

        CheckOrder(read);
        return read;
    }

    private static Message ReadOne(JsonElement message, string path)
    {
        var role = message.RequiredText("role", path);
        if (!Roles.Contains(role, StringComparer.Ordinal))
        {
            throw RefusalException.WrongValue(path + "role", $"'{role}'. Supported values are: {string.Join(", ", Roles)}.");
        }

        var callIds = role == "assistant" ? CallIds(message, path) : [];
        var attachments = new List<string>();
        var text = message.Member("content") switch
        {
            null when role is "assistant" or "function" => "",
            null => throw RefusalException.Missing(path + "content"),
            { ValueKind: JsonValueKind.String } plain => plain.GetString()!,
            { ValueKind: JsonValueKind.Array } parts => ReadParts(parts, path + "content", attachments),
            { } other => throw RefusalException.WrongType(path + "content", "a string or an array of parts", other.ValueKind),
        };
        return new Message(role, text, attachments, callIds)
        {
            CallId = role == "tool" ? message.RequiredText("tool_call_id", path) : null,
        };
    }

    private static List<string> CallIds(JsonElement message, string path)
    {
        var ids = new List<string>();
        if (message.Array("tool_calls", path) is { } calls)
        {
            foreach (var call in calls.EnumerateArray())
            {
                ids.Add(call.AsObject(path + "tool_calls").RequiredText("id", path + "tool_calls[]."));
            }
        }

        if (message.Object("function_call", path) is not null)
        {
            ids.Add("");
        }

        return ids;
    }

    private static string ReadParts(JsonElement parts, string path, List<string> attachments)
    {
        var text = new StringBuilder();
        var index = 0;
        foreach (var part in parts.EnumerateArray())
        {
            var at = string.Create(CultureInfo.InvariantCulture, $"{path}[{index++}]");
            var type = part.AsObject(at).RequiredText("type", at + ".");
            switch (type)
            {
                case "text" or "refusal":
                    text.Append(text.Length > 0 ? "\n" : "").Append(part.RequiredText(type, at + "."));
                    break;
                case "image_url":
                    var image = part.Object(type, at + ".") ?? throw RefusalException.Missing($"{at}.{type}");
                    attachments.Add($"an image ({DescribeUrl(image.RequiredText("url", $"{at}.{type}."))})");
                    break;
                case "input_audio":
                    var audio = part.Object(type, at + ".") ?? throw RefusalException.Missing($"{at}.{type}");
                    attachments.Add($"an audio clip ({audio.RequiredText("format", $"{at}.{type}.")})");
                    break;
                case "file":
                    var file = part.Object(type, at + ".") ?? throw RefusalException.Missing($"{at}.{type}");
                    attachments.Add($"a file ({file.Text("filename", at) ?? file.Text("file_id", at) ?? "without a name"})");
                    break;
                default:
                    throw RefusalException.WrongValue(
                        at + ".type", $"'{type}'. Supported values are: text, refusal, image_url, input_audio, file.");
            }
        }

        return text.ToString();
    }

    private static string DescribeUrl(string url)
    {
        const string Marker = ";base64,";
        var data = url.IndexOf(Marker, StringComparison.Ordinal);
        if (!url.StartsWith("data:", StringComparison.Ordinal) || data < 0)
        {
            return url.Length <= 200 ? url : url[..200];
        }

        var base64 = url.AsSpan(data + Marker.Length);
        var padding = base64.Length - base64.TrimEnd('=').Length;
        var bytes = (base64.Length / 4 * 3) - padding;
        return string.Create(CultureInfo.InvariantCulture, $"{url[5..data]}, {bytes} bytes");
    }

    /// <summary>
    /// Every call has its result right behind it, and every result its call: what a real upstream insists on.
    /// </summary>
    private static void CheckOrder(List<Message> messages)
    {
        var open = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < messages.Count; i++)
        {
            var message = messages[i];
            if (message.Role == "tool")
            {
                if (!open.Remove(message.CallId!))
                {
                    throw RefusalException.WrongValue(
                        string.Create(CultureInfo.InvariantCulture, $"messages[{i}].tool_call_id"),
                        $"messages with role 'tool' must answer a tool call of the message before; '{message.CallId}' is none.");
                }

                continue;
            }

            RefuseOpen(open);
            open.UnionWith(message.CallIds.Where(id => id.Length > 0));
        }

        RefuseOpen(open);
    }

    private static void RefuseOpen(HashSet<string> open)
    {
        if (open.Count > 0)
        {
            throw RefusalException.WrongValue(
                "messages",
                "an assistant message with 'tool_calls' must be followed by tool messages for each. "
                    + $"These have none: {string.Join(", ", open.Order(StringComparer.Ordinal))}.");
        }
    }
}
