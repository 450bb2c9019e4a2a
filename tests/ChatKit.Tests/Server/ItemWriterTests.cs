using System.Text.Json.Nodes;
using ChatKit.Tests.Support;
using ChatKit.Widgets;

namespace ChatKit.Tests.Server;

/// <summary>Handlers that write items from ordinary code, and widgets through a whole server.</summary>
public sealed class ItemWriterTests(ChatKitSchema schema) : ServerTest(schema)
{
    [Fact]
    public async Task S32_a_widget_whose_text_grows_is_added_streamed_and_done()
    {
        var events = await WrittenAsync((items, _) => items.StreamWidgetAsync(States("", "Hel", "Hello,", "Hello, world")));

        Assert.Equal(
            ["thread.item.added", "thread.item.updated", "thread.item.updated", "thread.item.updated", "thread.item.done"], TypesOf(events));
        Assert.Equal(["Hel", "lo,", " world"], events.Skip(1).Take(3).Select(next => (string?)next["update"]!["delta"]));
        Assert.Equal("Hello, world", (string?)events[^1]["item"]!["widget"]!["children"]![0]!["value"]);
        AssertSame(Make.Card("Hello, world"), Assert.IsType<WidgetItem>((await StoredAsync("thr_1"))[1]).Widget);
    }

    [Fact]
    public async Task S33_a_widget_whose_text_changes_gets_a_new_tree()
    {
        var events = await WrittenAsync((items, _) => items.StreamWidgetAsync(States("Hello", "Bye"), "Bye"));

        Assert.Equal(["thread.item.added", "thread.item.updated", "thread.item.done"], TypesOf(events));
        Assert.Equal("widget.root.updated", (string?)events[1]["update"]!["type"]);
        Assert.Equal("Bye", (string?)events[^1]["item"]!["copy_text"]);
    }

    [Fact]
    public async Task A10_what_tools_write_side_by_side_is_sent_with_the_rest_until_the_work_ends()
    {
        var events = await WrittenAsync(async (items, _) =>
        {
            var workflow = await items.BeginWorkflowAsync(WorkflowType.Custom);
            await Task.WhenAll(Enumerable.Range(0, 20).Select(number => Task.Run(async () =>
            {
                var index = await workflow.AddAsync(new CustomTask { Title = $"Tool {number}", StatusIndicator = StatusIndicator.Loading });
                await items.WriteAsync(new ProgressUpdateEvent { Text = $"{number}" });
                await workflow.UpdateAsync(index, new CustomTask { Title = $"Tool {number}", StatusIndicator = StatusIndicator.Complete });
            })));
        });

        Assert.Equal(20, TypesOf(events).Count(type => type == "progress_update"));
        var tasks = events[^1]["item"]!["workflow"]!["tasks"]!.AsArray();
        Assert.Equal(20, tasks.Select(task => (string?)task!["title"]).Distinct().Count());
        Assert.All(tasks, task => Assert.Equal("complete", (string?)task!["status_indicator"]));
    }

    [Fact]
    public async Task A12_annotations_count_without_gaps_and_stay_in_the_message()
    {
        var events = await WrittenAsync(async (items, _) =>
        {
            var message = await items.BeginMessageAsync();
            await message.AppendAsync("Jane Austen.");
            await message.AnnotateAsync(new UrlSource { Title = "Emma", Url = "https://example.com/emma" });
            await message.AnnotateAsync(new FileSource { Title = "Lost", Filename = "" });
            await message.AnnotateAsync(new FileSource { Title = "a.pdf", Filename = "a.pdf" }, index: 4);
            await message.AppendAsync("");
        });

        var updates = events.Where(next => (string?)next["type"] == "thread.item.updated").Select(next => next["update"]!).ToList();
        Assert.Equal(
            ["assistant_message.content_part.added", "assistant_message.content_part.text_delta", "assistant_message.content_part.annotation_added",
                "assistant_message.content_part.annotation_added", "assistant_message.content_part.done"],
            updates.Select(update => (string?)update["type"]));
        Assert.Equal([0, 1], updates.Skip(2).Take(2).Select(update => (int)update["annotation_index"]!));
        Assert.Equal([12, 4], events[^1]["item"]!["content"]![0]!["annotations"]!.AsArray().Select(annotation => (int)annotation!["index"]!));
        AssertJson(updates[^1]["content"]!.ToJsonString(), events[^1]["item"]!["content"]![0]);
    }

    [Fact]
    public async Task A13_a_run_that_is_taken_back_removes_every_item_it_made_and_then_fails()
    {
        var events = await WrittenAsync(async (items, _) =>
        {
            var message = await items.BeginMessageAsync();
            await message.AppendAsync("First.");
            await message.EndAsync();
            await (await items.BeginMessageAsync()).AppendAsync("Sec");
            await items.RemoveAllAsync();
            throw new CustomStreamException("That may not be said.");
        });

        Assert.Equal(["thread.item.removed", "thread.item.removed", "error"], TypesOf(events)[^3..]);
        Assert.Equal(["msg_2", "msg_3"], events.Where(next => (string?)next["type"] == "thread.item.removed").Select(next => (string?)next["item_id"]));
        Assert.Equal(["msg_1"], (await StoredAsync("thr_1")).Select(item => item.Id));
    }

    [Fact]
    public async Task A16_thoughts_begin_with_an_empty_workflow_and_stream_by_updates()
    {
        var events = await WrittenAsync(async (items, _) =>
        {
            var thoughts = await items.BeginWorkflowAsync(WorkflowType.Reasoning);
            var first = await thoughts.AddAsync(new ThoughtTask { Content = "The" });
            await thoughts.UpdateAsync(first, new ThoughtTask { Content = "The user asks." });
            await thoughts.AddAsync(new ThoughtTask { Content = "An author." });
        });

        Assert.Equal(
            ["thread.item.added", "thread.item.updated", "thread.item.updated", "thread.item.updated", "thread.item.done"], TypesOf(events));
        Assert.Empty(events[0]["item"]!["workflow"]!["tasks"]!.AsArray());
        Assert.Equal(
            ["workflow.task.added", "workflow.task.updated", "workflow.task.added"], events.Skip(1).Take(3).Select(next => (string?)next["update"]!["type"]));
        Assert.Equal(2, Assert.IsType<WorkflowItem>((await StoredAsync("thr_1"))[1]).Workflow.Tasks.Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A17_a_message_ends_a_workflow_and_a_summary_of_ones_own_is_kept(bool own)
    {
        var events = await WrittenAsync(async (items, _) =>
        {
            var workflow = await items.BeginWorkflowAsync(WorkflowType.Custom);
            await workflow.AddAsync(new CustomTask { Title = "Looked" });
            Clock.Now += TimeSpan.FromSeconds(3.9);
            if (own)
            {
                await workflow.EndAsync(new CustomSummary { Title = "Looked around" }, expanded: true);
            }

            await (await items.BeginMessageAsync()).AppendAsync("Jane Austen.");
        });

        Assert.Equal(["thread.item.added", "thread.item.done", "thread.item.added"], TypesOf(events)[..3]);
        AssertJson(own ? """{"title":"Looked around"}""" : """{"duration":3}""", events[1]["item"]!["workflow"]!["summary"]);
        Assert.Equal(own, (bool)events[1]["item"]!["workflow"]!["expanded"]!);
        Assert.Single(events[0]["item"]!["workflow"]!["tasks"]!.AsArray());
    }

    [Fact]
    public async Task A_client_tool_call_is_the_last_event_and_what_is_empty_leaves_no_item()
    {
        var events = await WrittenAsync(async (items, _) =>
        {
            await items.BeginWorkflowAsync(WorkflowType.Custom);
            await items.CallClientToolAsync("get_selection", new JsonObject(), "call_1");
            await items.BeginMessageAsync();
            await items.AddAsync(Make.Hidden(items.Thread, "msg_h"));
        });

        Assert.Equal(["thread.item.added", "thread.item.removed", "thread.item.done"], TypesOf(events));
        Assert.Equal("call_1", (string?)events[^1]["item"]!["call_id"]);
        Assert.Equal(["msg_1", "msg_h", "tc_1"], (await StoredAsync("thr_1")).Select(item => item.Id));
    }

    [Fact]
    public async Task Work_is_stopped_with_the_client_and_what_it_wrote_is_saved()
    {
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Write(async (items, cancel) =>
        {
            cancel.Register(stopped.SetResult);
            var message = await items.BeginMessageAsync();
            await message.AppendAsync("Half");
            await Task.Delay(Timeout.Infinite, cancel);
        });
        await using (var stream = ((StreamingResult)await ProcessAsync(Ask.Create())).GetAsyncEnumerator(Cancel))
        {
            while ((string?)(await NextAsync(stream, "thread.item.updated"))["update"]!["delta"] != "Half")
            {
            }
        }

        await stopped.Task.WaitAsync(Cancel);
        Assert.Equal(["msg_1", "msg_2", "shcx_1"], (await StoredAsync("thr_1")).Select(item => item.Id));
    }

    private static async IAsyncEnumerable<WidgetRoot> States(params string[] texts)
    {
        foreach (var text in texts)
        {
            await Task.Yield();
            yield return Make.Card(text);
        }
    }

    private void Write(Func<ItemWriter, CancellationToken, Task> work) =>
        Server.OnRespond = (thread, _, cancel) => Server.StreamItems(thread, Ann, work, cancel);

    /// <summary>The handler's events.</summary>
    private async Task<IReadOnlyList<JsonObject>> WrittenAsync(Func<ItemWriter, CancellationToken, Task> work)
    {
        Write(work);
        return [.. (await StreamAsync(Ask.Create())).Skip(3)];
    }
}
