using System.Text.Json.Nodes;
using ChatKit.Widgets;

namespace ChatKit.Tests.Models;

/// <summary>What a thread's items are to a model.</summary>
public sealed class ThreadItemConverterTests
{
    private static readonly DateTimeOffset Noon = new(2026, 5, 19, 10, 0, 0, TimeSpan.Zero);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A4_A_quotation_follows_the_newest_user_message_alone() =>
        await AssertMessagesAsync(
            new ThreadItemConverter(),
            [User("First") with { QuotedText = "old" }, Assistant("One"), User("Second") with { QuotedText = "One" }, Call(ClientToolCallStatus.Pending)],
            """{"role":"user","content":"First"}""",
            """{"role":"assistant","content":"One"}""",
            """{"role":"user","content":"Second"}""",
            """{"role":"user","content":"The message before is about this part of the conversation:\n<quote>\nOne\n</quote>"}""");

    [Fact]
    public async Task A4_An_empty_quotation_says_nothing() =>
        await AssertMessagesAsync(new ThreadItemConverter(), [User("Hi") with { QuotedText = "" }], """{"role":"user","content":"Hi"}""");

    [Fact]
    public async Task A4_The_parts_of_an_assistant_message_are_joined_and_an_empty_one_is_left_out() =>
        await AssertMessagesAsync(
            new ThreadItemConverter(), [Assistant("One", "", "Two"), Assistant(), Assistant("")],
            """{"role":"assistant","content":"One\n\nTwo"}""");

    [Fact]
    public async Task A4_A_widget_is_a_note_with_its_id_and_text_and_no_time()
    {
        var message = Assert.Single(await new ThreadItemConverter().ToMessagesAsync([Widget()], Cancel));

        Assert.Equal(
            "The user was shown this widget (id msg_w), as JSON:\n<widget>\n{\"type\":\"Card\",\"children\":[{\"type\":\"Text\",\"value\":\"Grüße\"}]}\n</widget>",
            (string?)message["content"]);
        Assert.Equal("user", (string?)message["role"]);
        Assert.DoesNotContain("2026", message.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A5_Tags_are_names_in_the_text_and_what_is_known_of_each_follows_once() =>
        await AssertMessagesAsync(
            new KnowsAll(),
            [Message(Typed("Compare "), Tag("1", "Plan"), Typed(" with "), Tag("2", "Budget"), Typed(" and "), Tag("1", "Plan"))],
            """{"role":"user","content":"Compare @Plan with @Budget and @Plan"}""",
            """
            {"role":"user","content":[{"type":"text","text":"About what is mentioned with @ in the message before, by name:"},
             {"type":"text","text":"Plan:"},{"type":"text","text":"entity 1"},{"type":"text","text":"Budget:"},{"type":"text","text":"entity 2"}]}
            """);

    [Fact]
    public async Task A5_A_tag_throws_where_nobody_says_what_it_is() =>
        await Assert.ThrowsAsync<NotSupportedException>(() => new ThreadItemConverter().ToMessagesAsync([Message(Tag("1", "Plan"))], Cancel));

    [Fact]
    public async Task Attachments_are_parts_of_their_message() =>
        await AssertMessagesAsync(
            new KnowsAll(), [User("Look") with { Attachments = [Picture("atc_1"), Picture("atc_2")] }, User("") with { Attachments = [Picture("atc_3")] }],
            """
            {"role":"user","content":[{"type":"text","text":"Look"},
             {"type":"image_url","image_url":{"url":"data:atc_1"}},{"type":"image_url","image_url":{"url":"data:atc_2"}}]}
            """,
            """{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:atc_3"}}]}""");

    [Fact]
    public async Task An_attachment_throws_where_nobody_says_what_it_is() =>
        await Assert.ThrowsAsync<NotSupportedException>(() => new ThreadItemConverter().ToMessagesAsync([User("x") with { Attachments = [Picture("a")] }], Cancel));

    [Fact]
    public async Task A6_A_generated_image_is_a_note_with_the_picture_and_nothing_while_there_is_none() =>
        await AssertMessagesAsync(
            new ThreadItemConverter(), [Image(new GeneratedImage { Id = "ig", Url = "data:,x" }), Image(null)],
            """{"role":"user","content":[{"type":"text","text":"This picture was made for the user:"},{"type":"image_url","image_url":{"url":"data:,x"}}]}""");

    [Fact]
    public async Task A7_Hidden_text_is_a_marked_note() =>
        await AssertMessagesAsync(
            new ThreadItemConverter(), [Hidden("Paid."), new SdkHiddenContextItem { Id = "s", ThreadId = "t", CreatedAt = Noon, Content = "Stopped." }],
            """{"role":"user","content":"Context that the user does not see:\n<hidden_context>\nPaid.\n</hidden_context>"}""",
            """{"role":"user","content":"Context that the user does not see:\n<hidden_context>\nStopped.\n</hidden_context>"}""");

    [Fact]
    public async Task A7_Hidden_context_that_is_not_text_throws_unless_somebody_says_what_it_is()
    {
        var item = Hidden(new JsonObject { ["paid"] = true });

        await Assert.ThrowsAsync<NotSupportedException>(() => new ThreadItemConverter().ToMessagesAsync([item], Cancel));
        await AssertMessagesAsync(new KnowsAll(), [item], """{"role":"user","content":"{\"paid\":true}"}""");
    }

    [Fact]
    public async Task A8_A_task_of_ones_own_is_a_note_and_other_tasks_are_nothing() =>
        await AssertMessagesAsync(
            new ThreadItemConverter(),
            [
                Task(new CustomTask { Title = "Booked", Content = "Seat 4" }), Task(new CustomTask { Content = "Alone" }), Task(new CustomTask()), Task(new ThoughtTask { Content = "Hm" }),
                new WorkflowItem { Id = "w", ThreadId = "t", CreatedAt = Noon, Workflow = new() { Type = WorkflowType.Custom, Tasks = [new CustomTask { Title = "A" }, new SearchTask(), new CustomTask { Title = "B" }] } },
            ],
            """{"role":"user","content":"The user was shown that this was done:\n<task>\nBooked: Seat 4\n</task>"}""",
            """{"role":"user","content":"The user was shown that this was done:\n<task>\nAlone\n</task>"}""",
            """{"role":"user","content":"The user was shown that this was done:\n<task>\nA\nB\n</task>"}""");

    [Fact]
    public async Task A8_A_pending_client_tool_call_is_left_out_and_a_completed_one_is_a_call_and_its_result() =>
        await AssertMessagesAsync(
            new ThreadItemConverter(), [Call(ClientToolCallStatus.Pending), Call(ClientToolCallStatus.Completed), Call(ClientToolCallStatus.Completed) with { Output = null }],
            """{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"pick","arguments":"{\"a\":null,\"b\":\"ü\"}"}}]}""",
            """{"role":"tool","tool_call_id":"call_1","content":"{\"nodes\":[1,2]}"}""",
            """{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"pick","arguments":"{\"a\":null,\"b\":\"ü\"}"}}]}""",
            """{"role":"tool","tool_call_id":"call_1","content":"null"}""");

    [Fact]
    public async Task A9_Questions_are_a_note_with_status_answers_and_what_was_skipped() =>
        await AssertMessagesAsync(
            new ThreadItemConverter(),
            [
                new StructuredInputItem
                {
                    Id = "q", ThreadId = "t", CreatedAt = Noon, Status = StructuredInputStatus.Answered,
                    Inputs =
                    [
                        new MultipleChoiceInput { Id = "1", Question = "Which?", Options = [], Multiple = true, Answer = new() { Values = ["A", "B"] } },
                        new FreeformInput { Id = "2", Question = "Why?", Answer = new() { Skipped = true } },
                        new FreeformInput { Id = "3", Question = "When?" },
                    ],
                },
            ],
            """{"role":"user","content":"The user was asked these questions (status: answered):\n<questions>\nWhich?: A, B\nWhy?: skipped\nWhen?: unanswered\n</questions>"}""");

    [Fact]
    public async Task The_end_of_a_turn_is_nothing() =>
        Assert.Empty(await new ThreadItemConverter().ToMessagesAsync([new EndOfTurnItem { Id = "e", ThreadId = "t", CreatedAt = Noon }], Cancel));

    private static UserMessageItem Message(params UserMessageContent[] content) => new() { Id = "m", ThreadId = "t", CreatedAt = Noon, Content = content };

    private static UserMessageItem User(string text) => Message(Typed(text));

    private static UserTextContent Typed(string text) => new() { Text = text };

    private static UserTagContent Tag(string id, string text) => new() { Id = id, Text = text };

    private static AssistantMessageItem Assistant(params string[] parts) =>
        new() { Id = "a", ThreadId = "t", CreatedAt = Noon, Content = [.. parts.Select(text => new AssistantMessageContent { Text = text })] };

    private static WidgetItem Widget() =>
        new() { Id = "msg_w", ThreadId = "t", CreatedAt = Noon, Widget = new Card { Children = [new Text("Grüße")] } };

    private static ImageAttachment Picture(string id) => new() { Id = id, Name = "n", MimeType = "image/png", PreviewUrl = "data:," };

    private static GeneratedImageItem Image(GeneratedImage? image) => new() { Id = "g", ThreadId = "t", CreatedAt = Noon, Image = image };

    private static HiddenContextItem Hidden(JsonNode content) => new() { Id = "h", ThreadId = "t", CreatedAt = Noon, Content = content };

    private static TaskItem Task(ChatTask task) => new() { Id = "k", ThreadId = "t", CreatedAt = Noon, Task = task };

    private static ClientToolCallItem Call(ClientToolCallStatus status) => new()
    {
        Id = "tc_1",
        ThreadId = "t",
        CreatedAt = Noon,
        Status = status,
        CallId = "call_1",
        Name = "pick",
        Arguments = new JsonObject { ["a"] = null, ["b"] = "ü" },
        Output = new JsonObject { ["nodes"] = new JsonArray(1, 2) },
    };

    private static async Task AssertMessagesAsync(ThreadItemConverter converter, ThreadItem[] items, params string[] expected)
    {
        var messages = await converter.ToMessagesAsync(items, Cancel);

        Assert.Equal(expected.Select(json => JsonNode.Parse(json)!.ToJsonString()), messages.Select(message => message.ToJsonString()));
    }

    /// <summary>A converter as its user writes one.</summary>
    private sealed class KnowsAll : ThreadItemConverter
    {
        protected override ValueTask<JsonObject> AttachmentAsync(Attachment attachment, CancellationToken cancel) => new(ImagePart($"data:{attachment.Id}"));

        protected override ValueTask<JsonObject> TagAsync(UserTagContent tag, CancellationToken cancel) => new(TextPart($"entity {tag.Id}"));

        protected override ValueTask<IReadOnlyList<JsonObject>> HiddenContextAsync(HiddenContextItem item, CancellationToken cancel) =>
            new([Message("user", item.Content.ToJsonString())]);
    }
}
