using System.Text.Json.Nodes;
using ChatKit.Tests.Support;

namespace ChatKit.Tests.Stores;

/// <summary>Specification §7.2, over the store in memory: as it comes, and with ids of its own.</summary>
public sealed class InMemoryStoreTests
{
    private static readonly Caller Ann = new("ann");
    private static readonly Caller Bob = new("bob");

    private readonly InMemoryStore<Caller> _store = new(caller => caller.User);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("Author of Emma")]
    [InlineData(null)]
    public async Task T1_a_thread_comes_back_with_title_and_metadata(string? title)
    {
        var thread = new ChatThread
        {
            Id = "thr_1",
            CreatedAt = TestClock.Start,
            Title = title,
            Metadata = new JsonObject { ["run"] = "r1", ["nothing"] = null },
        };

        await _store.SaveThreadAsync(thread, Ann, Cancel);

        var loaded = await _store.LoadThreadAsync("thr_1", Ann, Cancel);
        Assert.Equal(ChatKitJson.ToStore(thread), ChatKitJson.ToStore(loaded));
        Assert.NotSame(thread, loaded);
    }

    [Theory]
    [InlineData("Second")]
    [InlineData(null)]
    public async Task T2_saving_again_overwrites_and_keeps_the_items(string? title)
    {
        var thread = await NewThreadAsync("thr_1");
        await _store.AddThreadItemAsync("thr_1", Make.Reply(thread, "msg_1", "x"), Ann, Cancel);
        thread.Title = "First";
        thread.Metadata["a"] = 1;
        await _store.SaveThreadAsync(thread, Ann, Cancel);

        await _store.SaveThreadAsync(new ChatThread { Id = "thr_1", CreatedAt = TestClock.Start, Title = title }, Ann, Cancel);

        var loaded = await _store.LoadThreadAsync("thr_1", Ann, Cancel);
        Assert.Equal(title, loaded.Title);
        Assert.Empty(loaded.Metadata);
        Assert.Equal(["msg_1"], await IdsAsync("thr_1"));
    }

    [Fact]
    public async Task T3_items_of_three_kinds_come_back_equal_and_in_order()
    {
        var thread = await NewThreadAsync("thr_1");
        ThreadItem[] items =
        [
            new UserMessageItem
            {
                Id = "msg_1",
                ThreadId = "thr_1",
                CreatedAt = TestClock.Start,
                Content = [new UserTextContent { Text = "ä😀" }, new UserTagContent { Id = "e1", Text = "Emma" }],
                Attachments = [new FileAttachment { Id = "atc_1", Name = "a.pdf", MimeType = "application/pdf", Metadata = new JsonObject { ["k"] = "v" } }],
                QuotedText = "quoted",
            },
            Make.Reply(thread, "msg_2", "Yes."),
            Make.Widget(thread, "msg_3", Make.Card("text")),
        ];
        foreach (var item in items)
        {
            await _store.AddThreadItemAsync("thr_1", item, Ann, Cancel);
        }

        var page = await _store.LoadThreadItemsAsync("thr_1", null, 10, SortOrder.Asc, Ann, Cancel);

        Assert.Equal(items.Select(item => ChatKitJson.ToStore(item)), page.Data.Select(item => ChatKitJson.ToStore(item)));
        Assert.Equal((false, null), (page.HasMore, page.After));
    }

    [Fact]
    public async Task T4_attachments_come_back_equal_with_their_metadata()
    {
        Attachment[] attachments =
        [
            new FileAttachment { Id = "atc_1", Name = "a.pdf", MimeType = "application/pdf", Metadata = new JsonObject { ["k"] = "v" } },
            new ImageAttachment { Id = "atc_2", Name = "a.png", MimeType = "image/png", PreviewUrl = "https://example.com/p", ThreadId = "thr_1" },
        ];
        foreach (var attachment in attachments)
        {
            await _store.SaveAttachmentAsync(attachment, Ann, Cancel);
            var loaded = await _store.LoadAttachmentAsync(attachment.Id, Ann, Cancel);
            Assert.Equal(ChatKitJson.ToStore(attachment), ChatKitJson.ToStore(loaded));
        }

        await _store.SaveAttachmentAsync(attachments[0] with { ThreadId = "thr_2" }, Ann, Cancel);
        Assert.Equal("thr_2", (await _store.LoadAttachmentAsync("atc_1", Ann, Cancel)).ThreadId);
        await _store.DeleteAttachmentAsync("atc_1", Ann, Cancel);
        await _store.DeleteAttachmentAsync("atc_1", Ann, Cancel);
        await Assert.ThrowsAsync<NotFoundException>(() => _store.LoadAttachmentAsync("atc_1", Ann, Cancel));
    }

    [Fact]
    public async Task T5_threads_come_in_pages()
    {
        await NewThreadAsync("a", 1);
        await NewThreadAsync("b", 2);
        await NewThreadAsync("c", 3);

        var first = await _store.LoadThreadsAsync(2, null, SortOrder.Asc, Ann, Cancel);
        var second = await _store.LoadThreadsAsync(2, first.After, SortOrder.Asc, Ann, Cancel);

        Assert.Equal(["a", "b"], first.Data.Select(thread => thread.Id));
        Assert.Equal((true, "b"), (first.HasMore, first.After));
        Assert.Equal(["c"], second.Data.Select(thread => thread.Id));
        Assert.Equal((false, null), (second.HasMore, second.After));
        await Assert.ThrowsAsync<NotFoundException>(() => _store.LoadThreadsAsync(2, "never", SortOrder.Asc, Ann, Cancel));
    }

    [Fact]
    public async Task T6_items_are_ordered_by_their_time_and_then_by_their_arrival()
    {
        await ItemsAsync(("late", 9), ("tie_1", 5), ("tie_2", 5), ("early", 1));

        Assert.Equal(["early", "tie_1", "tie_2", "late"], await IdsAsync("thr_1"));
        Assert.Equal(["late", "tie_2", "tie_1", "early"], await IdsAsync("thr_1", SortOrder.Desc));
    }

    [Fact]
    public async Task T7_an_items_cursor_steps_strictly_behind_it()
    {
        await ItemsAsync(("msg_1", 1), ("msg_2", 1), ("msg_3", 1), ("msg_4", 1));

        var rest = await _store.LoadThreadItemsAsync("thr_1", "msg_1", 10, SortOrder.Asc, Ann, Cancel);
        var two = await _store.LoadThreadItemsAsync("thr_1", "msg_1", 2, SortOrder.Asc, Ann, Cancel);
        var back = await _store.LoadThreadItemsAsync("thr_1", "msg_3", 2, SortOrder.Desc, Ann, Cancel);

        Assert.Equal(["msg_2", "msg_3", "msg_4"], rest.Data.Select(item => item.Id));
        Assert.Equal((false, null), (rest.HasMore, rest.After));
        Assert.Equal(["msg_2", "msg_3"], two.Data.Select(item => item.Id));
        Assert.Equal((true, "msg_3"), (two.HasMore, two.After));
        Assert.Equal(["msg_2", "msg_1"], back.Data.Select(item => item.Id));
        await Assert.ThrowsAsync<NotFoundException>(() => _store.LoadThreadItemsAsync("thr_1", "never", 2, SortOrder.Asc, Ann, Cancel));
    }

    [Fact]
    public async Task T8_a_saved_item_is_changed_in_its_place()
    {
        await ItemsAsync(("msg_1", 1), ("msg_2", 1));
        var thread = await _store.LoadThreadAsync("thr_1", Ann, Cancel);

        await _store.SaveItemAsync("thr_1", Make.Widget(thread, "msg_1", Make.Card("new")) with { CreatedAt = At(1) }, Ann, Cancel);

        var changed = Assert.IsType<WidgetItem>(await _store.LoadItemAsync("thr_1", "msg_1", Ann, Cancel));
        Assert.Equal(ChatKitJson.ToStore(Make.Card("new")), ChatKitJson.ToStore(changed.Widget));
        Assert.Equal(["msg_1", "msg_2"], await IdsAsync("thr_1"));
        await _store.SaveItemAsync("thr_1", Make.Reply(thread, "msg_3", "inserted") with { CreatedAt = At(1) }, Ann, Cancel);
        Assert.Equal(["msg_1", "msg_2", "msg_3"], await IdsAsync("thr_1"));
    }

    [Fact]
    public async Task T9_an_unknown_item_is_not_found()
    {
        await ItemsAsync(("msg_1", 1));

        var missing = await Assert.ThrowsAsync<NotFoundException>(() => _store.LoadItemAsync("thr_1", "msg_never", Ann, Cancel));

        Assert.Contains("msg_never", missing.Message, StringComparison.Ordinal);
        await _store.DeleteThreadItemAsync("thr_1", "msg_never", Ann, Cancel);
        await _store.DeleteThreadItemAsync("thr_1", "msg_1", Ann, Cancel);
        Assert.Empty(await IdsAsync("thr_1"));
    }

    [Fact]
    public async Task T10_what_belongs_to_another_user_is_not_there()
    {
        await ItemsAsync(("msg_1", 1));
        var item = await _store.LoadItemAsync("thr_1", "msg_1", Ann, Cancel);

        await Assert.ThrowsAsync<NotFoundException>(() => _store.LoadThreadAsync("thr_1", Bob, Cancel));
        await Assert.ThrowsAsync<NotFoundException>(() => _store.LoadItemAsync("thr_1", "msg_1", Bob, Cancel));
        await Assert.ThrowsAsync<NotFoundException>(() => _store.AddThreadItemAsync("thr_1", item, Bob, Cancel));
        Assert.Empty((await _store.LoadThreadItemsAsync("thr_1", null, 10, SortOrder.Asc, Bob, Cancel)).Data);
        Assert.Empty((await _store.LoadThreadsAsync(10, null, SortOrder.Asc, Bob, Cancel)).Data);
        await _store.DeleteThreadAsync("thr_1", Bob, Cancel);
        await _store.DeleteThreadItemAsync("thr_1", "msg_1", Bob, Cancel);
        Assert.Equal(["msg_1"], await IdsAsync("thr_1"));
    }

    [Fact]
    public async Task T11_ids_tell_their_kind_and_may_be_the_stores_own()
    {
        var thread = await NewThreadAsync("thr_1");
        var own = new NumberedStore();

        Assert.Matches("^thr_[0-9a-f]{24}$", _store.GenerateThreadId(Ann));
        Assert.Matches("^msg_[0-9a-f]{24}$", _store.GenerateItemId(ItemKind.Message, thread, Ann));
        Assert.StartsWith("tc_", _store.GenerateItemId(ItemKind.ToolCall, thread, Ann), StringComparison.Ordinal);
        Assert.StartsWith("tsk_", _store.GenerateItemId(ItemKind.Task, thread, Ann), StringComparison.Ordinal);
        Assert.StartsWith("wf_", _store.GenerateItemId(ItemKind.Workflow, thread, Ann), StringComparison.Ordinal);
        Assert.StartsWith("shcx_", _store.GenerateItemId(ItemKind.SdkHiddenContext, thread, Ann), StringComparison.Ordinal);
        Assert.StartsWith("atc_", ChatKitIds.NewAttachmentId(), StringComparison.Ordinal);
        Assert.Equal("msg_1", own.GenerateItemId(ItemKind.Message, thread, Ann));
        Assert.Equal("thr_1", own.GenerateThreadId(Ann));
    }

    [Fact]
    public async Task What_was_handed_out_or_taken_does_not_change_with_the_store()
    {
        var thread = await NewThreadAsync("thr_1");
        thread.Title = "Changed by its maker";
        (await _store.LoadThreadAsync("thr_1", Ann, Cancel)).Title = "Changed by its reader";

        Assert.Null((await _store.LoadThreadAsync("thr_1", Ann, Cancel)).Title);
    }

    [Fact]
    public async Task A_lease_is_held_by_one_and_given_back_once()
    {
        var first = await _store.TryAcquireThreadAsync("thr_1", Ann, Cancel);
        Assert.NotNull(first);
        Assert.Null(await _store.TryAcquireThreadAsync("thr_1", Ann, Cancel));
        Assert.NotNull(await _store.TryAcquireThreadAsync("thr_1", Bob, Cancel));

        await first.DisposeAsync();
        var second = await _store.TryAcquireThreadAsync("thr_1", Ann, Cancel);
        await first.DisposeAsync();

        Assert.NotNull(second);
        Assert.Null(await _store.TryAcquireThreadAsync("thr_1", Ann, Cancel));
    }

    private static DateTimeOffset At(int second) => TestClock.Start.AddSeconds(second);

    private async Task<ChatThread> NewThreadAsync(string id, int second = 0)
    {
        var thread = new ChatThread { Id = id, CreatedAt = At(second) };
        await _store.SaveThreadAsync(thread, Ann, Cancel);
        return thread;
    }

    private async Task ItemsAsync(params (string Id, int Second)[] items)
    {
        var thread = await NewThreadAsync("thr_1");
        foreach (var (id, second) in items)
        {
            await _store.AddThreadItemAsync("thr_1", Make.Reply(thread, id, id) with { CreatedAt = At(second) }, Ann, Cancel);
        }
    }

    private async Task<IEnumerable<string>> IdsAsync(string threadId, SortOrder order = SortOrder.Asc) =>
        (await _store.LoadThreadItemsAsync(threadId, null, 100, order, Ann, Cancel)).Data.Select(item => item.Id);
}
