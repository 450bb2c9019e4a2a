namespace ChatKit;

/// <summary>
/// A ChatKit server: derive from it, answer in <see cref="RespondAsync"/>, and give it the bodies of requests. It keeps
/// threads in the store, sends events in the protocol's order, and saves what was shown when a client leaves.
/// </summary>
/// <remarks>
/// One object serves all requests, concurrently; in each thread there is one stream at a time, a second one is refused with
/// 409. Handlers that return events are usually iterators (<c>async IAsyncEnumerable</c> with <c>yield</c>). Before an event is
/// sent, what it means for the store is done: an item is stored when it is done or replaced, and deleted when it is removed;
/// updates are shown only. Setting the thread's title, status, image domains or metadata saves the thread with the next
/// event. Hidden items are stored and never sent. A handler that throws ends the stream with an <c>error</c> event: see
/// <see cref="CustomStreamException"/>, <see cref="StreamErrorException"/> and <see cref="RequestRefusedException"/>; the text of any
/// other exception is logged and not shown.
/// </remarks>
/// <typeparam name="TContext">What you know of a request, for instance its user. Given to the store and to every handler.</typeparam>
/// <param name="store">Keeps threads, items and records of attachments.</param>
/// <param name="attachments">Keeps the bytes of attachments; null: there are none, and operations on them are refused with 501.</param>
/// <param name="options">Settings; null: the defaults.</param>
public abstract class ChatKitServer<TContext>(
    ChatKitStore<TContext> store, AttachmentStore<TContext>? attachments = null, ChatKitServerOptions? options = null)
{
    /// <summary>Keeps threads, items and records of attachments.</summary>
    public ChatKitStore<TContext> Store { get; } = store;

    /// <summary>Keeps the bytes of attachments, or null.</summary>
    public AttachmentStore<TContext>? Attachments { get; } = attachments;

    /// <summary>The settings.</summary>
    public ChatKitServerOptions Options { get; } = options ?? new();

    /// <summary>Answers the body of a request.</summary>
    /// <param name="body">JSON, UTF-8. Not used after the task has ended.</param>
    /// <param name="context">Given to the store and to the handlers.</param>
    /// <param name="cancel">Cancelled when the client has gone. It also governs the stream.</param>
    /// <returns>A <see cref="StreamingResult"/> or a <see cref="JsonResult"/>, as the operation says.</returns>
    /// <exception cref="InvalidRequestException">Not a request of this protocol, or one that does not fit the item it names (400).</exception>
    /// <exception cref="NotFoundException">A thread, item or attachment that is not there for this context (404).</exception>
    /// <exception cref="RequestRefusedException">
    /// Refused, with the status to answer: 409 <c>thread_busy</c>, <c>thread_locked</c>, <c>thread_closed</c>,
    /// <c>no_pending_client_tool_call</c>, <c>already_answered</c>; 501 <c>not_supported</c>; and what your own code throws.
    /// </exception>
    public Task<ChatKitResult> ProcessAsync(ReadOnlyMemory<byte> body, TContext context, CancellationToken cancel) =>
        ProcessAsync(ChatKitRequest.Parse(body), context, cancel);

    /// <summary>Answers a request that was read before, for instance to look at its <see cref="ChatKitRequest.Metadata"/>.</summary>
    /// <inheritdoc cref="ProcessAsync(ReadOnlyMemory{byte}, TContext, CancellationToken)"/>
    public async Task<ChatKitResult> ProcessAsync(ChatKitRequest request, TContext context, CancellationToken cancel) => request switch
    {
        StreamingRequest streaming => await new StreamingOperations<TContext>(this, context).StartAsync(streaming, cancel),
        NonStreamingRequest other => await new NonStreamingOperations<TContext>(this, context).AnswerAsync(other, cancel),
        _ => throw new ArgumentException("Not a request.", nameof(request)),
    };

    /// <summary>
    /// Answers a user message, or goes on after a client tool's output or answered questions. The thread's items, the message
    /// among them, are in the store.
    /// </summary>
    /// <param name="thread">May be changed while the handler runs.</param>
    /// <param name="message">The message to answer; null when the turn goes on after a tool's output or answered questions.</param>
    /// <param name="cancel">Cancelled when the client has gone or the thread's lease was lost: stop the model then.</param>
    public abstract IAsyncEnumerable<StreamEvent> RespondAsync(
        ChatThread thread, UserMessageItem? message, TContext context, CancellationToken cancel);

    /// <summary>Does what a widget or the page asks for, and streams what comes of it. By default refused with 501.</summary>
    /// <param name="action">Untrusted: anyone who may use the thread can send any action.</param>
    /// <param name="sender">The widget as it is stored; null for an action of the page.</param>
    /// <param name="cancel">As in <see cref="RespondAsync"/>.</param>
    /// <exception cref="RequestRefusedException">
    /// Thrown by the call itself, not by an iterator's first step, it refuses the request before the stream begins.
    /// </exception>
    public virtual IAsyncEnumerable<StreamEvent> ActionAsync(
        ChatThread thread, WidgetAction action, WidgetItem? sender, TContext context, CancellationToken cancel) =>
        throw RequestRefusedException.NotSupported("actions");

    /// <summary>
    /// Does what a widget asks for, possibly while a reply streams in the thread. By default refused with 501. The item that it
    /// returns is shown and not stored.
    /// </summary>
    /// <inheritdoc cref="ActionAsync"/>
    public virtual Task<SyncActionResult> SyncActionAsync(
        ChatThread thread, WidgetAction action, WidgetItem? sender, TContext context, CancellationToken cancel) =>
        throw RequestRefusedException.NotSupported("actions without a stream");

    /// <summary>Takes a user's judgement of items. By default it is not kept.</summary>
    /// <param name="threadId">A thread that the context may see.</param>
    /// <param name="itemIds">As the client says: not checked.</param>
    public virtual Task AddFeedbackAsync(
        string threadId, IReadOnlyList<string> itemIds, FeedbackKind kind, TContext context, CancellationToken cancel) => Task.CompletedTask;

    /// <summary>Turns a recording into text for the composer. By default refused with 501.</summary>
    public virtual Task<TranscriptionResult> TranscribeAsync(AudioInput audio, TContext context, CancellationToken cancel) =>
        throw RequestRefusedException.NotSupported("transcription");

    /// <summary>Settings of a stream that is about to begin. By default the client may stop it.</summary>
    public virtual Task<StreamOptions> GetStreamOptionsAsync(ChatThread thread, TContext context, CancellationToken cancel) =>
        Task.FromResult(new StreamOptions { AllowCancel = true });

    /// <summary>
    /// Called when the client has gone before the handler ended, after the handler was stopped. By default stores the assistant
    /// messages that have any text, as they were shown, and a hidden note that tells the model to let the request be.
    /// </summary>
    /// <param name="pendingItems">Items that had begun, with the updates that were sent, in the order in which they began.</param>
    /// <param name="cancel">Not the request's token, which is cancelled: cancelled after <see cref="ChatKitServerOptions.SaveLimit"/>.</param>
    public virtual async Task HandleStreamCancelledAsync(
        ChatThread thread, IReadOnlyList<ThreadItem> pendingItems, TContext context, CancellationToken cancel)
    {
        foreach (var message in pendingItems.OfType<AssistantMessageItem>())
        {
            if (message.Content.Any(part => !string.IsNullOrWhiteSpace(part.Text)))
            {
                await Store.AddThreadItemAsync(thread.Id, message, context, cancel);
            }
        }

        var note = new SdkHiddenContextItem
        {
            Id = Store.GenerateItemId(ItemKind.SdkHiddenContext, thread, context),
            ThreadId = thread.Id,
            CreatedAt = Options.Clock.GetUtcNow(),
            Content = CancelledNote(context),
        };
        await Store.AddThreadItemAsync(thread.Id, note, context, cancel);
    }

    /// <summary>What the hidden note of a cancelled reply tells the model.</summary>
    protected virtual string CancelledNote(TContext context) =>
        "The user stopped the reply to the last request before it was complete. Do not go on with that reply.";

    /// <summary>
    /// The events of ordinary code, for handlers that are no iterators: messages, workflows and widgets are written piece by
    /// piece, also by tools that run side by side. The stream ends when the work does; what it throws ends it with an error.
    /// </summary>
    /// <param name="work">Gets a token that is cancelled when the handler is to stop.</param>
    /// <param name="cancel">The handler's.</param>
    public IAsyncEnumerable<StreamEvent> StreamItems(
        ChatThread thread, TContext context, Func<ItemWriter, CancellationToken, Task> work, CancellationToken cancel) =>
        new ItemWriter(thread, kind => Store.GenerateItemId(kind, thread, context), Options.Clock).RunAsync(work, cancel);

    /// <summary>The whole of a thread's items, hidden ones too, oldest first, page by page.</summary>
    /// <exception cref="NotFoundException">An item that a page ended with was deleted while the pages were read.</exception>
    public IAsyncEnumerable<ThreadItem> LoadAllItemsAsync(string threadId, SortOrder order, TContext context, CancellationToken cancel) =>
        StoreReading.AllItemsAsync(Store, threadId, order, context, cancel);
}
