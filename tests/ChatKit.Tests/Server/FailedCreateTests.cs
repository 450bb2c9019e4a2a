using ChatKit.Tests.Support;

namespace ChatKit.Tests.Server;

/// <summary>A <c>threads.create</c> whose client leaves, or whose store fails, before the stream has begun: nobody knows of the thread.</summary>
public sealed class FailedCreateTests(ChatKitSchema schema) : ServerTest(schema)
{
    public enum Moment
    {
        None,
        ThreadSaved,
        ThreadTaken,
        FileMoved,
        BeforeMessage,
        MessageStored,
    }

    [Theory]
    [InlineData(Moment.ThreadSaved)]
    [InlineData(Moment.ThreadTaken)]
    [InlineData(Moment.FileMoved)]
    [InlineData(Moment.BeforeMessage)]
    [InlineData(Moment.MessageStored)]
    public async Task A_create_that_is_cut_leaves_nothing_and_its_files_can_be_sent_again(Moment moment)
    {
        using var left = new CancellationTokenSource();
        var store = await StoreAsync(moment, () =>
        {
            left.Cancel();
            left.Token.ThrowIfCancellationRequested();
        });

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ProcessAsync(Ask.Create("Look.", "atc_1", "atc_2"), cancel: left.Token));

        await AssertNothingIsLeftAsync(store);
    }

    [Fact]
    public async Task A_create_whose_store_fails_leaves_nothing()
    {
        var store = await StoreAsync(Moment.BeforeMessage, () => throw new IOException("The disk is full."));

        await Assert.ThrowsAsync<IOException>(() => ProcessAsync(Ask.Create("Look.", "atc_1", "atc_2")));

        await AssertNothingIsLeftAsync(store);
    }

    [Fact]
    public async Task A_file_that_was_deleted_meanwhile_is_not_brought_back()
    {
        var store = await StoreAsync(Moment.BeforeMessage, () => throw new IOException("The disk is full."));
        store.OnStep = () => store.DeleteAttachmentAsync("atc_1", Ann, Cancel);

        await Assert.ThrowsAsync<IOException>(() => ProcessAsync(Ask.Create("Look.", "atc_1", "atc_2")));

        await Assert.ThrowsAsync<NotFoundException>(() => store.LoadAttachmentAsync("atc_1", Ann, Cancel));
        Assert.Null((await store.LoadAttachmentAsync("atc_2", Ann, Cancel)).ThreadId);
        Assert.Empty((await store.LoadThreadsAsync(10, null, SortOrder.Desc, Ann, Cancel)).Data);
    }

    [Fact]
    public async Task What_cannot_be_taken_back_does_not_hide_why()
    {
        var store = await StoreAsync(Moment.BeforeMessage, () => throw new IOException("The disk is full."));
        store.IsAway = true;

        Assert.Equal("The disk is full.", (await Assert.ThrowsAsync<IOException>(() => ProcessAsync(Ask.Create()))).Message);
    }

    private async Task<BreakingStore> StoreAsync(Moment moment, Action fail)
    {
        var store = new BreakingStore(fail);
        foreach (var id in new[] { "atc_1", "atc_2" })
        {
            await store.SaveAttachmentAsync(new FileAttachment { Id = id, Name = "notes.txt", MimeType = "text/plain" }, Ann, Cancel);
        }

        store.At = moment;
        Server = new ScriptedServer(store, options: new() { Clock = Clock, BusyThreadPatience = TimeSpan.Zero });
        return store;
    }

    private async Task AssertNothingIsLeftAsync(BreakingStore store)
    {
        Assert.Empty((await store.LoadThreadsAsync(10, null, SortOrder.Desc, Ann, Cancel)).Data);
        Assert.Empty(await StoredAsync("thr_1"));
        Assert.Null((await store.LoadAttachmentAsync("atc_1", Ann, Cancel)).ThreadId);
        Assert.Null((await store.LoadAttachmentAsync("atc_2", Ann, Cancel)).ThreadId);

        store.At = Moment.None;
        var events = await StreamAsync(Ask.Create("Look.", "atc_1", "atc_2"));
        Assert.Equal("thread.created", TypesOf(events)[0]);
        Assert.Equal((string)events[0]["thread"]!["id"]!, (await store.LoadAttachmentAsync("atc_2", Ann, Cancel)).ThreadId);
    }

    /// <summary>A store that fails at one moment of a create.</summary>
    private sealed class BreakingStore(Action fail) : NumberedStore
    {
        public Moment At { get; set; }

        /// <summary>Done before it fails.</summary>
        public Func<Task>? OnStep { get; set; }

        /// <summary>Whether threads cannot be deleted.</summary>
        public bool IsAway { get; set; }

        public override async Task SaveThreadAsync(ChatThread thread, Caller context, CancellationToken cancel)
        {
            await base.SaveThreadAsync(thread, context, cancel);
            await ReachedAsync(Moment.ThreadSaved);
        }

        public override async ValueTask<IThreadLease?> TryAcquireThreadAsync(string threadId, Caller context, CancellationToken cancel)
        {
            await ReachedAsync(Moment.ThreadTaken);
            return await base.TryAcquireThreadAsync(threadId, context, cancel);
        }

        public override async Task SaveAttachmentAsync(Attachment attachment, Caller context, CancellationToken cancel)
        {
            await base.SaveAttachmentAsync(attachment, context, cancel);
            if (attachment.ThreadId is not null)
            {
                await ReachedAsync(Moment.FileMoved);
            }
        }

        public override async Task AddThreadItemAsync(string threadId, ThreadItem item, Caller context, CancellationToken cancel)
        {
            await ReachedAsync(Moment.BeforeMessage);
            await base.AddThreadItemAsync(threadId, item, context, cancel);
            await ReachedAsync(Moment.MessageStored);
        }

        public override Task DeleteThreadAsync(string threadId, Caller context, CancellationToken cancel) =>
            IsAway ? throw new IOException("The store is away.") : base.DeleteThreadAsync(threadId, context, cancel);

        private async Task ReachedAsync(Moment moment)
        {
            if (moment == At)
            {
                await (OnStep?.Invoke() ?? Task.CompletedTask);
                fail();
            }
        }
    }
}
