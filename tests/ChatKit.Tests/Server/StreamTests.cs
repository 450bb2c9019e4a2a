using System.Text.Json.Nodes;
using ChatKit.Tests.Support;

namespace ChatKit.Tests.Server;

/// <summary>What a handler's events do: to the stream, and to the store.</summary>
public sealed class StreamTests(ChatKitSchema schema) : ServerTest(schema)
{
    private static readonly string[] Opening = ["thread.created", "thread.item.done", "stream_options"];

    [Fact]
    public async Task S3_a_task_of_a_workflow_is_streamed_and_stored_once()
    {
        var tasks = new List<ChatTask>();
        Server.OnRespond = (thread, _, _) => WithWorkflow(thread, tasks);

        var events = await StreamAsync(Ask.Create());

        Assert.Equal([.. Opening, "thread.item.added", "thread.item.updated", "thread.item.done"], TypesOf(events));
        Assert.Empty(events[3]["item"]!["workflow"]!["tasks"]!.AsArray());
        Assert.Single(events[5]["item"]!["workflow"]!["tasks"]!.AsArray());
        Assert.Single(Assert.IsType<WorkflowItem>((await StoredAsync("thr_1"))[1]).Workflow.Tasks);

        static async IAsyncEnumerable<StreamEvent> WithWorkflow(ChatThread thread, List<ChatTask> tasks)
        {
            var item = Make.Workflow(thread, "wf_1", tasks);
            yield return Make.Added(item);
            await Task.Yield();
            var task = new CustomTask { Title = "Looked" };
            tasks.Add(task);
            yield return Make.Updated("wf_1", new WorkflowTaskAdded { TaskIndex = 0, Task = task });
            yield return Make.Done(item);
        }
    }

    [Fact]
    public async Task S4_the_context_reaches_the_handlers_unchanged()
    {
        await BegunAsync();
        await AnswerAsync("ItemsFeedbackRes", Ask.Feedback("thr_1", "positive", "msg_r"));

        Assert.Equal(2, Server.Contexts.Count);
        Assert.All(Server.Contexts, context => Assert.Same(Ann, context));
    }

    [Fact]
    public async Task S5_a_new_thread_has_no_title_and_the_users_message_is_echoed_with_its_quoted_text()
    {
        var request = Ask.Create("Who wrote it?");
        request["params"]!["input"]!["quoted_text"] = "Emma";

        var events = await StreamAsync(request);

        Assert.Equal(Opening, TypesOf(events));
        Assert.False(events[0]["thread"]!.AsObject().ContainsKey("title"));
        AssertJson("""{"data":[],"has_more":false}""", events[0]["thread"]!["items"]);
        AssertJson("""[{"type":"input_text","text":"Who wrote it?"}]""", events[1]["item"]!["content"]);
        Assert.Equal("Emma", (string?)events[1]["item"]!["quoted_text"]);
        AssertJson("""{"type":"stream_options","stream_options":{"allow_cancel":true}}""", events[2]);
    }

    [Fact]
    public async Task S6_a_title_set_by_the_handler_is_stored_and_sent_last()
    {
        var (sent, stored) = await ChangedAsync(thread => thread.Title = "Author of Emma");

        Assert.Equal("Author of Emma", (string?)sent["title"]);
        Assert.Equal("Author of Emma", stored.Title);
    }

    [Fact]
    public async Task S7_metadata_set_by_the_handler_is_stored_and_the_thread_is_sent_last_without_it()
    {
        var (sent, stored) = await ChangedAsync(thread => thread.Metadata["last_run"] = new JsonObject { ["id"] = "run_1" });

        AssertJson("{}", sent["metadata"]);
        AssertJson("""{"last_run":{"id":"run_1"}}""", stored.Metadata);
    }

    [Fact]
    public async Task S8_a_status_set_by_the_handler_is_stored_and_sent()
    {
        var (sent, stored) = await ChangedAsync(thread => thread.Status = new LockedStatus { Reason = "Under review" });

        AssertJson("""{"type":"locked","reason":"Under review"}""", sent["status"]);
        Assert.Equal(new LockedStatus { Reason = "Under review" }, stored.Status);
    }

    [Fact]
    public async Task S9_image_domains_set_by_the_handler_are_stored_and_sent()
    {
        var (sent, stored) = await ChangedAsync(thread => thread.AllowedImageDomains = ["example.com"]);

        AssertJson("""["example.com"]""", sent["allowed_image_domains"]);
        Assert.Equal(["example.com"], stored.AllowedImageDomains);
    }

    [Fact]
    public async Task S10_image_domains_that_are_not_set_are_absent()
    {
        Server.OnRespond = (thread, _, _) => Changing(thread, () => thread.Title = "Any");

        var events = await StreamAsync(Ask.Create());

        Assert.False(events[0]["thread"]!.AsObject().ContainsKey("allowed_image_domains"));
        Assert.False(events[^1]["thread"]!.AsObject().ContainsKey("allowed_image_domains"));
    }

    [Fact]
    public async Task S11_a_title_changed_between_items_is_sent_right_after_the_next_items_event()
    {
        Server.OnRespond = (thread, _, _) => InBetween(thread);

        var events = await StreamAsync(Ask.Create());

        Assert.Equal([.. Opening, "thread.item.done", "thread.item.done", "thread.updated", "thread.item.done"], TypesOf(events));
        Assert.Equal("Changed", (string?)events[5]["thread"]!["title"]);
        Assert.Equal("Changed", (await Store.LoadThreadAsync("thr_1", Ann, Cancel)).Title);

        static async IAsyncEnumerable<StreamEvent> InBetween(ChatThread thread)
        {
            yield return Make.Done(Make.Reply(thread, "msg_a", "One."));
            await Task.Yield();
            thread.Title = "Changed";
            yield return Make.Done(Make.Reply(thread, "msg_b", "Two."));
            yield return Make.Done(Make.Reply(thread, "msg_c", "Three."));
        }
    }

    [Fact]
    public async Task S12_a_client_tool_call_ends_a_turn_and_its_output_begins_the_next()
    {
        Server.OnRespond = (thread, message, _) => Script.Of(Make.Done(
            message is not null ? Make.ToolCall(thread, "tc_1") : Make.Reply(thread, "msg_r", "Two nodes.")));

        var first = await StreamAsync(Ask.Create());
        var second = await StreamAsync(Ask.Output("thr_1", new JsonObject { ["nodes"] = new JsonArray(1, 2) }));

        Assert.Equal([.. Opening, "thread.item.done"], TypesOf(first));
        AssertJson(
            """{"id":"tc_1","thread_id":"thr_1","created_at":"2026-05-19T10:00:00Z","type":"client_tool_call","status":"pending","call_id":"call_tc_1","name":"get_selection","arguments":{"project":"p1"}}""",
            first[3]["item"]);
        Assert.Equal(["stream_options", "thread.item.done"], TypesOf(second));
        var call = Assert.IsType<ClientToolCallItem>((await StoredAsync("thr_1"))[1]);
        Assert.Equal(ClientToolCallStatus.Completed, call.Status);
        AssertJson("""{"nodes":[1,2]}""", call.Output);
    }

    [Fact]
    public async Task S13_a_progress_update_passes_in_its_place()
    {
        Server.OnRespond = (thread, _, _) => Script.Of(
            new ProgressUpdateEvent { Icon = "search", Text = "Looking it up" }, Make.Done(Make.Reply(thread, "msg_r", "Jane Austen.")));

        var events = await StreamAsync(Ask.Create());

        Assert.Equal([.. Opening, "progress_update", "thread.item.done"], TypesOf(events));
        AssertJson("""{"type":"progress_update","icon":"search","text":"Looking it up"}""", events[3]);
        Assert.Equal(["msg_1", "msg_r"], (await StoredAsync("thr_1")).Select(item => item.Id));
    }

    [Fact]
    public async Task S35_a_removed_item_is_sent_and_gone_from_the_list()
    {
        Server.OnRespond = (thread, _, _) => Script.Of(
            Make.Done(Make.Reply(thread, "msg_r", "Wrong.")), new ThreadItemRemovedEvent { ItemId = "msg_r" });

        var events = await StreamAsync(Ask.Create());
        var items = await AnswerAsync("ItemsListRes", Ask.Items("thr_1"));

        AssertJson("""{"type":"thread.item.removed","item_id":"msg_r"}""", events[^1]);
        Assert.Equal("msg_1", (string?)Assert.Single(items["data"]!.AsArray())!["id"]);
    }

    [Fact]
    public async Task S36_an_exception_of_the_handler_is_one_error_and_the_stream_ends_as_usual()
    {
        Server.OnRespond = (_, _, _) => Script.ThenThrow(new InvalidOperationException("a secret of the server"), new ProgressUpdateEvent { Text = "Trying" });

        var events = await StreamAsync(Ask.Create());

        Assert.Equal([.. Opening, "progress_update", "error"], TypesOf(events));
        AssertJson("""{"type":"error","code":"stream.error","allow_retry":true}""", events[^1]);
    }

    [Fact]
    public async Task S37_a_replaced_item_is_sent_and_stored_even_as_another_kind()
    {
        Server.OnRespond = (thread, _, _) => Script.Of(
            Make.Done(new TaskItem { Id = "tsk_1", ThreadId = thread.Id, CreatedAt = TestClock.Start, Task = new CustomTask { Title = "Wait" } }),
            new ThreadItemReplacedEvent { Item = Make.Reply(thread, "tsk_1", "Done.") });

        var events = await StreamAsync(Ask.Create());

        Assert.Equal("thread.item.replaced", TypesOf(events)[^1]);
        Assert.Equal("assistant_message", (string?)events[^1]["item"]!["type"]);
        var stored = await Store.LoadItemAsync("thr_1", "tsk_1", Ann, Cancel);
        Assert.Equal("Done.", Assert.IsType<AssistantMessageItem>(stored).Content[0].Text);
    }

    [Fact]
    public async Task S38_a_replaced_widget_is_sent_and_stored()
    {
        Server.OnRespond = (thread, _, _) => Script.Of(
            Make.Done(Make.Widget(thread, "msg_w", Make.Card("before"))),
            new ThreadItemReplacedEvent { Item = Make.Widget(thread, "msg_w", Make.Card("after")) });

        var events = await StreamAsync(Ask.Create());

        Assert.Equal("after", (string?)events[^1]["item"]!["widget"]!["children"]![0]!["value"]);
        var stored = await Store.LoadItemAsync("thr_1", "msg_w", Ann, Cancel);
        AssertSame(Make.Card("after"), Assert.IsType<WidgetItem>(stored).Widget);
        Assert.Equal(2, (await StoredAsync("thr_1")).Count);
    }

    private static async IAsyncEnumerable<StreamEvent> Changing(ChatThread thread, Action change)
    {
        yield return Make.Done(Make.Reply(thread, "msg_r", "Jane Austen."));
        await Task.Yield();
        change();
    }

    /// <summary>The thread of the last event, and the stored one, after the handler changed it at its end.</summary>
    private async Task<(JsonObject Sent, ChatThread Stored)> ChangedAsync(Action<ChatThread> change)
    {
        Server.OnRespond = (thread, _, _) => Changing(thread, () => change(thread));
        var events = await StreamAsync(Ask.Create());
        Assert.Equal([.. Opening, "thread.item.done", "thread.updated"], TypesOf(events));
        AssertJson("""{"data":[],"has_more":false}""", events[^1]["thread"]!["items"]);
        return (events[^1]["thread"]!.AsObject(), await Store.LoadThreadAsync("thr_1", Ann, Cancel));
    }
}
