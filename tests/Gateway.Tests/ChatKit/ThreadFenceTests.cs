using System.Text.Json.Nodes;
using ChatKit;
using ChatKit.Tests.Support;
using Gateway.ChatKit;
using Gateway.ChatKit.Threads;

namespace Gateway.Tests.ChatKit;

/// <summary>
/// A gateway that stood still for longer than its lease held. What it still writes is refused by the statement itself: it need
/// not know that the thread is another's. Its clock stands still here too, so that it renews nothing and learns of nothing.
/// </summary>
public sealed class ThreadFenceTests(ThreadStoreSetup setup) : IClassFixture<ThreadStoreSetup>
{
    private readonly StoreUser _user = new($"fence {Guid.NewGuid()}");
    private readonly ChatThread _thread = new() { Id = ChatKitIds.NewThreadId(), CreatedAt = TestClock.Start };
    private readonly HandClock _clock = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<string> Writes => ["add", "save", "save new", "delete", "thread"];

    [Theory]
    [MemberData(nameof(Writes))]
    public async Task What_is_written_after_another_took_the_thread_is_refused(string write)
    {
        var (store, user) = (setup.NewStore(_clock), setup.Of(_user));
        await store.SaveThreadAsync(_thread, user, Cancel);
        await using var held = (await store.TryAcquireThreadAsync(_thread.Id, user, Cancel))!;
        await store.AddThreadItemAsync(_thread.Id, Make.Reply(_thread, "msg_1", "Before."), user, Cancel);
        var before = await StoredAsync();
        var other = setup.Of(_user);
        await using var taken = await TakeOverAsync(other);

        var refused = await Assert.ThrowsAsync<RequestRefusedException>(() => WriteAsync(store, write, user));

        Assert.Equal((409, "thread_busy"), (refused.Status, refused.Code));
        Assert.True(held.Lost.IsCancellationRequested);
        Assert.Equal(before, await StoredAsync());
        Assert.False(taken.Lost.IsCancellationRequested);
        await WriteAsync(setup.Store, write, other);
        Assert.NotEqual(before, await StoredAsync());
    }

    [Theory]
    [MemberData(nameof(Writes))]
    public async Task It_stays_refused_when_the_other_has_let_the_thread_go(string write)
    {
        var (store, user) = (setup.NewStore(_clock), setup.Of(_user));
        await store.SaveThreadAsync(_thread, user, Cancel);
        await using var held = (await store.TryAcquireThreadAsync(_thread.Id, user, Cancel))!;
        await store.AddThreadItemAsync(_thread.Id, Make.Reply(_thread, "msg_1", "Before."), user, Cancel);
        await (await TakeOverAsync(setup.Of(_user))).DisposeAsync();
        var before = await StoredAsync();

        await Assert.ThrowsAsync<RequestRefusedException>(() => WriteAsync(store, write, user));

        Assert.Equal(before, await StoredAsync());
    }

    [Theory]
    [MemberData(nameof(Writes))]
    public async Task What_is_written_to_a_thread_that_was_deleted_finds_none(string write)
    {
        var (store, user) = (setup.NewStore(_clock), setup.Of(_user));
        await store.SaveThreadAsync(_thread, user, Cancel);
        await using var held = (await store.TryAcquireThreadAsync(_thread.Id, user, Cancel))!;
        await store.DeleteThreadAsync(_thread.Id, setup.Of(_user), Cancel);

        await Assert.ThrowsAsync<NotFoundException>(() => WriteAsync(store, write, user));

        await Assert.ThrowsAsync<NotFoundException>(() => setup.Store.LoadThreadAsync(_thread.Id, user, Cancel));
    }

    [Fact]
    public async Task A_stream_whose_thread_is_another_s_by_now_ends_with_an_error_and_stores_nothing()
    {
        var page = new ThreadPage(setup.NewStore(_clock), _clock);
        var thread = "";
        IThreadLease? taken = null;
        page.InTheMiddle = async mine =>
        {
            (thread, mine.Title) = (mine.Id, "A title that came too late");
            taken = await TakeOverAsync(setup.Of(_user), mine.Id);
        };

        var events = await page.CreateAsync("Are you there?", setup.Of(_user));

        Assert.Equal("error", ChatPage.Type(events[^1]));
        Assert.Equal(("stream.error", true), ((string)events[^1]["code"]!, (bool)events[^1]["allow_retry"]!));
        Assert.DoesNotContain(events, e => (string?)e["item"]?["type"] == "assistant_message" && ChatPage.Type(e) == "thread.item.done");
        Assert.Null((await setup.Store.LoadThreadAsync(thread, setup.Of(_user), Cancel)).Title);
        var items = await setup.Store.LoadThreadItemsAsync(thread, null, 10, SortOrder.Asc, setup.Of(_user), Cancel);
        Assert.IsType<UserMessageItem>(Assert.Single(items.Data));
        await taken!.DisposeAsync();
    }

    [Fact]
    public async Task A_page_that_leaves_such_a_stream_leaves_nothing_behind()
    {
        var page = new ThreadPage(setup.NewStore(_clock), _clock) { InTheMiddle = _ => Task.Delay(Timeout.Infinite, Cancel) };
        var stream = await page.BeginAsync("threads.create", new JsonObject { ["input"] = ChatPage.Message("Are you there?") }, setup.Of(_user));
        var thread = "";
        IThreadLease? taken;
        await using (var events = stream.GetAsyncEnumerator(Cancel))
        {
            while (await events.MoveNextAsync() && JsonNode.Parse(events.Current.Span["data: ".Length..]) is var next && ChatPage.Type(next!) != "thread.item.added")
            {
                thread = (string?)next!["thread"]?["id"] ?? thread;
            }

            taken = await TakeOverAsync(setup.Of(_user), thread);
            page.InTheMiddle = _ => Task.CompletedTask;
        }

        var items = await setup.Store.LoadThreadItemsAsync(thread, null, 10, SortOrder.Asc, setup.Of(_user), Cancel);
        Assert.IsType<UserMessageItem>(Assert.Single(items.Data));
        await taken.DisposeAsync();
    }

    [Fact]
    public async Task A_renewal_that_hangs_does_not_make_a_lease_hold_for_longer()
    {
        var (store, user) = (setup.NewStore(_clock), setup.Of(_user));
        await store.SaveThreadAsync(_thread, user, Cancel);
        await using var held = (await store.TryAcquireThreadAsync(_thread.Id, user, Cancel))!;
        await using var other = await setup.Source.OpenConnectionAsync(Cancel);
        await using var lockRow = await other.BeginTransactionAsync(Cancel);
        await using var command = other.CreateCommand();
        command.CommandText = $"SELECT 1 FROM chatkit_threads WHERE id = '{_thread.Id}' FOR UPDATE";
        await command.ExecuteNonQueryAsync(Cancel);
        _clock.Advance(ThreadLeases.Length / 4);
        await setup.UntilBlockedAsync("lease_until");

        _clock.Advance(ThreadLeases.Length);

        Assert.True(held.Lost.IsCancellationRequested);
        await lockRow.RollbackAsync(Cancel);
    }

    [Fact]
    public async Task To_let_a_lost_thread_go_never_throws()
    {
        var (store, user) = (setup.NewStore(_clock), setup.Of(_user));
        await store.SaveThreadAsync(_thread, user, Cancel);
        var held = (await store.TryAcquireThreadAsync(_thread.Id, user, Cancel))!;
        await using var taken = await TakeOverAsync(setup.Of(_user));
        var lost = new TaskCompletionSource();
        using var badly = held.Lost.Register(() =>
        {
            lost.SetResult();
            throw new InvalidCastException("A handler of a lost lease that is broken itself.");
        });

        _clock.Advance(ThreadLeases.Length / 4);
        await lost.Task.WaitAsync(TimeSpan.FromSeconds(60), Cancel);

        await held.DisposeAsync();
        Assert.Null(await setup.Store.TryAcquireThreadAsync(_thread.Id, user, Cancel));
    }

    private async Task WriteAsync(ThreadStore store, string write, ChatKitUser user) => await (write switch
    {
        "add" => store.AddThreadItemAsync(_thread.Id, Make.Reply(_thread, "msg_2", "Late."), user, Cancel),
        "save" => store.SaveItemAsync(_thread.Id, Make.Reply(_thread, "msg_1", "Changed late."), user, Cancel),
        "save new" => store.SaveItemAsync(_thread.Id, Make.Reply(_thread, "msg_3", "Late."), user, Cancel),
        "delete" => store.DeleteThreadItemAsync(_thread.Id, "msg_1", user, Cancel),
        _ => store.UpdateThreadAsync(_thread.Id, thread => thread.Title = "Late", user, Cancel),
    });

    /// <summary>As if the first gateway had stood still for as long as its lease held, and another had come.</summary>
    private async Task<IThreadLease> TakeOverAsync(ChatKitUser other, string? thread = null)
    {
        await setup.AskAsync<object>("UPDATE chatkit_threads SET lease_until = now() - interval '1 second' WHERE id = $1", thread ?? _thread.Id);
        return (await setup.Store.TryAcquireThreadAsync(thread ?? _thread.Id, other, Cancel))!;
    }

    /// <summary>All that there is of the thread, as it stands in the tables.</summary>
    private Task<string?> StoredAsync() => setup.AskAsync<string>(
        """
        SELECT t.document::text || coalesce((SELECT string_agg(i.id || i.created_at || i.document, ',' ORDER BY i.sequence)
            FROM chatkit_items i WHERE i.thread_id = t.id), '') FROM chatkit_threads t WHERE t.id = $1
        """,
        _thread.Id);
}
