using ChatKit;
using ChatKit.Tests.Support;
using Gateway.ChatKit;

namespace Gateway.Tests.ChatKit;

/// <summary>Items stand in the order in which they were added, whatever the clocks of the gateways that added them say.</summary>
public sealed class ThreadOrderTests(ThreadStoreSetup setup) : IClassFixture<ThreadStoreSetup>
{
    private readonly StoreUser _user = new($"order {Guid.NewGuid()}");
    private readonly TestClock _ahead = new() { Now = TestClock.Start.AddSeconds(5) };
    private readonly TestClock _behind = new() { Now = TestClock.Start };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private ChatKitUser User => setup.Of(_user);

    [Fact]
    public async Task Gateways_whose_clocks_differ_give_each_question_its_answer()
    {
        var (fast, slow) = (new ThreadPage(setup.Store, _ahead), new ThreadPage(setup.NewStore(TimeProvider.System), _behind));

        var thread = (string)(await fast.CreateAsync("one", User))[0]["thread"]!["id"]!;
        await slow.SayAsync(thread, "two", User);
        await fast.SayAsync(thread, "three", User);
        await slow.SayAsync(thread, "four", User);

        string[] expected = ["one", "Re: one", "two", "Re: two", "three", "Re: three", "four", "Re: four"];
        var items = await ReadAsync(thread, SortOrder.Asc);
        Assert.Equal(expected, items.Select(TextOf));
        Assert.Equal(expected.Reverse(), (await ReadAsync(thread, SortOrder.Desc)).Select(TextOf));
        Assert.Equal(items.Select(item => item.CreatedAt).Order(), items.Select(item => item.CreatedAt));
    }

    [Fact]
    public async Task A_clock_that_is_put_back_within_a_turn_leaves_the_answer_behind_its_question()
    {
        var clock = new TestClock();
        var page = new ThreadPage(setup.Store, clock) { AfterTheQuestion = () => clock.Now -= TimeSpan.FromHours(1) };

        var thread = (string)(await page.CreateAsync("one", User))[0]["thread"]!["id"]!;
        await page.SayAsync(thread, "two", User);

        Assert.Equal(["one", "Re: one", "two", "Re: two"], (await ReadAsync(thread, SortOrder.Asc)).Select(TextOf));
    }

    [Fact]
    public async Task What_is_replaced_keeps_its_place()
    {
        var thread = new ChatThread { Id = ChatKitIds.NewThreadId(), CreatedAt = TestClock.Start };
        var user = User;
        await setup.Store.SaveThreadAsync(thread, user, Cancel);
        await using var lease = await setup.Store.TryAcquireThreadAsync(thread.Id, user, Cancel);
        foreach (var (id, second) in new[] { ("msg_1", 5), ("msg_2", 1), ("msg_3", 9) })
        {
            await setup.Store.AddThreadItemAsync(thread.Id, Make.Reply(thread, id, id) with { CreatedAt = TestClock.Start.AddSeconds(second) }, user, Cancel);
        }

        var loaded = await setup.Store.LoadItemAsync(thread.Id, "msg_2", user, Cancel);
        await setup.Store.SaveItemAsync(thread.Id, Make.Reply(thread, "msg_2", "saved") with { CreatedAt = loaded.CreatedAt }, user, Cancel);
        await setup.Store.AddThreadItemAsync(thread.Id, Make.Reply(thread, "msg_1", "added again") with { CreatedAt = TestClock.Start.AddSeconds(5) }, user, Cancel);

        Assert.Equal(["added again", "saved", "msg_3"], (await ReadAsync(thread.Id, SortOrder.Asc)).Select(TextOf));
    }

    [Fact]
    public async Task An_item_that_is_being_written_while_its_thread_is_taken_over_stands_before_what_comes_then()
    {
        var (thread, user) = (new ChatThread { Id = ChatKitIds.NewThreadId(), CreatedAt = TestClock.Start }, User);
        await setup.Store.SaveThreadAsync(thread, user, Cancel);
        await using var connection = await setup.Source.OpenConnectionAsync(Cancel);
        await using var writing = await connection.BeginTransactionAsync(Cancel);
        var late = Make.Reply(thread, "msg_1", "by a clock that is ahead") with { CreatedAt = TestClock.Start.AddSeconds(5) };
        await using (var write = connection.CreateCommand())
        {
            write.CommandText =
                """
                INSERT INTO chatkit_items (workspace_id, thread_id, id, created_at, document)
                SELECT t.workspace_id, t.id, $2, $3, $4::json FROM chatkit_threads t WHERE t.id = $1 FOR SHARE OF t
                """;
            write.Parameters.AddWithValue(thread.Id);
            write.Parameters.AddWithValue(late.Id);
            write.Parameters.AddWithValue(late.CreatedAt.UtcDateTime);
            write.Parameters.AddWithValue(System.Text.Encoding.UTF8.GetString(ChatKitJson.ToStore<ThreadItem>(late)));
            await write.ExecuteNonQueryAsync(Cancel);
        }

        var taking = setup.Store.TryAcquireThreadAsync(thread.Id, user, Cancel).AsTask();
        await setup.UntilBlockedAsync("lease_id = ");
        await writing.CommitAsync(Cancel);
        await using var lease = await taking;
        await setup.Store.AddThreadItemAsync(thread.Id, Make.Reply(thread, "msg_2", "by one that is behind"), user, Cancel);

        Assert.Equal(["by a clock that is ahead", "by one that is behind"], (await ReadAsync(thread.Id, SortOrder.Asc)).Select(TextOf));
    }

    [Fact]
    public async Task A_request_that_is_cut_while_it_takes_a_thread_leaves_it_free()
    {
        var (thread, user) = (new ChatThread { Id = ChatKitIds.NewThreadId(), CreatedAt = TestClock.Start }, User);
        await setup.Store.SaveThreadAsync(thread, user, Cancel);
        await using var connection = await setup.Source.OpenConnectionAsync(Cancel);
        await using var holding = await connection.BeginTransactionAsync(Cancel);
        await using (var hold = connection.CreateCommand())
        {
            hold.CommandText = "LOCK TABLE chatkit_items IN ACCESS EXCLUSIVE MODE";
            await hold.ExecuteNonQueryAsync(Cancel);
        }

        using var cut = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var taking = setup.Store.TryAcquireThreadAsync(thread.Id, user, cut.Token).AsTask();
        await setup.UntilBlockedAsync("chatkit_items");
        await cut.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => taking);
        await holding.RollbackAsync(Cancel);

        await using var lease = await setup.Store.TryAcquireThreadAsync(thread.Id, User, Cancel);
        Assert.NotNull(lease);
    }

    /// <summary>One by one, so that each cursor is used.</summary>
    private async Task<List<ThreadItem>> ReadAsync(string thread, SortOrder order)
    {
        var items = new List<ThreadItem>();
        string? after = null;
        do
        {
            var page = await setup.Store.LoadThreadItemsAsync(thread, after, 1, order, User, Cancel);
            items.AddRange(page.Data);
            after = page.After;
        }
        while (after is not null);
        return items;
    }

    private static string TextOf(ThreadItem item) => item switch
    {
        UserMessageItem message => ((UserTextContent)message.Content[0]).Text,
        AssistantMessageItem message => message.Content[0].Text,
        _ => throw new ArgumentException($"What is {item}?", nameof(item)),
    };
}
