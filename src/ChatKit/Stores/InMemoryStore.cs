namespace ChatKit;

/// <summary>
/// Keeps everything in memory, for development and tests: nothing survives the process. Records are kept as JSON, so that
/// what was handed out does not change with what is stored. Safe for concurrent use.
/// </summary>
/// <typeparam name="TContext">What you know of a request, for instance its user.</typeparam>
/// <param name="userOf">
/// Whose request it is: users see their own threads and attachments only. Null: all share everything.
/// </param>
public class InMemoryStore<TContext>(Func<TContext, string>? userOf = null) : ChatKitStore<TContext>
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Partition> _partitions = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public override Task<ChatThread> LoadThreadAsync(string threadId, TContext context, CancellationToken cancel) =>
        Run(context, mine => Read<ChatThread>(mine.ThreadOf(threadId).Record), cancel);

    /// <inheritdoc/>
    public override Task SaveThreadAsync(ChatThread thread, TContext context, CancellationToken cancel) =>
        Run(context, mine => mine.Save(thread), cancel);

    /// <inheritdoc/>
    public override Task<ChatThread> UpdateThreadAsync(string threadId, Action<ChatThread> change, TContext context, CancellationToken cancel) => Run(
        context,
        mine =>
        {
            var thread = Read<ChatThread>(mine.ThreadOf(threadId).Record);
            change(thread);
            mine.Save(thread);
            return thread;
        },
        cancel);

    /// <inheritdoc/>
    public override Task<Page<ChatThread>> LoadThreadsAsync(
        int limit, string? after, SortOrder order, TContext context, CancellationToken cancel) =>
        Run(context, mine => mine.Threads.Page(limit, after, order, NotFoundException.Thread, thread => Read<ChatThread>(thread.Record)), cancel);

    /// <inheritdoc/>
    public override Task DeleteThreadAsync(string threadId, TContext context, CancellationToken cancel) =>
        Run(context, mine => mine.Threads.Remove(threadId), cancel);

    /// <inheritdoc/>
    public override Task<Page<ThreadItem>> LoadThreadItemsAsync(
        string threadId, string? after, int limit, SortOrder order, TContext context, CancellationToken cancel) =>
        Run(
            context,
            mine => mine.Threads.Find(threadId)?.Items.Page(limit, after, order, NotFoundException.Item, Read<ThreadItem>) ?? new() { Data = [] },
            cancel);

    /// <inheritdoc/>
    public override Task AddThreadItemAsync(string threadId, ThreadItem item, TContext context, CancellationToken cancel) =>
        SaveItemAsync(threadId, item, context, cancel);

    /// <inheritdoc/>
    public override Task SaveItemAsync(string threadId, ThreadItem item, TContext context, CancellationToken cancel) =>
        Run(context, mine => mine.ThreadOf(threadId).Items.Set(item.Id, item.CreatedAt, (_, row) => row, item), cancel);

    /// <inheritdoc/>
    public override Task<ThreadItem> LoadItemAsync(string threadId, string itemId, TContext context, CancellationToken cancel) =>
        Run(context, mine => Read<ThreadItem>(mine.Threads.Find(threadId)?.Items.Find(itemId) ?? throw NotFoundException.Item(itemId)), cancel);

    /// <inheritdoc/>
    public override Task DeleteThreadItemAsync(string threadId, string itemId, TContext context, CancellationToken cancel) =>
        Run(context, mine => mine.Threads.Find(threadId)?.Items.Remove(itemId) ?? false, cancel);

    /// <inheritdoc/>
    public override Task SaveAttachmentAsync(Attachment attachment, TContext context, CancellationToken cancel) =>
        Run(context, mine => mine.Attachments[attachment.Id] = ChatKitJson.ToStore(attachment), cancel);

    /// <inheritdoc/>
    public override Task<Attachment> LoadAttachmentAsync(string attachmentId, TContext context, CancellationToken cancel) =>
        Run(
            context,
            mine => Read<Attachment>(mine.Attachments.GetValueOrDefault(attachmentId) ?? throw NotFoundException.Attachment(attachmentId)),
            cancel);

    /// <inheritdoc/>
    public override Task DeleteAttachmentAsync(string attachmentId, TContext context, CancellationToken cancel) =>
        Run(context, mine => mine.Attachments.Remove(attachmentId), cancel);

    /// <summary>By user and thread: own ids of two users may be the same.</summary>
    public override ValueTask<IThreadLease?> TryAcquireThreadAsync(string threadId, TContext context, CancellationToken cancel) =>
        base.TryAcquireThreadAsync($"{threadId}\n{userOf?.Invoke(context)}", context, cancel);

    private static T Read<T>(byte[] json) => ChatKitJson.FromStore<T>(json);

    private Task<T> Run<T>(TContext context, Func<Partition, T> work, CancellationToken cancel)
    {
        if (cancel.IsCancellationRequested)
        {
            return Task.FromCanceled<T>(cancel);
        }

        try
        {
            lock (_gate)
            {
                return Task.FromResult(work(PartitionOf(userOf?.Invoke(context) ?? string.Empty)));
            }
        }
        catch (NotFoundException e)
        {
            return Task.FromException<T>(e);
        }
    }

    private Partition PartitionOf(string user) =>
        _partitions.TryGetValue(user, out var partition) ? partition : _partitions[user] = new Partition();

    private sealed record StoredThread(byte[] Record, OrderedRecords<byte[]> Items);

    private sealed class Partition
    {
        public OrderedRecords<StoredThread> Threads { get; } = new();

        public Dictionary<string, byte[]> Attachments { get; } = new(StringComparer.Ordinal);

        public StoredThread Save(ChatThread thread) =>
            Threads.Set(thread.Id, thread.CreatedAt, (old, row) => new StoredThread(row, old?.Items ?? new()), thread);

        public StoredThread ThreadOf(string id) => Threads.Find(id) ?? throw NotFoundException.Thread(id);
    }
}
