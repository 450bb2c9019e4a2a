using System.Text.Json.Nodes;
using ChatKit.Tests.Support;

namespace ChatKit.Tests.Server;

/// <summary>The list of specification §7.5: what the reference's own tests leave out.</summary>
public sealed class HiddenAndErrorTests(ChatKitSchema schema) : ServerTest(schema)
{
    private const string Secret = "secret-note";

    public static TheoryData<string, string> Errors => new()
    {
        { "custom", """{"type":"error","code":"custom","message":"Too many questions.","allow_retry":true}""" },
        { "custom-final", """{"type":"error","code":"custom","message":"Too many questions.","allow_retry":false}""" },
        { "coded", """{"type":"error","code":"stream.error","allow_retry":true}""" },
        { "refused", """{"type":"error","code":"custom","message":"Not today.","allow_retry":false}""" },
        { "fault", """{"type":"error","code":"stream.error","allow_retry":true}""" },
        { "not-found", """{"type":"error","code":"stream.error","allow_retry":true}""" },
    };

    [Fact]
    public async Task Hidden_items_are_stored_and_leave_in_no_event()
    {
        Server.OnRespond = (thread, _, _) => Script.Of(
            Make.Added(Make.Hidden(thread, "msg_h1")),
            Make.Updated("msg_h1", new ContentPartTextDelta { ContentIndex = 0, Delta = Secret }),
            Make.Done(Make.Hidden(thread, "msg_h1")),
            Make.Done(new SdkHiddenContextItem { Id = "shcx_9", ThreadId = thread.Id, CreatedAt = TestClock.Start, Content = Secret }),
            new ThreadItemReplacedEvent { Item = Make.Hidden(thread, "msg_h2") },
            new ThreadUpdatedEvent { Thread = ThreadView.Of(thread) with { Items = new() { Data = [Make.Hidden(thread, "msg_h3")] } } },
            Make.Done(Make.Reply(thread, "msg_r", "Seen.")));

        var transcript = await TranscriptAsync(Ask.Create());

        Assert.DoesNotContain(Secret, transcript, StringComparison.Ordinal);
        Assert.DoesNotContain("msg_h", transcript, StringComparison.Ordinal);
        Assert.Equal(["msg_1", "msg_h1", "shcx_9", "msg_h2", "msg_r"], (await StoredAsync("thr_1")).Select(item => item.Id));
    }

    [Fact]
    public async Task Hidden_items_are_in_no_list_and_cursors_step_over_them()
    {
        await BegunAsync(thread => [Make.Hidden(thread, "msg_h"), Make.Reply(thread, "msg_r", "Seen.")]);

        var first = await AnswerAsync("ItemsListRes", Ask.Items("thr_1", limit: 2));
        var second = await AnswerAsync("ItemsListRes", Ask.Items("thr_1", limit: 2, after: (string?)first["after"]));
        var thread = await AnswerAsync("ThreadsGetByIdRes", Ask.Thread("thr_1"));

        Assert.Equal("msg_r", (string?)Assert.Single(first["data"]!.AsArray())!["id"]);
        Assert.True((bool)first["has_more"]!);
        Assert.Equal("msg_h", (string?)first["after"]);
        Assert.Equal("msg_1", (string?)Assert.Single(second["data"]!.AsArray())!["id"]);
        Assert.Equal(2, thread["items"]!["data"]!.AsArray().Count);
        Assert.DoesNotContain(Secret, thread.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Metadata_of_threads_leaves_in_no_answer_and_no_event()
    {
        var begun = await BegunAsync();
        begun.Metadata["note"] = Secret;
        await Store.SaveThreadAsync(begun, Ann, Cancel);
        Server.OnRespond = (thread, _, _) => Titled(thread);

        string[] texts =
        [
            (await AnswerAsync("ThreadsGetByIdRes", Ask.Thread("thr_1"))).ToJsonString(),
            (await AnswerAsync("ThreadsListRes", Ask.Threads())).ToJsonString(),
            (await AnswerAsync("ThreadsUpdateRes", Ask.Rename("thr_1", "Another"))).ToJsonString(),
            await TranscriptAsync(Ask.Add("thr_1")),
        ];

        Assert.All(texts, text => Assert.Contains("\"metadata\":{}", text, StringComparison.Ordinal));
        Assert.All(texts, text => Assert.DoesNotContain(Secret, text, StringComparison.Ordinal));

        static async IAsyncEnumerable<StreamEvent> Titled(ChatThread thread)
        {
            await Task.Yield();
            thread.Title = "Changed";
            yield return Make.Done(Make.Reply(thread, "msg_2nd", "Yes."));
        }
    }

    [Theory]
    [MemberData(nameof(Errors))]
    public async Task What_a_handler_throws_becomes_one_error(string thrown, string expected)
    {
        Server.OnRespond = (thread, _, _) => Script.ThenThrow(
            thrown switch
            {
                "custom" => new CustomStreamException("Too many questions.", allowRetry: true),
                "custom-final" => new CustomStreamException("Too many questions."),
                "coded" => new StreamErrorException(),
                "refused" => new RequestRefusedException(429, "limit", "Not today."),
                "not-found" => NotFoundException.Item("msg_internal"),
                _ => new InvalidOperationException(Secret),
            },
            Make.Added(Make.Reply(thread, "msg_r")),
            Make.Delta("msg_r", "Half"));

        var events = await StreamAsync(Ask.Create());

        AssertJson(expected, events[^1]);
        Assert.Single(events, next => (string?)next["type"] == "error");
        Assert.Equal(["msg_1"], (await StoredAsync("thr_1")).Select(item => item.Id));
    }

    [Fact]
    public void Only_the_code_stream_error_allows_a_retry_by_itself()
    {
        Assert.True(new StreamErrorException().AllowRetry);
        Assert.False(new StreamErrorException("another").AllowRetry);
        Assert.Equal(new ErrorEvent { Code = "another", AllowRetry = true }, StreamErrors.EventOf(new StreamErrorException("another", allowRetry: true)));
    }

    [Fact]
    public async Task A_thread_changed_before_an_exception_is_saved_and_sent_after_the_error()
    {
        Server.OnRespond = (thread, _, _) => ChangingAndFailing(thread);

        var events = await StreamAsync(Ask.Create());

        Assert.Equal(["error", "thread.updated"], TypesOf(events)[^2..]);
        Assert.Equal("Before the fall", (await Store.LoadThreadAsync("thr_1", Ann, Cancel)).Title);

        static async IAsyncEnumerable<StreamEvent> ChangingAndFailing(ChatThread thread)
        {
            yield return new ProgressUpdateEvent { Text = "Trying" };
            await Task.Yield();
            thread.Title = "Before the fall";
            throw new InvalidOperationException(Secret);
        }
    }

    [Fact]
    public async Task An_error_that_the_handler_sends_itself_does_not_end_the_stream()
    {
        Server.OnRespond = (thread, _, _) => Script.Of(
            new ErrorEvent { Message = "One source failed." }, Make.Done(Make.Reply(thread, "msg_r", "The rest.")));

        Assert.Equal(["error", "thread.item.done"], TypesOf(await StreamAsync(Ask.Create()))[^2..]);
    }

    [Fact]
    public async Task Output_finds_its_call_behind_hidden_items()
    {
        await BegunAsync(thread => [Make.ToolCall(thread, "tc_1"), Make.Hidden(thread, "msg_h")]);
        Server.OnRespond = (_, _, _) => Script.Of();

        await StreamAsync(Ask.Output("thr_1", null));

        var call = Assert.IsType<ClientToolCallItem>(await Store.LoadItemAsync("thr_1", "tc_1", Ann, Cancel));
        Assert.Equal(ClientToolCallStatus.Completed, call.Status);
        Assert.Null(call.Output);
    }

    [Theory]
    [InlineData("a reply")]
    [InlineData("a later message")]
    [InlineData("a completed call")]
    public async Task Output_without_a_pending_call_is_refused(string newest)
    {
        await BegunAsync(thread => newest switch
        {
            "a reply" => [Make.Reply(thread, "msg_r", "Done.")],
            "a later message" => [Make.ToolCall(thread, "tc_1")],
            _ => [Make.ToolCall(thread, "tc_1") with { Status = ClientToolCallStatus.Completed, Output = 1 }],
        });
        if (newest == "a later message")
        {
            Server.OnRespond = (_, _, _) => Script.Of();
            await StreamAsync(Ask.Add("thr_1"));
        }

        var refusal = await RefusalAsync(Ask.Output("thr_1", 1));

        Assert.Equal((409, "no_pending_client_tool_call"), (refusal.Status, refusal.Code));
    }

    [Fact]
    public async Task Other_calls_that_are_still_pending_are_deleted_without_an_event()
    {
        await BegunAsync(thread => [Make.ToolCall(thread, "tc_old"), Make.ToolCall(thread, "tc_new")]);
        Server.OnRespond = (_, _, _) => Script.Of();

        var events = await StreamAsync(Ask.Output("thr_1", new JsonObject()));

        Assert.Equal(["stream_options"], TypesOf(events));
        Assert.Equal(["msg_1", "tc_new"], (await StoredAsync("thr_1")).Select(item => item.Id));
    }

    [Fact]
    public async Task An_event_that_cannot_be_stored_is_an_error()
    {
        Server.OnRespond = (thread, _, _) => DeletedMeanwhile(thread);

        var events = await StreamAsync(Ask.Create());

        Assert.Equal(["progress_update", "error"], TypesOf(events)[^2..]);
        Assert.Equal(404, (await RefusalAsync(Ask.Thread("thr_1"))).Status);

        async IAsyncEnumerable<StreamEvent> DeletedMeanwhile(ChatThread thread)
        {
            yield return new ProgressUpdateEvent { Text = "Thinking" };
            await Store.DeleteThreadAsync(thread.Id, Ann, Cancel);
            thread.Title = "Must not come back";
            yield return Make.Done(Make.Reply(thread, "msg_r", "Too late."));
        }
    }

    [Fact]
    public async Task A_title_given_by_the_user_during_a_stream_is_not_lost()
    {
        Server.OnRespond = (thread, _, _) => RenamedMeanwhile(thread);

        var events = await StreamAsync(Ask.Create());

        Assert.Equal("The user's", (string?)events[^1]["thread"]!["title"]);
        var stored = await Store.LoadThreadAsync("thr_1", Ann, Cancel);
        Assert.Equal("The user's", stored.Title);
        AssertJson("""{"run":1}""", stored.Metadata);

        async IAsyncEnumerable<StreamEvent> RenamedMeanwhile(ChatThread thread)
        {
            yield return new ProgressUpdateEvent { Text = "Thinking" };
            await AnswerAsync("ThreadsUpdateRes", Ask.Rename("thr_1", "The user's"));
            thread.Metadata["run"] = 1;
        }
    }
}
