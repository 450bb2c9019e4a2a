using ChatKit;
using ChatKit.Tests.Support;

namespace Gateway.Tests.ChatKit;

/// <summary>A user names a thread while a reply streams in it: both write its row. What comes in between is made to happen in between.</summary>
public sealed class ThreadUpdateTests(ThreadStoreSetup setup) : IClassFixture<ThreadStoreSetup>
{
    private readonly StoreUser _user = new($"update {Guid.NewGuid()}");
    private readonly ChatThread _thread = new() { Id = ChatKitIds.NewThreadId(), CreatedAt = TestClock.Start };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_stream_that_saves_between_a_name_s_reading_and_its_writing_keeps_what_it_saved()
    {
        await setup.Store.SaveThreadAsync(_thread, setup.Of(_user), Cancel);
        var stream = setup.Of(_user);
        await using var lease = await setup.Store.TryAcquireThreadAsync(_thread.Id, stream, Cancel);

        await setup.Store.UpdateThreadAsync(
            _thread.Id,
            Once(thread => thread.Title = "By the user", () => setup.Store.UpdateThreadAsync(
                _thread.Id, thread => thread.Metadata["waiting"] = "tc_1", stream, Cancel)),
            setup.Of(_user), Cancel);

        await AssertBothAsync();
    }

    [Fact]
    public async Task A_name_that_is_given_between_a_stream_s_reading_and_its_writing_stays()
    {
        await setup.Store.SaveThreadAsync(_thread, setup.Of(_user), Cancel);
        var stream = setup.Of(_user);
        await using var lease = await setup.Store.TryAcquireThreadAsync(_thread.Id, stream, Cancel);

        await setup.Store.UpdateThreadAsync(
            _thread.Id,
            Once(thread => thread.Metadata["waiting"] = "tc_1", () => setup.Store.UpdateThreadAsync(
                _thread.Id, thread => thread.Title = "By the user", setup.Of(_user), Cancel)),
            stream, Cancel);

        await AssertBothAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_thread_that_is_deleted_in_between_stays_deleted(bool isStream)
    {
        var user = setup.Of(_user);
        await setup.Store.SaveThreadAsync(_thread, user, Cancel);
        await using var lease = isStream ? await setup.Store.TryAcquireThreadAsync(_thread.Id, user, Cancel) : null;

        await Assert.ThrowsAsync<NotFoundException>(() => setup.Store.UpdateThreadAsync(
            _thread.Id,
            Once(thread => thread.Title = "Late", () => setup.Store.DeleteThreadAsync(_thread.Id, setup.Of(_user), Cancel)),
            user, Cancel));

        await Assert.ThrowsAsync<NotFoundException>(() => setup.Store.LoadThreadAsync(_thread.Id, setup.Of(_user), Cancel));
    }

    /// <summary>A change that waits the first time for what another does.</summary>
    private static Action<ChatThread> Once(Action<ChatThread> change, Func<Task> inBetween)
    {
        var isFirst = true;
        return thread =>
        {
            if (isFirst)
            {
                isFirst = false;
                Task.Run(inBetween, Cancel).Wait(Cancel);
            }

            change(thread);
        };
    }

    private async Task AssertBothAsync()
    {
        var stored = await setup.Store.LoadThreadAsync(_thread.Id, setup.Of(_user), Cancel);
        Assert.Equal(("By the user", "tc_1"), (stored.Title, (string?)stored.Metadata["waiting"]));
    }
}
