using System.Runtime.CompilerServices;
using ChatKit.Tests.Support;

namespace ChatKit.Tests.Server;

/// <summary>Specification §4.3: a client that leaves.</summary>
public sealed class CancellationTests(ChatKitSchema schema) : ServerTest(schema)
{
    [Fact]
    public async Task S1_cancelling_amid_a_message_stores_it_with_its_deltas_and_a_hidden_note_and_propagates()
    {
        Server.OnRespond = (thread, _, cancel) => Script.ThenWait(
            [Make.Added(Make.Reply(thread, "msg_r")), Make.PartAdded("msg_r"), Make.Delta("msg_r", "Hello, "), Make.Delta("msg_r", "World!")], cancel);

        await CancelAfterAsync(7);

        var items = await StoredAsync("thr_1");
        Assert.Equal(["msg_1", "msg_r", "shcx_1"], items.Select(item => item.Id));
        Assert.Equal("Hello, World!", Assert.Single(Assert.IsType<AssistantMessageItem>(items[1]).Content).Text);
        Assert.Contains("stopped", Assert.IsType<SdkHiddenContextItem>(items[2]).Content, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" \n")]
    public async Task S2_cancelling_with_a_blank_message_stores_the_note_alone(string shown)
    {
        Server.OnRespond = (thread, _, cancel) => Script.ThenWait(
            [Make.Added(Make.Reply(thread, "msg_r")), Make.PartAdded("msg_r"), Make.Delta("msg_r", shown)], cancel);

        await CancelAfterAsync(6);

        Assert.Equal(["msg_1", "shcx_1"], (await StoredAsync("thr_1")).Select(item => item.Id));
    }

    [Fact]
    public async Task Pending_items_other_than_messages_are_not_stored_and_thread_changes_are_not_saved()
    {
        ChatThread? seen = null;
        Server.OnRespond = (thread, _, cancel) => ChangingAfter(seen = thread, cancel);

        await CancelAfterAsync(5);

        Assert.Equal("Never saved", seen!.Title);
        Assert.Null((await Store.LoadThreadAsync("thr_1", Ann, Cancel)).Title);
        Assert.Equal(["msg_1", "shcx_1"], (await StoredAsync("thr_1")).Select(item => item.Id));

        static async IAsyncEnumerable<StreamEvent> ChangingAfter(ChatThread thread, [EnumeratorCancellation] CancellationToken cancel)
        {
            yield return Make.Added(Make.Widget(thread, "msg_w", Make.Card("half")));
            yield return Make.Added(Make.Workflow(thread, "wf_1", []));
            thread.Title = "Never saved";
            await Task.Delay(Timeout.Infinite, cancel);
        }
    }

    [Fact]
    public async Task A_message_that_was_shown_in_parts_is_stored_with_annotations_and_padding()
    {
        Server.OnRespond = (thread, _, cancel) => Script.ThenWait(
            [
                Make.Added(Make.Reply(thread, "msg_r")),
                Make.Delta("msg_r", "second", part: 1),
                Make.Updated("msg_r", new ContentPartAnnotationAdded { ContentIndex = 1, AnnotationIndex = 9, Annotation = Make.Citation("https://example.com/a", 1) }),
                Make.Updated("msg_r", new ContentPartAnnotationAdded { ContentIndex = 1, AnnotationIndex = 0, Annotation = Make.Citation("https://example.com/b", 0) }),
                Make.Updated("msg_r", new ContentPartDone { ContentIndex = 2, Content = new() { Text = "third" } }),
            ],
            cancel);

        await CancelAfterAsync(8);

        var content = Assert.IsType<AssistantMessageItem>((await StoredAsync("thr_1"))[1]).Content;
        Assert.Equal(["", "second", "third"], content.Select(part => part.Text));
        Assert.Equal(
            ["https://example.com/b", "https://example.com/a"],
            content[1].Annotations.Select(annotation => ((UrlSource)annotation.Source).Url));
    }

    [Fact]
    public async Task A_reader_that_stops_reading_is_a_client_that_left()
    {
        var stopped = new TaskCompletionSource();
        Server.OnRespond = (thread, _, cancel) => Observed(thread, stopped, cancel);
        await using (var stream = ((StreamingResult)await ProcessAsync(Ask.Create())).GetAsyncEnumerator(Cancel))
        {
            await NextAsync(stream, "thread.item.updated");
        }

        await stopped.Task.WaitAsync(Cancel);
        Assert.Equal(["msg_1", "msg_r", "shcx_1"], (await StoredAsync("thr_1")).Select(item => item.Id));

        static async IAsyncEnumerable<StreamEvent> Observed(
            ChatThread thread, TaskCompletionSource stopped, [EnumeratorCancellation] CancellationToken cancel)
        {
            try
            {
                yield return Make.Added(Make.Reply(thread, "msg_r"));
                yield return Make.Delta("msg_r", "Half");
                await Task.Delay(Timeout.Infinite, cancel);
            }
            finally
            {
                stopped.SetResult();
            }
        }
    }

    [Fact]
    public async Task A_handler_that_does_not_stop_is_left_behind_and_the_thread_goes_on()
    {
        Server = NewServer(change: options => options with { HandlerStopLimit = TimeSpan.FromMilliseconds(20) });
        var release = new TaskCompletionSource();
        Server.OnRespond = (thread, _, _) => Stubborn(thread, release.Task);

        await CancelAfterAsync(5);

        Assert.Equal(["msg_1", "msg_r", "shcx_1"], (await StoredAsync("thr_1")).Select(item => item.Id));
        Server.OnRespond = (thread, _, _) => Script.Of(Make.Done(Make.Reply(thread, "msg_2nd", "Here.")));
        Assert.Equal("thread.item.done", TypesOf(await StreamAsync(Ask.Add("thr_1")))[^1]);
        release.SetResult();

        static async IAsyncEnumerable<StreamEvent> Stubborn(ChatThread thread, Task release)
        {
            yield return Make.Added(Make.Reply(thread, "msg_r"));
            yield return Make.Delta("msg_r", "Half");
            await release;
        }
    }

    [Fact]
    public async Task After_the_handler_has_ended_a_client_that_leaves_stopped_nothing()
    {
        Server.OnRespond = (thread, _, _) => Titled(thread);
        await using (var stream = ((StreamingResult)await ProcessAsync(Ask.Create())).GetAsyncEnumerator(Cancel))
        {
            await NextAsync(stream, "thread.updated");
        }

        Assert.Equal(["msg_1", "msg_r"], (await StoredAsync("thr_1")).Select(item => item.Id));

        static async IAsyncEnumerable<StreamEvent> Titled(ChatThread thread)
        {
            yield return Make.Done(Make.Reply(thread, "msg_r", "All of it."));
            await Task.Yield();
            thread.Title = "Last of all";
        }
    }

    [Fact]
    public async Task A_stream_that_nobody_reads_lets_its_thread_go_when_it_is_disposed()
    {
        await BegunAsync();
        var unread = (StreamingResult)await ProcessAsync(Ask.Add("thr_1"));
        Assert.Equal("thread_busy", (await RefusalAsync(Ask.Add("thr_1"))).Code);

        await unread.DisposeAsync();

        Assert.Equal("thread.item.done", TypesOf(await StreamAsync(Ask.Add("thr_1")))[^1]);
        Assert.Throws<InvalidOperationException>(() => unread.GetAsyncEnumerator(Cancel));
    }

    [Fact]
    public async Task A_cancelled_call_of_the_handlers_own_is_an_error_and_not_a_client_that_left()
    {
        Server.OnRespond = (_, _, _) => Script.ThenThrow(new TaskCanceledException("an upstream's clock"));

        var events = await StreamAsync(Ask.Create());

        AssertJson("""{"type":"error","code":"stream.error","allow_retry":true}""", events[^1]);
        Assert.Equal(["msg_1"], (await StoredAsync("thr_1")).Select(item => item.Id));
    }

    /// <summary>Reads that many events of a new thread's stream, leaves while the next one is waited for.</summary>
    private async Task CancelAfterAsync(int events)
    {
        using var left = new CancellationTokenSource();
        await using var stream = ((StreamingResult)await ProcessAsync(Ask.Create(), cancel: left.Token)).GetAsyncEnumerator(Cancel);
        for (var read = 0; read < events; read++)
        {
            await NextAsync(stream);
        }

        var next = stream.MoveNextAsync();
        await left.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await next);
    }
}
