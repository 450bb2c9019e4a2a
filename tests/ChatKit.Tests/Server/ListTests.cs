using System.Text.Json.Nodes;
using ChatKit.Tests.Support;

namespace ChatKit.Tests.Server;

/// <summary>Operations on threads and items that are there.</summary>
public sealed class ListTests(ChatKitSchema schema) : ServerTest(schema)
{
    [Theory]
    [InlineData(20)]
    [InlineData(null)]
    public async Task S14_threads_come_in_pages_newest_first(int? limit)
    {
        await SaveThreadsAsync(25);

        var first = await AnswerAsync("ThreadsListRes", Ask.Threads(limit));
        var second = await AnswerAsync("ThreadsListRes", Ask.Threads(limit, after: (string?)first["data"]![19]!["id"]));

        Assert.Equal(Enumerable.Range(6, 20).Reverse().Select(number => $"t{number}"), IdsOf(first));
        Assert.True((bool)first["has_more"]!);
        Assert.Equal("t6", (string?)first["after"]);
        Assert.Equal(["t5", "t4", "t3", "t2", "t1"], IdsOf(second));
        Assert.False((bool)second["has_more"]!);
        Assert.False(second.ContainsKey("after"));
    }

    [Fact]
    public async Task S15_items_come_in_pages_newest_first()
    {
        var thread = await SaveItemsAsync(26);

        var first = await AnswerAsync("ItemsListRes", Ask.Items(thread.Id));
        var second = await AnswerAsync("ItemsListRes", Ask.Items(thread.Id, after: (string?)first["data"]![19]!["id"]));

        Assert.Equal(Enumerable.Range(7, 20).Reverse().Select(number => $"msg_{number}"), IdsOf(first));
        Assert.True((bool)first["has_more"]!);
        Assert.Equal("msg_7", (string?)first["after"]);
        Assert.Equal(["msg_6", "msg_5", "msg_4", "msg_3", "msg_2", "msg_1"], IdsOf(second));
        Assert.False((bool)second["has_more"]!);
    }

    [Fact]
    public async Task S22_feedback_reaches_the_handler_for_messages_and_widgets()
    {
        await BegunAsync(thread => [Make.Reply(thread, "msg_r", "Here:"), Make.Widget(thread, "msg_w", Make.Card("a form"))]);

        AssertJson("{}", await AnswerAsync("ItemsFeedbackRes", Ask.Feedback("thr_1", "positive", "msg_r", "msg_w")));
        AssertJson("{}", await AnswerAsync("ItemsFeedbackRes", Ask.Feedback("thr_1", "negative", "msg_r")));

        Assert.Equal(["thr_1", "thr_1"], Server.Feedback.Select(feedback => feedback.ThreadId));
        Assert.Equal(["msg_r", "msg_w"], Server.Feedback[0].ItemIds);
        Assert.Equal([FeedbackKind.Positive, FeedbackKind.Negative], Server.Feedback.Select(feedback => feedback.Kind));
    }

    [Fact]
    public async Task S23_a_thread_is_read_with_its_items_oldest_first()
    {
        var begun = await BegunAsync();
        begun.Title = "Author of Emma";
        await Store.SaveThreadAsync(begun, Ann, Cancel);

        var thread = await AnswerAsync("ThreadsGetByIdRes", Ask.Thread("thr_1"));

        Assert.Equal("thr_1", (string?)thread["id"]);
        Assert.Equal("Author of Emma", (string?)thread["title"]);
        Assert.Equal(["msg_1", "msg_r"], IdsOf(thread["items"]!.AsObject()));
        Assert.Equal("user_message", (string?)thread["items"]!["data"]![0]!["type"]);
    }

    [Fact]
    public async Task S31_a_thread_gets_another_title()
    {
        await BegunAsync();

        var thread = await AnswerAsync("ThreadsUpdateRes", Ask.Rename("thr_1", "Jane Austen"));

        Assert.Equal("Jane Austen", (string?)thread["title"]);
        AssertJson("""{"data":[],"has_more":false}""", thread["items"]);
        Assert.Equal("Jane Austen", (await Store.LoadThreadAsync("thr_1", Ann, Cancel)).Title);
    }

    [Fact]
    public async Task S34_deleting_a_thread_answers_an_empty_object_and_loading_it_then_fails_naming_it()
    {
        await BegunAsync();

        var answer = Assert.IsType<JsonResult>(await ProcessAsync(Ask.Delete("thr_1")));

        Assert.Equal("{}"u8.ToArray(), answer.Json.ToArray());
        var missing = await Assert.ThrowsAsync<NotFoundException>(() => Store.LoadThreadAsync("thr_1", Ann, Cancel));
        Assert.Contains("thr_1", missing.Message, StringComparison.Ordinal);
        Assert.Equal(404, (await RefusalAsync(Ask.Thread("thr_1"))).Status);
        Assert.Empty(await StoredAsync("thr_1"));
        AssertJson("{}", await AnswerAsync("ThreadsDeleteRes", Ask.Delete("thr_1")));
    }

    [Fact]
    public async Task A_page_has_no_more_than_the_maximum()
    {
        Server = NewServer(change: options => options with { MaxPageSize = 22 });
        var thread = await SaveItemsAsync(26);
        await SaveThreadsAsync(26);

        Assert.Equal(22, IdsOf(await AnswerAsync("ItemsListRes", Ask.Items(thread.Id, limit: 1_000))).Length);
        Assert.Equal(22, IdsOf(await AnswerAsync("ThreadsListRes", Ask.Threads(limit: int.MaxValue))).Length);
        Assert.Equal(20, IdsOf(await AnswerAsync("ItemsListRes", Ask.Items(thread.Id, limit: 0))).Length);
    }

    [Fact]
    public async Task The_first_page_of_a_thread_says_how_to_go_on()
    {
        var thread = await SaveItemsAsync(21);

        var first = (await AnswerAsync("ThreadsGetByIdRes", Ask.Thread(thread.Id)))["items"]!.AsObject();
        var rest = await AnswerAsync("ItemsListRes", Ask.Items(thread.Id, after: (string?)first["after"], order: "asc"));

        Assert.True((bool)first["has_more"]!);
        Assert.Equal(["msg_21"], IdsOf(rest));
    }

    [Fact]
    public async Task An_unknown_cursor_is_not_found()
    {
        await BegunAsync();

        Assert.Equal(404, (await RefusalAsync(Ask.Items("thr_1", after: "msg_never"))).Status);
        Assert.Equal(404, (await RefusalAsync(Ask.Threads(after: "thr_never"))).Status);
    }

    [Fact]
    public async Task Threads_of_another_user_are_not_there()
    {
        await BegunAsync(thread => [Make.Widget(thread, "msg_w", Make.Card("x"))]);
        Server.OnAction = (_, _, _) => Script.Of();
        Server.OnSyncAction = (_, _, _) => new SyncActionResult();
        JsonObject[] requests =
        [
            Ask.Thread("thr_1"), Ask.Items("thr_1"), Ask.Rename("thr_1", "mine"), Ask.Add("thr_1"), Ask.Output("thr_1", 1),
            Ask.Retry("thr_1", "msg_1"), Ask.Action("thr_1", "msg_w"), Ask.Action("thr_1", "msg_w", sync: true),
            Ask.Feedback("thr_1", "positive", "msg_w"), Ask.Answers("thr_1", "msg_w", []),
        ];

        foreach (var request in requests)
        {
            var refusal = await RefusalAsync(request, Bob);
            Assert.Equal((404, "not_found"), (refusal.Status, refusal.Code));
        }

        AssertJson("""{"data":[],"has_more":false}""", await AnswerAsync("ThreadsListRes", Ask.Threads(), Bob));
        await AnswerAsync("ThreadsDeleteRes", Ask.Delete("thr_1"), Bob);
        Assert.Equal(2, (await StoredAsync("thr_1")).Count);
        Assert.Empty(Server.Feedback);
    }

    private static string[] IdsOf(JsonObject page) => [.. page["data"]!.AsArray().Select(element => (string)element!["id"]!)];

    private async Task SaveThreadsAsync(int count)
    {
        foreach (var number in Enumerable.Range(1, count))
        {
            await Store.SaveThreadAsync(new ChatThread { Id = $"t{number}", CreatedAt = TestClock.Start }, Ann, Cancel);
        }
    }

    private async Task<ChatThread> SaveItemsAsync(int count)
    {
        var thread = new ChatThread { Id = "thr_long", CreatedAt = TestClock.Start };
        await Store.SaveThreadAsync(thread, Ann, Cancel);
        foreach (var number in Enumerable.Range(1, count))
        {
            await Store.AddThreadItemAsync(thread.Id, Make.Reply(thread, $"msg_{number}", "text"), Ann, Cancel);
        }

        return thread;
    }
}
