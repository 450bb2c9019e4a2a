using System.Text.Json;
using System.Text.Json.Nodes;
using ChatKit;
using Gateway.Bots;
using Gateway.Bots.Datasets.Parsing;
using Gateway.ChatKit.Attachments;

namespace Gateway.ChatKit.Turns;

/// <summary>A thread's items as the messages of a chat completion, oldest first. One turn's.</summary>
internal sealed class Conversation(AttachmentBytes bytes, ChatKitUser user) : ThreadItemConverter
{
    /// <summary>Of one attachment's text, in characters: some tens of pages.</summary>
    private const int MostText = 100_000;

    /// <summary>Messages whose files are shown, the newest ones, so that a long thread does not resend all of them.</summary>
    private const int MessagesWithFiles = 8;

    /// <summary>Of all files of a request together.</summary>
    private const long MostBytes = 32 * 1_048_576;

    private readonly HashSet<string> _shownFiles = new(StringComparer.Ordinal);

    /// <summary>Which calls belong together, by the message that each is: what a model calls them need not tell them apart.</summary>
    private readonly Dictionary<JsonObject, string> _groups = new(ReferenceEqualityComparer.Instance);

    /// <param name="items">Oldest first, hidden ones too.</param>
    public async Task<JsonArray> ReadAsync(IReadOnlyList<ThreadItem> items, CancellationToken cancel)
    {
        ChooseFiles(items);
        var messages = new JsonArray();
        if (user.Session is { Options.StateVariables: { Count: > 0 } variables })
        {
            messages.Add(Message(
                "system", $"What is known of this user: {JsonSerializer.Serialize(variables, ConversationJson.Default.IReadOnlyDictionaryStringJsonElement)}"));
        }

        foreach (var message in Joined(await ToMessagesAsync(items, cancel)))
        {
            messages.Add(message);
        }

        return messages;
    }

    /// <summary>The newest files, as many as a request may carry.</summary>
    private void ChooseFiles(IReadOnlyList<ThreadItem> items)
    {
        var left = MostBytes;
        foreach (var file in items.OfType<UserMessageItem>().Where(message => message.Attachments.Count > 0).TakeLast(MessagesWithFiles)
            .Reverse().SelectMany(message => message.Attachments))
        {
            left -= (long?)file.Metadata?[AttachmentKeeper.SizeMember] ?? 0;
            if (left < 0)
            {
                return;
            }

            _shownFiles.Add(file.Id);
        }
    }

    protected override async ValueTask<JsonObject> AttachmentAsync(Attachment attachment, CancellationToken cancel)
    {
        if (!_shownFiles.Contains(attachment.Id))
        {
            return TextPart($"[The file '{attachment.Name}' was here.]");
        }

        if (await bytes.LoadAsync(user.WorkspaceId, attachment.Id, cancel) is not { } content)
        {
            return TextPart($"[The file '{attachment.Name}' is gone.]");
        }

        if (attachment is ImageAttachment)
        {
            return ImagePart($"data:{attachment.MimeType};base64,{Convert.ToBase64String(content)}");
        }

        try
        {
            var records = await FileParser.ParseAsync(attachment.Name, content, cancel);
            var text = string.Join("\n\n", records.Select(record => record.Text));
            return TextPart(DataText.Of($"the file '{attachment.Name}' that the user attached", DataText.Shorten(text, MostText)));
        }
        catch (UnreadableFileException wrong)
        {
            return TextPart($"[The file '{attachment.Name}' cannot be read: {wrong.Message}]");
        }
    }

    /// <summary>Pages say what an entity is, so it is information like any other from outside.</summary>
    protected override ValueTask<JsonObject> TagAsync(UserTagContent tag, CancellationToken cancel) =>
        ValueTask.FromResult(TextPart(DataText.Of($"what @{tag.Text} is", tag.Data.ToJsonString())));

    protected override IReadOnlyList<JsonObject> ClientToolCall(ClientToolCallItem item)
    {
        var messages = base.ClientToolCall(item);
        foreach (var message in messages)
        {
            _groups[message] = PendingCalls.GroupOf(item);
        }

        return messages;
    }

    /// <summary>A page is shown the bot's own steps; the model has made them.</summary>
    protected override IReadOnlyList<JsonObject> Tasks(IReadOnlyList<ChatTask> tasks) => [];

    /// <summary>
    /// Calls that a model made at once and a page answered one by one are one message again, with the results behind it: as the
    /// model wrote it.
    /// </summary>
    private IEnumerable<JsonObject> Joined(IReadOnlyList<JsonObject> messages)
    {
        var results = new List<JsonObject>();
        JsonObject? calls = null;
        string? group = null;
        foreach (var message in messages)
        {
            if (message["tool_calls"] is JsonArray { Count: 1 } made)
            {
                var of = _groups[message];
                if (calls is not null && of == group)
                {
                    calls["tool_calls"]!.AsArray().Add(made[0]!.DeepClone());
                    continue;
                }

                foreach (var ended in End())
                {
                    yield return ended;
                }

                (calls, group) = (message, of);
            }
            else if ((string?)message["role"] == "tool")
            {
                results.Add(message);
            }
            else
            {
                foreach (var ended in End())
                {
                    yield return ended;
                }

                yield return message;
            }
        }

        foreach (var ended in End())
        {
            yield return ended;
        }

        IReadOnlyList<JsonObject> End()
        {
            IReadOnlyList<JsonObject> ended = calls is null ? [] : [calls, .. results];
            calls = null;
            results.Clear();
            return ended;
        }
    }
}
