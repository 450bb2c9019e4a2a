using ChatKit;
using ChatKit.Tests.Stores;
using Gateway.ChatKit;
using Gateway.ChatKit.Attachments;
using Gateway.ChatKit.Threads;
using Gateway.Data;
using Gateway.Http;
using Gateway.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Gateway.Tests.ChatKit;

/// <summary>The gateway's store on a real Postgres, held to what the library asks of any store (specification §7.2).</summary>
public sealed class ThreadStoreTests(ThreadStoreSetup setup)
    : StoreContract<StoreUser>(new StoreOfUsers(setup), new StoreUser($"ann {Guid.NewGuid()}"), new StoreUser($"bob {Guid.NewGuid()}")),
      IClassFixture<ThreadStoreSetup>
{
    [Fact]
    public async Task A_lease_that_nobody_renews_is_another_s_and_one_that_is_renewed_is_not()
    {
        var (store, user, thread) = (new StoreOfUsers(setup), new StoreUser("leases"), ChatKitIds.NewThreadId());
        await store.SaveThreadAsync(new ChatThread { Id = thread, CreatedAt = DateTimeOffset.UtcNow }, user, Cancel);
        await using var held = (await store.TryAcquireThreadAsync(thread, user, Cancel))!;

        Assert.Null(await store.TryAcquireThreadAsync(thread, user, Cancel));
        // As if its gateway had died: nothing renewed it for as long as it holds.
        await using var age = setup.Source.CreateCommand($"UPDATE chatkit_threads SET lease_until = now() - interval '1 second' WHERE id = '{thread}'");
        IThreadLease? taken;
        do
        {
            // It may be renewed in between.
            await age.ExecuteNonQueryAsync(Cancel);
            taken = await store.TryAcquireThreadAsync(thread, user, Cancel);
        }
        while (taken is null);

        await using var next = taken;
        // The first holder learns of it at its next renewal.
        await Task.Delay(Timeout.InfiniteTimeSpan, held.Lost).WaitAsync(TimeSpan.FromSeconds(60), Cancel).ContinueWith(_ => { }, TaskScheduler.Default);
        Assert.True(held.Lost.IsCancellationRequested);
        Assert.False(next.Lost.IsCancellationRequested);
    }
}

/// <param name="Name">Who it is.</param>
public sealed record StoreUser(string Name);

/// <summary>A database with one workspace, and the store over it.</summary>
public sealed class ThreadStoreSetup(TestPostgres postgres) : IAsyncLifetime
{
    private readonly Guid _workspace = Guid.NewGuid();
    private readonly SecretBox _box = new(new byte[SecretBox.KeyBytes]);

    internal NpgsqlDataSource Source { get; private set; } = null!;

    internal ThreadStore Store { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        var cancel = TestContext.Current.CancellationToken;
        Source = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync(cancel: cancel));
        await using var make = Source.CreateCommand("INSERT INTO workspaces (id, name, managed, created_at, version) VALUES ($1, 'acme', 0, now(), 1)");
        make.Parameters.AddWithValue(_workspace);
        await make.ExecuteNonQueryAsync(cancel);
        Store = NewStore(TimeProvider.System);
    }

    /// <summary>The store of another gateway.</summary>
    /// <param name="clock">By which it renews its leases.</param>
    internal ThreadStore NewStore(TimeProvider clock) => new(
        Source, new ThreadLeases(Source, clock, NullLogger<ThreadLeases>.Instance),
        new AttachmentBytes(Source, new GatewaySettings()), new AttachmentLinks(_box, clock));

    internal async Task<T?> AskAsync<T>(string sql, params object[] values)
    {
        await using var command = Source.CreateCommand(sql);
        foreach (var value in values)
        {
            command.Parameters.AddWithValue(value);
        }

        return (T?)await command.ExecuteScalarAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>Waits until a statement waits for a lock.</summary>
    /// <param name="part">Of its text.</param>
    internal async Task UntilBlockedAsync(string part)
    {
        while (await AskAsync<long>(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%' || $1 || '%'", part) == 0)
        {
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }

    internal ChatKitUser Of(StoreUser user) => new(
        new Caller(_workspace, "acme", Guid.Empty, "web", Scopes.Chat, [], null, IsRevoked: false), _workspace, "support", user.Name, null,
        "https://gateway.example");

    public async ValueTask DisposeAsync()
    {
        if (Source is not null)
        {
            await Source.DisposeAsync();
        }

        _box.Dispose();
    }
}

/// <summary>
/// The gateway's store for users by name. What the gateway adds to the contract is taken for granted: that a file's bytes are in
/// before a message names it, and that links to previews are new each time.
/// </summary>
internal sealed class StoreOfUsers(ThreadStoreSetup setup) : ChatKitStore<StoreUser>
{
    private readonly Dictionary<string, string> _previews = [];

    public override Task<ChatThread> LoadThreadAsync(string threadId, StoreUser context, CancellationToken cancel) =>
        setup.Store.LoadThreadAsync(threadId, setup.Of(context), cancel);

    public override Task SaveThreadAsync(ChatThread thread, StoreUser context, CancellationToken cancel) =>
        setup.Store.SaveThreadAsync(thread, setup.Of(context), cancel);

    public override Task<ChatThread> UpdateThreadAsync(string threadId, Action<ChatThread> change, StoreUser context, CancellationToken cancel) =>
        setup.Store.UpdateThreadAsync(threadId, change, setup.Of(context), cancel);

    public override Task<Page<ChatThread>> LoadThreadsAsync(int limit, string? after, SortOrder order, StoreUser context, CancellationToken cancel) =>
        setup.Store.LoadThreadsAsync(limit, after, order, setup.Of(context), cancel);

    public override Task DeleteThreadAsync(string threadId, StoreUser context, CancellationToken cancel) =>
        setup.Store.DeleteThreadAsync(threadId, setup.Of(context), cancel);

    public override Task<Page<ThreadItem>> LoadThreadItemsAsync(
        string threadId, string? after, int limit, SortOrder order, StoreUser context, CancellationToken cancel) =>
        setup.Store.LoadThreadItemsAsync(threadId, after, limit, order, setup.Of(context), cancel);

    public override Task AddThreadItemAsync(string threadId, ThreadItem item, StoreUser context, CancellationToken cancel) =>
        setup.Store.AddThreadItemAsync(threadId, item, setup.Of(context), cancel);

    public override Task SaveItemAsync(string threadId, ThreadItem item, StoreUser context, CancellationToken cancel) =>
        setup.Store.SaveItemAsync(threadId, item, setup.Of(context), cancel);

    public override Task<ThreadItem> LoadItemAsync(string threadId, string itemId, StoreUser context, CancellationToken cancel) =>
        setup.Store.LoadItemAsync(threadId, itemId, setup.Of(context), cancel);

    public override Task DeleteThreadItemAsync(string threadId, string itemId, StoreUser context, CancellationToken cancel) =>
        setup.Store.DeleteThreadItemAsync(threadId, itemId, setup.Of(context), cancel);

    public override async Task SaveAttachmentAsync(Attachment attachment, StoreUser context, CancellationToken cancel)
    {
        if (attachment is ImageAttachment picture)
        {
            _previews[attachment.Id] = picture.PreviewUrl;
        }

        await setup.Store.SaveAttachmentAsync(attachment with { ThreadId = null }, setup.Of(context), cancel);
        await using var uploaded = setup.Source.CreateCommand("UPDATE chatkit_attachments SET is_uploaded = true WHERE id = $1");
        uploaded.Parameters.AddWithValue(attachment.Id);
        await uploaded.ExecuteNonQueryAsync(cancel);
        await setup.Store.SaveAttachmentAsync(attachment, setup.Of(context), cancel);
    }

    public override async Task<Attachment> LoadAttachmentAsync(string attachmentId, StoreUser context, CancellationToken cancel)
    {
        var loaded = await setup.Store.LoadAttachmentAsync(attachmentId, setup.Of(context), cancel);
        return loaded is ImageAttachment picture ? picture with { PreviewUrl = _previews[attachmentId] } : loaded;
    }

    public override Task DeleteAttachmentAsync(string attachmentId, StoreUser context, CancellationToken cancel) =>
        setup.Store.DeleteAttachmentAsync(attachmentId, setup.Of(context), cancel);

    public override ValueTask<IThreadLease?> TryAcquireThreadAsync(string threadId, StoreUser context, CancellationToken cancel) =>
        setup.Store.TryAcquireThreadAsync(threadId, setup.Of(context), cancel);
}
