using ChatKit.Tests.Support;

namespace ChatKit.Tests.Server;

/// <summary>One stream at a time, and threads in which nobody may write. The original has neither.</summary>
public sealed class LeaseTests(ChatKitSchema schema) : ServerTest(schema)
{
    [Fact]
    public async Task A_second_stream_in_a_thread_is_refused_until_the_first_has_ended()
    {
        await BegunAsync(thread => [Make.Widget(thread, "msg_w", Make.Card("x"))]);
        var go = new TaskCompletionSource();
        Server.OnRespond = (thread, _, _) => thread.Id == "thr_1" ? Waiting(thread, go.Task) : Script.Of();
        Server.OnAction = (_, _, _) => Script.Of();
        var stream = ((StreamingResult)await ProcessAsync(Ask.Add("thr_1"))).GetAsyncEnumerator(Cancel);
        await NextAsync(stream, "progress_update");

        foreach (var request in new[] { Ask.Add("thr_1"), Ask.Retry("thr_1", "msg_1"), Ask.Action("thr_1", "msg_w"), Ask.Output("thr_1", 1) })
        {
            var refusal = await RefusalAsync(request);
            Assert.Equal((409, "thread_busy"), (refusal.Status, refusal.Code));
        }

        Assert.Equal(["msg_1", "msg_w", "msg_2"], (await StoredAsync("thr_1")).Select(item => item.Id));
        Assert.Equal("stream_options", TypesOf(await StreamAsync(Ask.Create("Elsewhere.")))[^1]);
        go.SetResult();
        await NextAsync(stream, "thread.item.done");
        Assert.False(await stream.MoveNextAsync());
        await stream.DisposeAsync();
        Assert.Equal(["stream_options"], TypesOf(await StreamAsync(Ask.Action("thr_1", "msg_w"))));

        static async IAsyncEnumerable<StreamEvent> Waiting(ChatThread thread, Task go)
        {
            yield return new ProgressUpdateEvent { Text = "Thinking" };
            await go;
            yield return Make.Done(Make.Reply(thread, $"msg_{thread.Id}", "Done."));
        }
    }

    [Fact]
    public async Task A_message_right_behind_a_stopped_stream_waits_until_that_has_saved_what_was_shown()
    {
        Server = NewServer(change: options => options with { BusyThreadPatience = TimeSpan.FromMinutes(1) });
        var saving = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Server.OnRespond = (thread, message, _) => message!.Id == "msg_1" ? Slow(thread, saving.Task) : Script.Of();
        var stream = ((StreamingResult)await ProcessAsync(Ask.Create())).GetAsyncEnumerator(Cancel);
        await NextAsync(stream, "thread.item.updated");
        var stopping = stream.DisposeAsync().AsTask();

        var next = StreamAsync(Ask.Add("thr_1"));
        Assert.NotSame(next, await Task.WhenAny(next, Task.Delay(200, Cancel)));
        saving.SetResult();
        await stopping;

        Assert.Equal(["thread.item.done", "stream_options"], TypesOf(await next));
        Assert.Equal(["msg_1", "msg_r", "shcx_1", "msg_2"], (await StoredAsync("thr_1")).Select(item => item.Id));

        static async IAsyncEnumerable<StreamEvent> Slow(ChatThread thread, Task saving)
        {
            try
            {
                yield return Make.Added(Make.Reply(thread, "msg_r"));
                yield return Make.Delta("msg_r", "Half");
            }
            finally
            {
                await saving;
            }
        }
    }

    [Fact]
    public async Task Many_requests_at_once_in_one_thread_leave_whole_exchanges()
    {
        await BegunAsync();
        Server.OnRespond = (thread, message, _) => Script.Of(Make.Done(Make.Reply(thread, $"re_{message!.Id}", "Yes.")));

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => Task.Run(async () =>
        {
            try
            {
                return TypesOf(await StreamAsync(Ask.Add("thr_1"))).Length;
            }
            catch (RequestRefusedException busy)
            {
                return -busy.Status;
            }
        })));

        Assert.All(outcomes, outcome => Assert.Contains(outcome, new[] { 3, -409 }));
        var added = (await StoredAsync("thr_1")).Skip(2).Select(item => item.Id).ToList();
        Assert.Equal(outcomes.Count(outcome => outcome == 3) * 2, added.Count);
        Assert.All(added.Chunk(2), pair => Assert.Equal($"re_{pair[0]}", pair[1]));
    }

    [Fact]
    public async Task A_refused_request_lets_the_thread_go()
    {
        await BegunAsync();

        await Assert.ThrowsAsync<InvalidRequestException>(() => ProcessAsync(Ask.Retry("thr_1", "msg_r")));
        await RefusalAsync(Ask.Add("thr_1", "See this.", "atc_never"));

        Assert.Equal("thread.item.done", TypesOf(await StreamAsync(Ask.Add("thr_1")))[^1]);
    }

    [Fact]
    public async Task A_lost_lease_stops_the_handler_and_stores_nothing_more()
    {
        var store = new LosableStore();
        Server = new ScriptedServer(store, options: new ChatKitServerOptions { Clock = Clock })
        {
            OnRespond = (thread, _, cancel) => Script.ThenWait([Make.Added(Make.Reply(thread, "msg_r")), Make.Delta("msg_r", "Half")], cancel),
        };
        await using var stream = ((StreamingResult)await ProcessAsync(Ask.Create())).GetAsyncEnumerator(Cancel);
        await NextAsync(stream, "thread.item.updated");

        await store.Lost.CancelAsync();

        AssertJson("""{"type":"error","code":"stream.error","allow_retry":true}""", await NextAsync(stream));
        Assert.False(await stream.MoveNextAsync());
        Assert.Equal(["msg_1"], (await StoredAsync("thr_1")).Select(item => item.Id));
        Assert.Equal(1, store.Released);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task In_a_locked_or_closed_thread_nobody_may_write(bool locked)
    {
        var begun = await BegunAsync(thread => [Make.Widget(thread, "msg_w", Make.Card("x")), Make.Questions(thread, "msg_q")]);
        begun.Status = locked ? new LockedStatus { Reason = "Under review" } : new ClosedStatus();
        await Store.SaveThreadAsync(begun, Ann, Cancel);
        Server.OnAction = (_, _, _) => Script.Of();
        Server.OnSyncAction = (_, _, _) => new SyncActionResult();

        foreach (var request in new[]
        {
            Ask.Add("thr_1"), Ask.Retry("thr_1", "msg_1"), Ask.Answers("thr_1", "msg_q", []), Ask.Action("thr_1", "msg_w"),
            Ask.Action("thr_1", "msg_w", sync: true),
        })
        {
            var refusal = await RefusalAsync(request);
            Assert.Equal((409, locked ? "thread_locked" : "thread_closed"), (refusal.Status, refusal.Code));
        }

        Assert.Equal(3, (await StoredAsync("thr_1")).Count);
        await AnswerAsync("ThreadsGetByIdRes", Ask.Thread("thr_1"));
        await AnswerAsync("ThreadsUpdateRes", Ask.Rename("thr_1", "Old"));
    }

    [Fact]
    public async Task The_output_of_a_client_tool_is_taken_in_a_locked_thread_too()
    {
        Server.OnRespond = (thread, message, _) => LockingCall(thread, message);

        await StreamAsync(Ask.Create());
        var events = await StreamAsync(Ask.Output("thr_1", 1));

        Assert.Equal(["stream_options", "thread.item.done"], TypesOf(events));

        static async IAsyncEnumerable<StreamEvent> LockingCall(ChatThread thread, UserMessageItem? message)
        {
            await Task.Yield();
            thread.Status = new LockedStatus();
            yield return Make.Done(message is null ? Make.Reply(thread, "msg_r", "The end.") : Make.ToolCall(thread, "tc_1"));
        }
    }

    [Fact]
    public async Task A_server_may_take_messages_in_locked_threads()
    {
        Server = NewServer(change: options => options with { RefuseInactiveThreads = false });
        var begun = await BegunAsync();
        begun.Status = new ClosedStatus();
        await Store.SaveThreadAsync(begun, Ann, Cancel);

        Assert.Equal("thread.item.done", TypesOf(await StreamAsync(Ask.Add("thr_1")))[0]);
    }

    [Fact]
    public async Task A_stop_button_is_offered_as_the_server_says()
    {
        Server.AllowCancel = false;

        AssertJson("""{"allow_cancel":false}""", (await StreamAsync(Ask.Create()))[2]["stream_options"]);
    }

    [Fact]
    public async Task Silence_is_filled_with_comments_where_that_is_asked_for()
    {
        Server = NewServer(change: options => options with { KeepAlive = TimeSpan.FromMilliseconds(5) });
        var go = new TaskCompletionSource();
        Server.OnRespond = (thread, _, _) => Late(thread, go.Task);
        await using var stream = ((StreamingResult)await ProcessAsync(Ask.Create())).GetAsyncEnumerator(Cancel);
        while (await stream.MoveNextAsync() && !stream.Current.Span.SequenceEqual(": ping\n\n"u8))
        {
        }

        go.SetResult();
        var rest = new List<byte>();
        while (await stream.MoveNextAsync())
        {
            rest.AddRange(stream.Current.Span.SequenceEqual(": ping\n\n"u8) ? [] : stream.Current.ToArray());
        }

        Assert.Equal(["thread.item.done"], TypesOf(await EventsOfAsync(rest.ToArray())));

        static async IAsyncEnumerable<StreamEvent> Late(ChatThread thread, Task go)
        {
            await go;
            yield return Make.Done(Make.Reply(thread, "msg_r", "At last."));
        }
    }

    [Fact]
    public async Task A_client_that_leaves_between_comments_is_noticed_too()
    {
        Server = NewServer(change: options => options with { KeepAlive = TimeSpan.FromMilliseconds(5) });
        Server.OnRespond = (thread, _, cancel) => Script.ThenWait([Make.Added(Make.Reply(thread, "msg_r")), Make.Delta("msg_r", "Half")], cancel);
        await using (var stream = ((StreamingResult)await ProcessAsync(Ask.Create())).GetAsyncEnumerator(Cancel))
        {
            while (await stream.MoveNextAsync() && !stream.Current.Span.SequenceEqual(": ping\n\n"u8))
            {
            }
        }

        Assert.Equal(["msg_1", "msg_r", "shcx_1"], (await StoredAsync("thr_1")).Select(item => item.Id));
    }

    /// <summary>A store whose leases a test takes away.</summary>
    private sealed class LosableStore : NumberedStore
    {
        public CancellationTokenSource Lost { get; } = new();

        public int Released { get; private set; }

        public override ValueTask<IThreadLease?> TryAcquireThreadAsync(string threadId, Caller context, CancellationToken cancel) =>
            ValueTask.FromResult<IThreadLease?>(new Lease(this));

        private sealed class Lease(LosableStore store) : IThreadLease
        {
            public CancellationToken Lost => store.Lost.Token;

            public ValueTask DisposeAsync()
            {
                store.Released++;
                return ValueTask.CompletedTask;
            }
        }
    }
}
