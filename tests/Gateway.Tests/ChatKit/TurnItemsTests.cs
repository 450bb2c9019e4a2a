using System.Text.Json.Nodes;
using ChatKit;
using Gateway.Bots;
using Gateway.ChatKit.Turns;
using Gateway.Http;

namespace Gateway.Tests.ChatKit;

/// <summary>
/// What happens in a bot's turn as the events of a thread: specification §7.4, whose lines name the tests. Every event is held
/// to the schema.
/// </summary>
public sealed class TurnItemsTests(ChatKitContract contract)
{
    private static readonly Citation Page = new("A page", "https://example.com/a", null, null);
    private static readonly Citation File = new("A record", null, "rec_1", "a.md");

    private readonly SteppedClock _clock = new();
    private int _ids;

    [Fact]
    public async Task A10_events_of_tools_that_run_side_by_side_keep_to_their_own_tasks()
    {
        var items = Items(showsSteps: true);

        var events = await ReadAsync(
            items, Started(1, "search_handbook", ToolKind.Dataset), Started(2, "fetch_page", ToolKind.WebPage), Done(2, "fetch_page"), Done(1, "search_handbook", isFailure: true));

        Assert.Equal(
            ["thread.item.added workflow", "thread.item.updated workflow.task.added", "thread.item.updated workflow.task.added",
             "thread.item.updated workflow.task.updated", "thread.item.updated workflow.task.updated"],
            ChatPage.Kinds(events));
        Assert.Equal([0, 1, 1, 0], events.Skip(1).Select(e => (int)e["update"]!["task_index"]!));
        Assert.Equal(["loading", "loading", "complete", "complete"], events.Skip(1).Select(e => (string)e["update"]!["task"]!["status_indicator"]!));
        Assert.Equal("Reading a page (fetch_page)", (string)events[3]["update"]!["task"]!["title"]!);
        Assert.Equal("This did not work.", (string)events[4]["update"]!["task"]!["content"]!);
    }

    [Fact]
    public async Task A11_text_becomes_one_message_of_one_part()
    {
        var items = Items();

        var events = await ReadAsync(items, Said("Hello, "), Said("World!"));
        var rest = await WrittenAsync(items.Finish());

        Assert.Equal(
            ["thread.item.added assistant_message", "thread.item.updated assistant_message.content_part.added",
             "thread.item.updated assistant_message.content_part.text_delta", "thread.item.updated assistant_message.content_part.text_delta"],
            ChatPage.Kinds(events));
        Assert.Equal("[]", events[0]["item"]!["content"]!.ToJsonString());
        Assert.Equal("", (string)events[1]["update"]!["content"]!["text"]!);
        Assert.Equal(["Hello, ", "World!"], Deltas(events));
        Assert.All(events.Skip(1), e => Assert.Equal("msg_1", (string)e["item_id"]!));
        Assert.Equal(["thread.item.updated assistant_message.content_part.done", "thread.item.done assistant_message"], ChatPage.Kinds(rest));
        Assert.Equal("Hello, World!", (string)rest[0]["update"]!["content"]!["text"]!);
        Assert.Equal(("msg_1", "Hello, World!"), ((string)rest[1]["item"]!["id"]!, ChatPage.TextOf(rest)));
        Assert.True(items.HasAnswered);
        Assert.Empty(items.Finish());
    }

    [Fact]
    public async Task A11_a_refusal_is_text_like_any_other()
    {
        var items = Items();

        var events = await ReadAsync(items, new BotEvent.Refusal("I will "), new BotEvent.Refusal("not."));

        Assert.Equal(["I will ", "not."], Deltas(events));
        Assert.Equal("I will not.", ChatPage.TextOf(await WrittenAsync(items.Finish())));
    }

    [Fact]
    public async Task A11_blank_lines_between_steps_begin_no_message()
    {
        var items = Items();

        Assert.Empty(await ReadAsync(items, Said("\n\n")));
        Assert.False(items.HasAnswered);
        var events = await ReadAsync(items, Said("\nSo\n"), Said("\n"));

        Assert.Equal(["So\n", "\n"], Deltas(events));
    }

    [Fact]
    public async Task A12_annotations_have_a_running_index_and_stand_where_their_marks_do()
    {
        var items = Items();

        var events = await ReadAsync(items, Said("So [1] and so [2]."), Cited(3, 6, Page), Cited(14, 17, File));
        var rest = await WrittenAsync(items.Finish());

        var added = events.TakeLast(2).Select(e => e["update"]!).ToList();
        Assert.Equal([0, 1], added.Select(u => (int)u["annotation_index"]!));
        Assert.Equal([6, 17], added.Select(u => (int)u["annotation"]!["index"]!));
        Assert.Equal(
            ["""{"type":"url","url":"https://example.com/a","title":"A page"}""", """{"type":"file","filename":"a.md","title":"A record"}"""],
            added.Select(u => u["annotation"]!["source"]!.ToJsonString()));
        foreach (var whole in new[] { rest[0]["update"]!["content"]!, rest[1]["item"]!["content"]![0]! })
        {
            Assert.Equal(added.Select(u => u["annotation"]!.ToJsonString()), whole["annotations"]!.AsArray().Select(a => a!.ToJsonString()));
        }
    }

    /// <summary>Differs on purpose: a file without a name is not dropped, since a record of a dataset has a title all the same.</summary>
    [Fact]
    public async Task A12_a_file_without_a_name_has_its_title_for_one()
    {
        var items = Items();

        var events = await ReadAsync(items, Said("So [1]."), Cited(3, 6, File with { FileName = null }), Cited(3, 6, File with { FileName = "" }));

        Assert.Equal(["A record", "A record"], events.TakeLast(2).Select(e => (string)e["update"]!["annotation"]!["source"]!["filename"]!));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A12_each_message_counts_its_own_text_and_annotations(bool showsSteps)
    {
        var items = Items(showsSteps);

        var events = await ReadAsync(
            items, Said("One [1]."), Cited(4, 7, Page), Started(1, "search_handbook", ToolKind.Dataset), Done(1, "search_handbook"),
            Said("\n\n"), Said("Two [2]."), Cited(14, 17, File),
            // Of the message before: nobody can be told any more.
            Cited(4, 7, Page));

        var added = events.Where(e => ChatPage.Kinds([e])[0].EndsWith("annotation_added", StringComparison.Ordinal)).ToList();
        Assert.Equal([(0, 7), (0, 7)], added.Select(e => ((int)e["update"]!["annotation_index"]!, (int)e["update"]!["annotation"]!["index"]!)));
        Assert.Equal(2, added.Select(e => (string)e["item_id"]!).Distinct().Count());
    }

    [Fact]
    public async Task A12_words_of_a_refusal_do_not_shift_the_marks_of_the_text()
    {
        var items = Items();

        var events = await ReadAsync(items, new BotEvent.Refusal("Not that. "), Said("But this [1]."), Cited(9, 12, Page));

        var index = (int)events[^1]["update"]!["annotation"]!["index"]!;
        Assert.EndsWith("[1]", string.Concat(Deltas(events))[..index], StringComparison.Ordinal);
    }

    /// <summary>Differs on purpose: not of guardrails alone, which there are none of, but of all that ends a turn with an error.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A13_all_items_of_a_turn_that_fails_are_removed(bool showsSteps)
    {
        var items = Items(showsSteps);
        Assert.Empty(items.TakeBack());
        var events = await ReadAsync(
            items, Said("I look."), Started(1, "search_handbook", ToolKind.Dataset), Done(1, "search_handbook"), Said("\n\n"), Said("It is"));

        var removed = await WrittenAsync(items.TakeBack());

        Assert.All(removed, e => Assert.Equal("thread.item.removed", ChatPage.Type(e)));
        Assert.Equal(
            events.Where(e => ChatPage.Type(e) == "thread.item.added").Select(e => (string)e["item"]!["id"]!), removed.Select(e => (string)e["item_id"]!));
        Assert.Equal(showsSteps ? 3 : 2, removed.Count);
    }

    [Fact]
    public async Task A16_thoughts_stream_into_one_task_of_a_reasoning_workflow()
    {
        var items = Items(showsSteps: true);
        var (first, second, third) = (new string('a', 10), new string('b', 120), new string('c', 10));

        var events = await ReadAsync(items, Thought(first), Thought(second), Thought(third));
        var rest = await WrittenAsync(items.Finish());

        // Each time the whole of it travels, so small pieces wait for one another.
        Assert.Equal(
            ["thread.item.added workflow", "thread.item.updated workflow.task.added", "thread.item.updated workflow.task.updated"],
            ChatPage.Kinds(events));
        Assert.Equal(("reasoning", "[]"), (ChatPage.Type(events[0]["item"]!["workflow"]!), events[0]["item"]!["workflow"]!["tasks"]!.ToJsonString()));
        Assert.Equal([first, first + second], events.Skip(1).Select(e => (string)e["update"]!["task"]!["content"]!));
        var task = Assert.Single(rest[^1]["item"]!["workflow"]!["tasks"]!.AsArray())!;
        Assert.Equal(("thought", first + second + third), (ChatPage.Type(task), (string)task["content"]!));
        Assert.False(items.HasAnswered);
    }

    [Fact]
    public async Task A16_a_thought_behind_a_step_is_another_task()
    {
        var items = Items(showsSteps: true);

        var events = await ReadAsync(
            items, Thought("First."), Started(1, "search_handbook", ToolKind.Dataset), Done(1, "search_handbook"), Thought("Second."), Said("So."));

        var done = events.Single(e => ChatPage.Kinds([e])[0] == "thread.item.done workflow");
        Assert.Equal(
            ["First.", "Looking it up (search_handbook)", "Second."],
            done["item"]!["workflow"]!["tasks"]!.AsArray().Select(task => (string?)task!["content"] ?? (string)task["title"]!));
    }

    [Fact]
    public async Task A16_thoughts_are_not_shown_where_steps_are_not()
    {
        var items = Items();

        var events = await ReadAsync(items, Thought("The owner's secret plan"), Thought(" is this."), Said("So."), Thought("And on."));

        var passing = Assert.Single(events, e => ChatPage.Type(e) == "progress_update");
        Assert.Equal("Thinking", (string)passing["text"]!);
        Assert.DoesNotContain(events, e => ChatPage.Kinds([e])[0].Contains("workflow", StringComparison.Ordinal));
        Assert.DoesNotContain("secret", string.Concat(events.Select(e => e.ToJsonString())), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A17_a_message_ends_the_workflow_with_its_duration()
    {
        var items = Items(showsSteps: true);
        await ReadAsync(items, Thought("Hm."));
        _clock.Step(TimeSpan.FromSeconds(7.2));

        var events = await ReadAsync(items, Said("So."));

        Assert.Equal(["thread.item.done workflow", "thread.item.added assistant_message"], ChatPage.Kinds(events).Take(2));
        var workflow = events[0]["item"]!["workflow"]!;
        Assert.Equal(("""{"duration":7}""", false), (workflow["summary"]!.ToJsonString(), (bool)workflow["expanded"]!));
        Assert.Equal("wf_1", (string)events[0]["item"]!["id"]!);
    }

    [Fact]
    public async Task A17_a_step_behind_a_message_ends_the_message()
    {
        var items = Items(showsSteps: true);

        var events = await ReadAsync(items, Said("I look."), Started(1, "crm.find", ToolKind.Ability), Done(1, "crm.find"), Said("\n\n"), Said("There."));
        events = [.. events, .. await WrittenAsync(items.Finish())];

        Assert.Equal(
            ["thread.item.done assistant_message", "thread.item.done workflow", "thread.item.done assistant_message"],
            ChatPage.Kinds(events).Where(kind => kind.StartsWith("thread.item.done", StringComparison.Ordinal)));
        Assert.Equal(3, events.Where(e => ChatPage.Type(e) == "thread.item.added").Select(e => (string)e["item"]!["id"]!).Distinct().Count());
    }

    [Fact]
    public async Task A17_a_member_that_takes_over_ends_the_workflow_and_its_running_tasks()
    {
        var items = Items(showsSteps: true);

        // The one who is handed to answers in the place of the asker; its tool is done only when it has.
        var events = await ReadAsync(
            items, Started(1, "search_handbook", ToolKind.Dataset), Started(2, "ask_billing", ToolKind.Member), Said("I am Billing."), Done(2, "ask_billing"));
        var rest = await WrittenAsync(items.Finish());

        var tasks = events.Single(e => ChatPage.Kinds([e])[0] == "thread.item.done workflow")["item"]!["workflow"]!["tasks"]!.AsArray();
        Assert.Equal(["complete", "complete"], tasks.Select(task => (string)task!["status_indicator"]!));
        Assert.Equal("thread.item.updated assistant_message.content_part.text_delta", ChatPage.Kinds(events)[^1]);
        Assert.Equal("I am Billing.", ChatPage.TextOf(rest));
    }

    [Fact]
    public async Task A17_what_is_open_at_the_end_is_ended()
    {
        var items = Items(showsSteps: true);

        await ReadAsync(items, Started(1, "web_search", ToolKind.WebSearch));
        var rest = await WrittenAsync(items.Finish());

        var workflow = Assert.Single(rest)["item"]!["workflow"]!;
        Assert.Equal(("""{"duration":0}""", "complete"), (workflow["summary"]!.ToJsonString(), (string)workflow["tasks"]![0]!["status_indicator"]!));
        Assert.Empty(items.Finish());
    }

    [Theory]
    [InlineData(nameof(ToolKind.Dataset), "Looking it up", "book-open")]
    [InlineData(nameof(ToolKind.WebSearch), "Searching the web", "search")]
    [InlineData(nameof(ToolKind.WebPage), "Reading a page", "globe")]
    [InlineData(nameof(ToolKind.Member), "Asking a colleague", "agent")]
    [InlineData(nameof(ToolKind.Ability), "Working on it", "bolt")]
    public async Task Steps_that_are_not_shown_are_a_passing_line(string kind, string text, string icon)
    {
        var items = Items();

        var events = await ReadAsync(items, Said("Let me see."), Started(1, "owners_secret_tool", Enum.Parse<ToolKind>(kind)), Done(1, "owners_secret_tool"));

        Assert.Equal(["thread.item.updated assistant_message.content_part.done", "thread.item.done assistant_message", "progress_update"], ChatPage.Kinds(events).TakeLast(3));
        Assert.Equal((text, icon), ((string)events[^1]["text"]!, (string)events[^1]["icon"]!));
        Assert.DoesNotContain("secret", string.Concat(events.Select(e => e.ToJsonString())), StringComparison.Ordinal);
    }

    /// <summary>Differs on purpose from A2: the item's id is ours, the call's is the model's.</summary>
    [Fact]
    public async Task A2_calls_of_the_page_s_tools_are_put_together_and_told_at_the_end()
    {
        var items = Items();

        var events = await ReadAsync(
            items, Called(0, "call_a", "pick", "{\"of\":"), Called(1, "call_b", "pick", ""), Called(0, null, null, "\"the wall\"}"), Called(2, "call_c", "pick", "[1"));

        Assert.Empty(events);
        Assert.Equal(
            [("call_a", "pick", """{"of":"the wall"}"""), ("call_b", "pick", "{}"), ("call_c", "pick", "{}")],
            items.Calls.Select(call => (call.Id, call.Name, call.Arguments.ToJsonString())));
        Assert.False(items.HasAnswered);
    }

    [Fact]
    public async Task What_a_door_has_no_use_for_is_no_event()
    {
        var items = Items(showsSteps: true);

        Assert.Empty(await ReadAsync(items, Done(7, "unknown"), Cited(0, 3, Page), new BotEvent.Finished("stop", null), new BotEvent.Failed(ApiError.Unhandled())));
    }

    private static BotEvent.Text Said(string piece) => new(piece, null);

    private static BotEvent.Reasoning Thought(string piece) => new(piece);

    private static BotEvent.Cited Cited(int start, int end, Citation source) => new(start, end, source);

    private static BotEvent.ToolStarted Started(int call, string tool, ToolKind kind) => new(1, call, tool, kind);

    private static BotEvent.ToolDone Done(int call, string tool, bool isFailure = false) => new(1, call, tool, isFailure, TimeSpan.Zero);

    private static BotEvent.CallerToolCall Called(int index, string? id, string? name, string arguments) => new(index, id, id is null ? null : "function", name, arguments);

    private static IEnumerable<string> Deltas(IEnumerable<JsonNode> events) => events.Select(e => (string?)e["update"]?["delta"]).OfType<string>();

    private TurnItems Items(bool showsSteps = false)
    {
        var thread = new ChatThread { Id = "thr_1", CreatedAt = DateTimeOffset.UnixEpoch };
        return new TurnItems(thread, showsSteps, kind => $"{(kind == ItemKind.Workflow ? "wf" : "msg")}_{++_ids}", _clock);
    }

    private async Task<IReadOnlyList<JsonNode>> ReadAsync(TurnItems items, params BotEvent[] happened)
    {
        var read = new List<JsonNode>();
        foreach (var each in happened)
        {
            read.AddRange(await WrittenAsync(items.Read(each)));
        }

        return read;
    }

    private async Task<IReadOnlyList<JsonNode>> WrittenAsync(IEnumerable<StreamEvent> events)
    {
        var written = new List<JsonNode>();
        foreach (var each in events)
        {
            var json = ChatKitJson.ToWire(each);
            await contract.AssertValidAsync("StreamEvent", json, TestContext.Current.CancellationToken);
            written.Add(JsonNode.Parse(json)!);
        }

        return written;
    }

    private sealed class SteppedClock : TimeProvider
    {
        private DateTimeOffset _now = DateTimeOffset.UnixEpoch;

        public override DateTimeOffset GetUtcNow() => _now;

        public void Step(TimeSpan time) => _now += time;
    }
}
