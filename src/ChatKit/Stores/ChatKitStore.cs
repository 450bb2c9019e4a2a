namespace ChatKit;

/// <summary>
/// Where threads, items and records of attachments are kept. Derive from it for your database: keep each record as one
/// JSON document (<see cref="ChatKitJson.ToStore{T}"/>) beside the columns you search by, so that a later version of this
/// library needs no migration.
/// </summary>
/// <remarks>
/// Every call gets the request's context and must reach only what that context may see; what belongs to someone else does
/// not exist for it. All methods may be called concurrently, also for one thread. Records that were handed out or taken
/// must not change with the stored ones: threads can be changed, and the server changes them.
/// <para>
/// Lists are ordered by <c>created_at</c>, and where that is equal by the order of arrival: keep a number that grows with
/// every insertion. What is replaced keeps its place, so that a cursor stays where it was. A cursor is the id of the last element seen; a page starts strictly after it in the order asked for.
/// Read one more than <c>limit</c> to know <see cref="Page{T}.HasMore"/>; <see cref="Page{T}.After"/> is the id of the
/// page's last element when there are more, else null. An unknown cursor is a <see cref="NotFoundException"/>.
/// </para>
/// </remarks>
/// <typeparam name="TContext">What you know of a request, for instance its user.</typeparam>
public abstract class ChatKitStore<TContext>
{
    private readonly InProcessLeases _leases = new();

    /// <summary>An id for a new thread, unique among all threads. By default <c>thr_</c> and 24 hexadecimal digits.</summary>
    public virtual string GenerateThreadId(TContext context) => ChatKitIds.NewThreadId();

    /// <summary>An id for a new item. By default the kind's prefix and 24 hexadecimal digits, unique among all items.</summary>
    /// <param name="kind">What the id is for.</param>
    /// <param name="thread">The thread that gets the item.</param>
    public virtual string GenerateItemId(ItemKind kind, ChatThread thread, TContext context) => ChatKitIds.NewItemId(kind);

    /// <summary>Reads a thread without its items.</summary>
    /// <exception cref="NotFoundException">No such thread, or not this context's.</exception>
    public abstract Task<ChatThread> LoadThreadAsync(string threadId, TContext context, CancellationToken cancel);

    /// <summary>Inserts a thread, or replaces all of it: metadata too, and a title by none.</summary>
    public abstract Task SaveThreadAsync(ChatThread thread, TContext context, CancellationToken cancel);

    /// <summary>
    /// Changes a thread that is there, and only that: what others write to it at the same time is not lost, and one that was
    /// deleted is not brought back. By default it is read, changed and saved: override it, because between these steps another
    /// may come. The server saves threads in this way alone, once they are made.
    /// </summary>
    /// <param name="change">
    /// Gets the thread as it is stored. It may be called again, with the thread as it is stored then, and does nothing else.
    /// </param>
    /// <returns>The thread as it is stored now.</returns>
    /// <exception cref="NotFoundException">No such thread, or none any more, or not this context's.</exception>
    public virtual async Task<ChatThread> UpdateThreadAsync(
        string threadId, Action<ChatThread> change, TContext context, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(change);
        var thread = await LoadThreadAsync(threadId, context, cancel);
        change(thread);
        await SaveThreadAsync(thread, context, cancel);
        return thread;
    }

    /// <summary>A page of the context's threads.</summary>
    /// <param name="limit">How many at most, 1 or more.</param>
    /// <param name="after">The id of the last thread seen; null: from the start.</param>
    /// <exception cref="NotFoundException"><paramref name="after"/> is none of this context's threads.</exception>
    public abstract Task<Page<ChatThread>> LoadThreadsAsync(
        int limit, string? after, SortOrder order, TContext context, CancellationToken cancel);

    /// <summary>Deletes a thread and its items. Does nothing when there is no such thread, or throws <see cref="NotFoundException"/>: both are right.</summary>
    public abstract Task DeleteThreadAsync(string threadId, TContext context, CancellationToken cancel);

    /// <summary>A page of a thread's items, hidden ones too. Empty for a thread that is not there or not this context's.</summary>
    /// <param name="after">The id of the last item seen; null: from the start.</param>
    /// <param name="limit">How many at most, 1 or more.</param>
    /// <exception cref="NotFoundException"><paramref name="after"/> is none of the thread's items.</exception>
    public abstract Task<Page<ThreadItem>> LoadThreadItemsAsync(
        string threadId, string? after, int limit, SortOrder order, TContext context, CancellationToken cancel);

    /// <summary>
    /// Inserts an item; one with the same id is replaced in its place. A store that several processes write to may give it a
    /// later <see cref="ThreadItem.CreatedAt"/>, so that it stands behind what was added before it by a process whose clock is ahead.
    /// </summary>
    /// <exception cref="NotFoundException">No such thread, or not this context's.</exception>
    public abstract Task AddThreadItemAsync(string threadId, ThreadItem item, TContext context, CancellationToken cancel);

    /// <summary>Replaces the item with this id in its place, even by another kind, or inserts it.</summary>
    /// <exception cref="NotFoundException">No such thread, or not this context's.</exception>
    public abstract Task SaveItemAsync(string threadId, ThreadItem item, TContext context, CancellationToken cancel);

    /// <summary>Reads an item.</summary>
    /// <exception cref="NotFoundException">No such item in this thread, or the thread is not this context's.</exception>
    public abstract Task<ThreadItem> LoadItemAsync(string threadId, string itemId, TContext context, CancellationToken cancel);

    /// <summary>Deletes an item. Does nothing when there is no such item.</summary>
    public abstract Task DeleteThreadItemAsync(string threadId, string itemId, TContext context, CancellationToken cancel);

    /// <summary>Inserts the record of an attachment, or replaces all of it.</summary>
    public abstract Task SaveAttachmentAsync(Attachment attachment, TContext context, CancellationToken cancel);

    /// <summary>Reads the record of an attachment.</summary>
    /// <exception cref="NotFoundException">No such attachment, or not this context's.</exception>
    public abstract Task<Attachment> LoadAttachmentAsync(string attachmentId, TContext context, CancellationToken cancel);

    /// <summary>Deletes the record of an attachment, not its bytes. Does nothing when there is no such record.</summary>
    public abstract Task DeleteAttachmentAsync(string attachmentId, TContext context, CancellationToken cancel);

    /// <summary>
    /// Takes the right to stream in a thread; null at once when another stream has it. By default it is known to this object
    /// alone: override it when several processes serve the same threads, for instance by a row with a heartbeat. Called with
    /// ids of threads that the context may see.
    /// </summary>
    public virtual ValueTask<IThreadLease?> TryAcquireThreadAsync(string threadId, TContext context, CancellationToken cancel) =>
        ValueTask.FromResult(_leases.TryAcquire(threadId));
}
