using System.Text;
using System.Text.Json.Nodes;
using ChatKit.Tests.Support;
using ChatKit.Widgets;

namespace ChatKit.Tests.Json;

/// <summary>The two forms of the same records, and the rules of both: nulls, defaults, times, text.</summary>
public sealed class FormTests(ChatKitSchema schema)
{
    private static readonly DateTimeOffset Noon = new(2026, 5, 19, 12, 0, 0, TimeSpan.FromHours(2));

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static ChatThread Thread => new() { Id = "thr_1", CreatedAt = Noon, Metadata = new JsonObject { ["run"] = "secret" } };

    private static UserMessageItem Message => new()
    {
        Id = "msg_1",
        ThreadId = "thr_1",
        CreatedAt = Noon,
        Content = [new UserTextContent { Text = "Hi" }, new UserTagContent { Id = "d", Text = "Plan" }],
        Attachments =
        [
            new FileAttachment { Id = "atc_1", Name = "a", MimeType = "text/plain", Metadata = new JsonObject { ["path"] = "secret" } },
            new ImageAttachment { Id = "atc_2", Name = "b", MimeType = "image/png", PreviewUrl = "data:,", Metadata = [] },
        ],
    };

    [Fact]
    public void Metadata_of_attachments_is_stored_but_never_sent()
    {
        var sent = Text(ChatKitJson.ToWire(new ThreadItemDoneEvent { Item = Message }));
        var stored = Assert.IsType<UserMessageItem>(ChatKitJson.FromStore<ThreadItem>(ChatKitJson.ToStore(Message)));

        Assert.DoesNotContain("secret", sent, StringComparison.Ordinal);
        Assert.DoesNotContain("metadata", sent, StringComparison.Ordinal);
        Assert.Equal("secret", (string?)stored.Attachments[0].Metadata!["path"]);
        Assert.Empty(stored.Attachments[1].Metadata!);
    }

    [Fact]
    public void Metadata_of_a_thread_is_stored_but_sent_as_an_empty_object()
    {
        Assert.Equal("secret", (string?)ChatKitJson.FromStore<ChatThread>(ChatKitJson.ToStore(Thread)).Metadata["run"]);
        Assert.All(
            [ChatKitJson.ToWire(Thread), ChatKitJson.ToWire(ThreadView.Of(Thread)), ChatKitJson.ToWire(new ThreadUpdatedEvent { Thread = ThreadView.Of(Thread) })],
            sent =>
            {
                Assert.DoesNotContain("secret", Text(sent), StringComparison.Ordinal);
                Assert.Contains("\"metadata\":{}", Text(sent), StringComparison.Ordinal);
            });
    }

    [Fact]
    public void A_hidden_item_is_stored_but_cannot_be_sent()
    {
        ThreadItem[] hidden =
        [
            new HiddenContextItem { Id = "h", ThreadId = "thr_1", CreatedAt = Noon, Content = new JsonObject { ["a"] = null } },
            new SdkHiddenContextItem { Id = "s", ThreadId = "thr_1", CreatedAt = Noon, Content = "Stopped." },
        ];

        Assert.All(hidden, item =>
        {
            Assert.True(item.IsHidden);
            Assert.Equal(item.GetType(), ChatKitJson.FromStore<ThreadItem>(ChatKitJson.ToStore(item)).GetType());
            Assert.Throws<NotSupportedException>(() => ChatKitJson.ToWire(item));
            Assert.Throws<NotSupportedException>(() => ChatKitJson.ToWire(new ThreadItemDoneEvent { Item = item }));
            Assert.Throws<NotSupportedException>(() => ChatKitJson.ToWire(new Page<ThreadItem> { Data = [item] }));
        });
        Assert.Empty(ThreadView.Of(Thread, new Page<ThreadItem> { Data = hidden }).Items.Data);
        Assert.Contains("""{"a":null}""", Text(ChatKitJson.ToStore(hidden[0])), StringComparison.Ordinal);
    }

    /// <summary>Every kind with nothing set but what it requires: what has a default is there, what has none is not.</summary>
    [Theory]
    [MemberData(nameof(Bare))]
    public async Task Members_with_a_default_are_sent_and_members_without_a_value_are_not(string definition, object value, string expected)
    {
        var sent = ChatKitJson.ToWire(value);

        Assert.Equal(expected, Text(sent));
        await schema.AssertValidAsync(definition, sent, Cancel);
    }

    public static TheoryData<string, object, string> Bare => new()
    {
        { "ThreadItem", new AssistantMessageItem { Id = "i", ThreadId = "t", CreatedAt = Noon, Content = [new AssistantMessageContent { Text = "x" }] },
            """{"type":"assistant_message","id":"i","thread_id":"t","created_at":"2026-05-19T10:00:00Z","content":[{"type":"output_text","text":"x","annotations":[]}]}""" },
        { "ThreadItem", new UserMessageItem { Id = "i", ThreadId = "t", CreatedAt = Noon, Content = [new UserTagContent { Id = "d", Text = "P" }] },
            """{"type":"user_message","id":"i","thread_id":"t","created_at":"2026-05-19T10:00:00Z","content":[{"type":"input_tag","id":"d","text":"P","data":{},"interactive":false}],"attachments":[],"inference_options":{}}""" },
        { "ThreadItem", new ClientToolCallItem { Id = "i", ThreadId = "t", CreatedAt = Noon, CallId = "c", Name = "n", Arguments = new JsonObject { ["a"] = null } },
            """{"type":"client_tool_call","id":"i","thread_id":"t","created_at":"2026-05-19T10:00:00Z","status":"pending","call_id":"c","name":"n","arguments":{"a":null}}""" },
        { "ThreadItem", new StructuredInputItem { Id = "i", ThreadId = "t", CreatedAt = Noon, Inputs = [new MultipleChoiceInput { Id = "q", Question = "?", Options = [new() { Value = "A" }], Answer = new() }] },
            """{"type":"structured_input","id":"i","thread_id":"t","created_at":"2026-05-19T10:00:00Z","status":"pending","inputs":[{"type":"multiple_choice","options":[{"value":"A"}],"multiple":false,"id":"q","question":"?","answer":{"values":[],"skipped":false}}]}""" },
        { "ThreadItem", new WorkflowItem { Id = "i", ThreadId = "t", CreatedAt = Noon, Workflow = new() { Type = WorkflowType.Reasoning, Tasks = [new SearchTask(), new FileTask(), new CustomTask { Icon = "search" }] } },
            """{"type":"workflow","id":"i","thread_id":"t","created_at":"2026-05-19T10:00:00Z","workflow":{"type":"reasoning","tasks":[{"type":"web_search","queries":[],"sources":[],"status_indicator":"none"},{"type":"file","sources":[],"status_indicator":"none"},{"type":"custom","icon":"search","status_indicator":"none"}],"expanded":false}}""" },
        { "StreamEvent", new ErrorEvent(), """{"type":"error","code":"custom","allow_retry":false}""" },
        { "StreamEvent", new ClientEffectEvent { Name = "toast" }, """{"type":"client_effect","name":"toast","data":{}}""" },
        { "Attachment", new FileAttachment { Id = "a", Name = "n", MimeType = "m", UploadDescriptor = new() { Url = "https://x", Method = UploadMethod.Put } },
            """{"type":"file","id":"a","name":"n","mime_type":"m","upload_descriptor":{"url":"https://x","method":"PUT","headers":{}}}""" },
        { "Thread", ThreadView.Of(Thread), """{"id":"thr_1","created_at":"2026-05-19T10:00:00Z","status":{"type":"active"},"metadata":{},"items":{"data":[],"has_more":false}}""" },
        { "ThreadsSyncCustomActionRes", new SyncActionResult(), "{}" },
        { "ThreadsDeleteRes", new EmptyResponse(), "{}" },
    };

    /// <summary>Sources, tasks and summaries stand in lists of their own type, where they must say what they are nevertheless.</summary>
    [Fact]
    public async Task Every_kind_inside_an_item_says_what_it_is_and_comes_back()
    {
        var url = new UrlSource { Title = "U", Url = "https://u", Description = "d", Timestamp = "2026", Group = "g", Attribution = "a" };
        var file = new FileSource { Title = "F", Filename = "f.txt" };
        var entity = new EntitySource { Title = "E", Id = "e", Icon = "lucide:cat", Label = "l", InlineLabel = "i", Data = new JsonObject { ["n"] = null }, Preview = "lazy" };
        Workflow Steps(WorkflowSummary summary) => new()
        {
            Type = WorkflowType.Custom,
            Summary = summary,
            Expanded = true,
            Tasks = [new SearchTask { Queries = ["q"], Sources = [url], TitleQuery = "q" }, new FileTask { Sources = [file] }, new ThoughtTask { Content = "c" }, new ImageTask { StatusIndicator = StatusIndicator.Complete }],
        };
        ThreadItem[] items =
        [
            new AssistantMessageItem { Id = "1", ThreadId = "t", CreatedAt = Noon, Content = [new() { Text = "x", Annotations = [new() { Source = url, Index = 1 }, new() { Source = file }, new() { Source = entity }] }] },
            new WorkflowItem { Id = "2", ThreadId = "t", CreatedAt = Noon, Workflow = Steps(new CustomSummary { Title = "T", Icon = "vendor:x" }) },
            new WorkflowItem { Id = "3", ThreadId = "t", CreatedAt = Noon, Workflow = Steps(new DurationSummary { Duration = 3 }) },
            new GeneratedImageItem { Id = "4", ThreadId = "t", CreatedAt = Noon, Image = new() { Id = "i", Url = "data:," } },
            new TaskItem { Id = "5", ThreadId = "t", CreatedAt = Noon, Task = new CustomTask { Title = "t", Content = "c" } },
        ];

        foreach (var item in items)
        {
            var stored = ChatKitJson.ToStore(item);

            await schema.AssertValidAsync("ThreadItem", stored, Cancel);
            Assert.Equal(Text(stored), Text(ChatKitJson.ToStore(ChatKitJson.FromStore<ThreadItem>(stored))));
        }

        var summaries = items.OfType<WorkflowItem>().Select(item => ChatKitJson.Copy(item).Workflow.Summary!.GetType());
        Assert.Equal([typeof(CustomSummary), typeof(DurationSummary)], summaries);
    }

    [Theory]
    [InlineData("2026-05-19T10:00:00Z", "2026-05-19T10:00:00Z")]
    [InlineData("2026-05-19T10:00:00.123456Z", "2026-05-19T10:00:00.123456Z")]
    [InlineData("2026-05-19T10:00:00.123456", "2026-05-19T10:00:00.123456Z")]
    [InlineData("2026-05-19T12:00:00.5+02:00", "2026-05-19T10:00:00.5Z")]
    [InlineData("2026-05-19T10:00:00.123456789Z", "2026-05-19T10:00:00.1234567Z")]
    public void Times_are_read_in_every_form_and_written_in_UTC(string read, string written)
    {
        var thread = ChatKitJson.FromStore<ChatThread>(Encoding.UTF8.GetBytes($$"""{"id":"t","created_at":"{{read}}"}"""));

        Assert.Contains($"\"created_at\":\"{written}\"", Text(ChatKitJson.ToStore(thread)), StringComparison.Ordinal);
    }

    [Fact]
    public void Text_that_is_not_ASCII_is_sent_as_it_is()
    {
        const string text = "Grüße, 東京, 🚀, <b> & 'x' + é 👩‍👩‍👧";

        var sent = Text(ChatKitJson.ToWire(new ClientEffectEvent { Name = text, Data = new JsonObject { [text] = text } }));

        Assert.Equal($$$"""{"type":"client_effect","name":"{{{text}}}","data":{"{{{text}}}":"{{{text}}}"}}""", sent);
    }

    [Fact]
    public void Text_that_JSON_must_escape_is_escaped()
    {
        const string text = "\"\\\n\u0001\ud83d 🚀";

        var sent = ChatKitJson.ToWire(new ProgressUpdateEvent { Text = text });

        Assert.Equal("""{"type":"progress_update","text":"\"\\\n\u0001? 🚀"}""", Text(sent).Replace('\ufffd', '?'));
    }

    [Fact]
    public void A_copy_shares_nothing_with_its_original()
    {
        var thread = Thread;
        var copy = ChatKitJson.Copy(thread);

        thread.Metadata["run"] = "changed";

        Assert.Equal("secret", (string?)copy.Metadata["run"]);
        Assert.IsType<UserMessageItem>(ChatKitJson.Copy(Message));
        Assert.IsType<UserMessageItem>(ChatKitJson.Copy<ThreadItem>(Message));
    }

    [Fact]
    public void A_widget_that_nobody_knows_survives_and_loses_its_nulls()
    {
        const string widget = """{"type":"Card","x":null,"children":[null,{"type":"Hologram","depth":[1,null,{"a":null,"b":"ü"}]}]}""";

        var read = ChatKitJson.FromStore<WidgetRoot>(Encoding.UTF8.GetBytes(widget));

        Assert.Equal("""{"type":"Card","children":[{"type":"Hologram","depth":[1,{"b":"ü"}]}]}""", Text(ChatKitJson.ToWire(read)));
        Assert.Equal(Text(ChatKitJson.ToStore(read)), Text(ChatKitJson.ToStore(ChatKitJson.Copy(read))));
        Assert.Equal("w", (read with { Id = "w" }).Id);
        Assert.Null(read.Id);
    }

    private static string Text(byte[] utf8) => Encoding.UTF8.GetString(utf8);
}
