using System.Text.Json.Nodes;
using ChatKit.Tests.Support;

namespace ChatKit.Tests.Stores;

/// <summary>
/// Specification §7.2, for any store: derive from it with yours. Ids of threads and attachments are new ones in each test,
/// those of items are unique within their thread.
/// </summary>
/// <param name="store">May be shared by the tests.</param>
/// <param name="ann">One user; a new one in each test.</param>
/// <param name="bob">Another new one, who must see nothing of the first one's.</param>
public abstract class StoreContract<TContext>(ChatKitStore<TContext> store, TContext ann, TContext bob)
{
    private readonly string _thread = ChatKitIds.NewThreadId();

    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("Author of Emma")]
    [InlineData(null)]
    public async Task T1_a_thread_comes_back_with_title_and_metadata(string? title)
    {
        var thread = new ChatThread
        {
            Id = _thread,
            CreatedAt = TestClock.Start,
            Title = title,
            Metadata = new JsonObject { ["run"] = "r1", ["nothing"] = null },
        };

        await store.SaveThreadAsync(thread, ann, Cancel);

        var loaded = await store.LoadThreadAsync(_thread, ann, Cancel);
        AssertSame(thread, loaded);
        Assert.NotSame(thread, loaded);
    }

    [Theory]
    [InlineData("Second")]
    [InlineData(null)]
    public async Task T2_saving_again_overwrites_and_keeps_the_items(string? title)
    {
        var thread = await NewThreadAsync(_thread);
        await store.AddThreadItemAsync(_thread, Make.Reply(thread, "msg_1", "x"), ann, Cancel);
        thread.Title = "First";
        thread.Metadata["a"] = 1;
        await store.SaveThreadAsync(thread, ann, Cancel);

        await store.SaveThreadAsync(new ChatThread { Id = _thread, CreatedAt = TestClock.Start, Title = title }, ann, Cancel);

        var loaded = await store.LoadThreadAsync(_thread, ann, Cancel);
        Assert.Equal(title, loaded.Title);
        Assert.Empty(loaded.Metadata);
        Assert.Equal(["msg_1"], await IdsAsync(_thread));
    }

    [Fact]
    public async Task T2_an_update_changes_what_it_changes_and_nothing_else()
    {
        var thread = await NewThreadAsync(_thread);
        await store.AddThreadItemAsync(_thread, Make.Reply(thread, "msg_1", "x"), ann, Cancel);
        thread.Metadata["run"] = "r\01";
        thread.Status = new LockedStatus { Reason = "ä" };
        await store.SaveThreadAsync(thread, ann, Cancel);

        var updated = await store.UpdateThreadAsync(_thread, stored => stored.Title = "Emma\0", ann, Cancel);

        thread.Title = "Emma\0";
        AssertSame(thread, updated);
        AssertSame(thread, await store.LoadThreadAsync(_thread, ann, Cancel));
        Assert.Equal(["msg_1"], await IdsAsync(_thread));
        await Assert.ThrowsAsync<NotFoundException>(() => store.UpdateThreadAsync(_thread, stored => stored.Title = "Bob's", bob, Cancel));
        Assert.Equal("Emma\0", (await store.LoadThreadAsync(_thread, ann, Cancel)).Title);
    }

    [Fact]
    public async Task T2_updates_at_the_same_time_lose_nothing()
    {
        const int Each = 25;
        await NewThreadAsync(_thread);

        await Task.WhenAll(
            Task.WhenAll(Enumerable.Range(0, Each).Select(_ => Task.Run(() => store.UpdateThreadAsync(
                _thread, thread => thread.Metadata["count"] = ((int?)thread.Metadata["count"] ?? 0) + 1, ann, Cancel)))),
            Task.WhenAll(Enumerable.Range(0, Each).Select(_ => Task.Run(() => store.UpdateThreadAsync(
                _thread, thread => thread.Title += "x", ann, Cancel)))));

        var loaded = await store.LoadThreadAsync(_thread, ann, Cancel);
        Assert.Equal((Each, new string('x', Each)), ((int)loaded.Metadata["count"]!, loaded.Title));
    }

    [Fact]
    public async Task T2_an_update_does_not_bring_a_deleted_thread_back()
    {
        await NewThreadAsync(_thread);
        await store.DeleteThreadAsync(_thread, ann, Cancel);

        await Assert.ThrowsAsync<NotFoundException>(() => store.UpdateThreadAsync(_thread, thread => thread.Title = "Late", ann, Cancel));

        await Assert.ThrowsAsync<NotFoundException>(() => store.LoadThreadAsync(_thread, ann, Cancel));
    }

    [Fact]
    public async Task T3_items_of_three_kinds_come_back_equal_and_in_order()
    {
        var thread = await NewThreadAsync(_thread);
        ThreadItem[] items =
        [
            new UserMessageItem
            {
                Id = "msg_1",
                ThreadId = _thread,
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
            await store.AddThreadItemAsync(_thread, item, ann, Cancel);
        }

        var page = await store.LoadThreadItemsAsync(_thread, null, 10, SortOrder.Asc, ann, Cancel);

        Assert.Equal(items.Length, page.Data.Count);
        Assert.All(items.Zip(page.Data), pair => AssertSame(pair.First, pair.Second));
        Assert.Equal((false, null), (page.HasMore, page.After));
    }

    [Fact]
    public async Task T4_attachments_come_back_equal_with_their_metadata()
    {
        var thread = await NewThreadAsync(_thread);
        var id = ChatKitIds.NewAttachmentId();
        Attachment[] attachments =
        [
            new FileAttachment { Id = id, Name = "a.pdf", MimeType = "application/pdf", Metadata = new JsonObject { ["k"] = "v" } },
            new ImageAttachment
            {
                Id = ChatKitIds.NewAttachmentId(),
                Name = "a.png",
                MimeType = "image/png",
                PreviewUrl = "https://example.com/p",
                ThreadId = thread.Id,
            },
        ];
        foreach (var attachment in attachments)
        {
            await store.SaveAttachmentAsync(attachment, ann, Cancel);
            var loaded = await store.LoadAttachmentAsync(attachment.Id, ann, Cancel);
            AssertSame(attachment, loaded);
        }

        await store.SaveAttachmentAsync(attachments[0] with { ThreadId = thread.Id }, ann, Cancel);
        Assert.Equal(thread.Id, (await store.LoadAttachmentAsync(id, ann, Cancel)).ThreadId);
        await store.DeleteAttachmentAsync(id, ann, Cancel);
        await store.DeleteAttachmentAsync(id, ann, Cancel);
        await Assert.ThrowsAsync<NotFoundException>(() => store.LoadAttachmentAsync(id, ann, Cancel));
    }

    [Fact]
    public async Task T5_threads_come_in_pages()
    {
        var (a, b, c) = (ChatKitIds.NewThreadId(), ChatKitIds.NewThreadId(), ChatKitIds.NewThreadId());
        await NewThreadAsync(a, 1);
        await NewThreadAsync(b, 2);
        await NewThreadAsync(c, 3);

        var first = await store.LoadThreadsAsync(2, null, SortOrder.Asc, ann, Cancel);
        var second = await store.LoadThreadsAsync(2, first.After, SortOrder.Asc, ann, Cancel);

        Assert.Equal([a, b], first.Data.Select(thread => thread.Id));
        Assert.Equal((true, b), (first.HasMore, first.After));
        Assert.Equal([c], second.Data.Select(thread => thread.Id));
        Assert.Equal((false, null), (second.HasMore, second.After));
        await Assert.ThrowsAsync<NotFoundException>(() => store.LoadThreadsAsync(2, "never", SortOrder.Asc, ann, Cancel));
    }

    [Fact]
    public async Task T6_items_are_ordered_by_their_time_and_then_by_their_arrival()
    {
        await ItemsAsync(("late", 9), ("tie_1", 5), ("tie_2", 5), ("early", 1));

        Assert.Equal(["early", "tie_1", "tie_2", "late"], await IdsAsync(_thread));
        Assert.Equal(["late", "tie_2", "tie_1", "early"], await IdsAsync(_thread, SortOrder.Desc));
    }

    [Fact]
    public async Task T7_an_items_cursor_steps_strictly_behind_it()
    {
        await ItemsAsync(("msg_1", 1), ("msg_2", 1), ("msg_3", 1), ("msg_4", 1));

        var rest = await store.LoadThreadItemsAsync(_thread, "msg_1", 10, SortOrder.Asc, ann, Cancel);
        var two = await store.LoadThreadItemsAsync(_thread, "msg_1", 2, SortOrder.Asc, ann, Cancel);
        var back = await store.LoadThreadItemsAsync(_thread, "msg_3", 2, SortOrder.Desc, ann, Cancel);

        Assert.Equal(["msg_2", "msg_3", "msg_4"], rest.Data.Select(item => item.Id));
        Assert.Equal((false, null), (rest.HasMore, rest.After));
        Assert.Equal(["msg_2", "msg_3"], two.Data.Select(item => item.Id));
        Assert.Equal((true, "msg_3"), (two.HasMore, two.After));
        Assert.Equal(["msg_2", "msg_1"], back.Data.Select(item => item.Id));
        await Assert.ThrowsAsync<NotFoundException>(() => store.LoadThreadItemsAsync(_thread, "never", 2, SortOrder.Asc, ann, Cancel));
    }

    [Fact]
    public async Task T8_a_saved_item_is_changed_in_its_place()
    {
        await ItemsAsync(("msg_1", 1), ("msg_2", 1));
        var thread = await store.LoadThreadAsync(_thread, ann, Cancel);

        await store.SaveItemAsync(_thread, Make.Widget(thread, "msg_1", Make.Card("new")) with { CreatedAt = At(1) }, ann, Cancel);

        var changed = Assert.IsType<WidgetItem>(await store.LoadItemAsync(_thread, "msg_1", ann, Cancel));
        AssertSame(Make.Card("new"), changed.Widget);
        Assert.Equal(["msg_1", "msg_2"], await IdsAsync(_thread));
        await store.SaveItemAsync(_thread, Make.Reply(thread, "msg_3", "inserted") with { CreatedAt = At(1) }, ann, Cancel);
        Assert.Equal(["msg_1", "msg_2", "msg_3"], await IdsAsync(_thread));
    }

    [Fact]
    public async Task What_is_replaced_keeps_its_place_whatever_its_time_says()
    {
        await ItemsAsync(("msg_1", 1), ("msg_2", 2), ("msg_3", 3));
        var thread = await store.LoadThreadAsync(_thread, ann, Cancel);

        await store.SaveItemAsync(_thread, Make.Reply(thread, "msg_1", "saved") with { CreatedAt = At(9) }, ann, Cancel);
        await store.AddThreadItemAsync(_thread, Make.Reply(thread, "msg_3", "added") with { CreatedAt = At(0) }, ann, Cancel);

        Assert.Equal(["msg_1", "msg_2", "msg_3"], await IdsAsync(_thread));
        Assert.Equal(At(9), (await store.LoadItemAsync(_thread, "msg_1", ann, Cancel)).CreatedAt);
    }

    [Fact]
    public async Task T9_an_unknown_item_is_not_found()
    {
        await ItemsAsync(("msg_1", 1));

        var missing = await Assert.ThrowsAsync<NotFoundException>(() => store.LoadItemAsync(_thread, "msg_never", ann, Cancel));

        Assert.Contains("msg_never", missing.Message, StringComparison.Ordinal);
        await store.DeleteThreadItemAsync(_thread, "msg_never", ann, Cancel);
        await store.DeleteThreadItemAsync(_thread, "msg_1", ann, Cancel);
        Assert.Empty(await IdsAsync(_thread));
    }

    [Fact]
    public async Task T10_what_belongs_to_another_user_is_not_there()
    {
        await ItemsAsync(("msg_1", 1));
        var item = await store.LoadItemAsync(_thread, "msg_1", ann, Cancel);

        await Assert.ThrowsAsync<NotFoundException>(() => store.LoadThreadAsync(_thread, bob, Cancel));
        await Assert.ThrowsAsync<NotFoundException>(() => store.LoadItemAsync(_thread, "msg_1", bob, Cancel));
        await Assert.ThrowsAsync<NotFoundException>(() => store.AddThreadItemAsync(_thread, item, bob, Cancel));
        Assert.Empty((await store.LoadThreadItemsAsync(_thread, null, 10, SortOrder.Asc, bob, Cancel)).Data);
        Assert.Empty((await store.LoadThreadsAsync(10, null, SortOrder.Asc, bob, Cancel)).Data);
        await Assert.ThrowsAsync<NotFoundException>(() => store.SaveItemAsync(_thread, item, bob, Cancel));
        await Assert.ThrowsAsync<NotFoundException>(() => store.UpdateThreadAsync(_thread, thread => thread.Title = "Bob's", bob, Cancel));
        await DeleteNothingAsync(_thread, bob);
        await store.DeleteThreadItemAsync(_thread, "msg_1", bob, Cancel);
        Assert.Equal(["msg_1"], await IdsAsync(_thread));
        Assert.Null((await store.LoadThreadAsync(_thread, ann, Cancel)).Title);
    }

    [Fact]
    public async Task T10_an_attachment_of_another_user_is_not_there()
    {
        var file = new FileAttachment { Id = ChatKitIds.NewAttachmentId(), Name = "a.pdf", MimeType = "application/pdf" };
        await store.SaveAttachmentAsync(file, ann, Cancel);

        await Assert.ThrowsAsync<NotFoundException>(() => store.LoadAttachmentAsync(file.Id, bob, Cancel));
        await store.DeleteAttachmentAsync(file.Id, bob, Cancel);

        Assert.Equal("a.pdf", (await store.LoadAttachmentAsync(file.Id, ann, Cancel)).Name);
    }

    [Fact]
    public async Task What_was_deleted_is_gone_and_may_be_deleted_again()
    {
        await ItemsAsync(("msg_1", 1));

        await store.DeleteThreadAsync(_thread, ann, Cancel);
        await DeleteNothingAsync(_thread, ann);

        await Assert.ThrowsAsync<NotFoundException>(() => store.LoadThreadAsync(_thread, ann, Cancel));
        Assert.Empty(await IdsAsync(_thread));
    }

    [Fact]
    public async Task T11_ids_tell_their_kind()
    {
        var thread = await NewThreadAsync(_thread);
        Assert.StartsWith("thr_", store.GenerateThreadId(ann), StringComparison.Ordinal);
        Assert.StartsWith("msg_", store.GenerateItemId(ItemKind.Message, thread, ann), StringComparison.Ordinal);
        Assert.StartsWith("tc_", store.GenerateItemId(ItemKind.ToolCall, thread, ann), StringComparison.Ordinal);
        Assert.StartsWith("tsk_", store.GenerateItemId(ItemKind.Task, thread, ann), StringComparison.Ordinal);
        Assert.StartsWith("wf_", store.GenerateItemId(ItemKind.Workflow, thread, ann), StringComparison.Ordinal);
        Assert.StartsWith("shcx_", store.GenerateItemId(ItemKind.SdkHiddenContext, thread, ann), StringComparison.Ordinal);
        Assert.StartsWith("atc_", ChatKitIds.NewAttachmentId(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_handed_out_or_taken_does_not_change_with_the_store()
    {
        var thread = await NewThreadAsync(_thread);
        thread.Title = "Changed by its maker";
        (await store.LoadThreadAsync(_thread, ann, Cancel)).Title = "Changed by its reader";

        Assert.Null((await store.LoadThreadAsync(_thread, ann, Cancel)).Title);
    }

    [Fact]
    public async Task A_lease_is_held_by_one_and_given_back_once()
    {
        await NewThreadAsync(_thread);
        var first = await store.TryAcquireThreadAsync(_thread, ann, Cancel);
        Assert.NotNull(first);
        Assert.False(first.Lost.IsCancellationRequested);
        Assert.Null(await store.TryAcquireThreadAsync(_thread, ann, Cancel));

        await first.DisposeAsync();
        var second = await store.TryAcquireThreadAsync(_thread, ann, Cancel);
        await first.DisposeAsync();

        Assert.NotNull(second);
        Assert.Null(await store.TryAcquireThreadAsync(_thread, ann, Cancel));
        await second.DisposeAsync();
    }

    /// <summary>As documents: a store need not keep the order of members.</summary>
    private static void AssertSame(object expected, object actual) => Assert.True(
        JsonNode.DeepEquals(JsonNode.Parse(ChatKitJson.ToStore(expected)), JsonNode.Parse(ChatKitJson.ToStore(actual))),
        $"Expected {expected}, got {actual}");

    private static DateTimeOffset At(int second) => TestClock.Start.AddSeconds(second);

    private async Task<ChatThread> NewThreadAsync(string id, int second = 0)
    {
        var thread = new ChatThread { Id = id, CreatedAt = At(second) };
        await store.SaveThreadAsync(thread, ann, Cancel);
        return thread;
    }

    /// <summary>A store may say that there is no such thread, and need not.</summary>
    private async Task DeleteNothingAsync(string threadId, TContext context) =>
        Assert.True(await Record.ExceptionAsync(() => store.DeleteThreadAsync(threadId, context, Cancel)) is null or NotFoundException);

    private async Task ItemsAsync(params (string Id, int Second)[] items)
    {
        var thread = await NewThreadAsync(_thread);
        foreach (var (id, second) in items)
        {
            await store.AddThreadItemAsync(_thread, Make.Reply(thread, id, id) with { CreatedAt = At(second) }, ann, Cancel);
        }
    }

    private async Task<IEnumerable<string>> IdsAsync(string threadId, SortOrder order = SortOrder.Asc) =>
        (await store.LoadThreadItemsAsync(threadId, null, 100, order, ann, Cancel)).Data.Select(item => item.Id);
}
