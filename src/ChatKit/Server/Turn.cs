using System.Runtime.CompilerServices;

namespace ChatKit;

/// <summary>
/// One stream: the opening events, then the handler's, each stored before it is sent. Holds the thread's lease until the
/// end. Prepared first, then run once or given up.
/// </summary>
internal sealed class Turn<TContext> : IAsyncDisposable
{
    private readonly ChatKitServer<TContext> _server;
    private readonly TContext _context;
    private readonly PendingItems _pending = new();

    /// <summary>The client has gone.</summary>
    private readonly CancellationTokenSource _left;

    private CancellationTokenSource? _stop;
    private IThreadLease? _lease;
    private ChatThread? _thread;
    private ThreadChanges? _changes;
    private HandlerRun? _run;
    private bool _hasEnded;

    public Turn(ChatKitServer<TContext> server, TContext context, CancellationToken cancel)
    {
        _server = server;
        _context = context;
        _left = CancellationTokenSource.CreateLinkedTokenSource(cancel);
    }

    public ChatThread Thread => _thread ?? throw new InvalidOperationException("No thread was taken.");

    /// <summary>Cancelled when the handler is to stop.</summary>
    public CancellationToken Stopping => _stop!.Token;

    public List<StreamEvent> Opening { get; } = [];

    /// <summary>Null: the stream ends with its opening.</summary>
    public Func<CancellationToken, IAsyncEnumerable<StreamEvent>>? Handler { get; set; }

    private bool IsLeaseLost => _lease!.Lost.IsCancellationRequested;

    /// <summary>Reads a thread and takes its lease, in an order that shows nobody anything of a thread that is not theirs.</summary>
    public async Task TakeAsync(string threadId, CancellationToken cancel)
    {
        await TakeAsync(await _server.Store.LoadThreadAsync(threadId, _context, cancel), cancel);

        // Once more: a stream that has just ended may have changed it.
        _thread = await _server.Store.LoadThreadAsync(threadId, _context, cancel);
        _changes = new ThreadChanges(_thread);
    }

    public async Task TakeAsync(ChatThread thread, CancellationToken cancel)
    {
        _lease = await ThreadWait.AcquireAsync(_server.Store, thread.Id, _server.Options, _context, cancel);
        _stop = CancellationTokenSource.CreateLinkedTokenSource(_left.Token, _lease.Lost);
        _thread = thread;
        _changes = new ThreadChanges(thread);
    }

    public async IAsyncEnumerable<ReadOnlyMemory<byte>> RunAsync([EnumeratorCancellation] CancellationToken cancel)
    {
        using var leaving = cancel.UnsafeRegister(static turn => ((Turn<TContext>)turn!).Leave(), this);
        try
        {
            foreach (var opening in Opening)
            {
                yield return ServerSentEvent.Of(opening);
            }

            while (Handler is not null && !_hasEnded)
            {
                foreach (var bytes in await StepAsync())
                {
                    yield return bytes;
                }
            }

            _hasEnded = true;
        }
        finally
        {
            await GiveUpAsync();
        }
    }

    /// <summary>Stops the handler, if it has not ended, saves what was shown, and lets the thread go.</summary>
    public async Task GiveUpAsync()
    {
        try
        {
            if (_hasEnded || Handler is null)
            {
                return;
            }

            await _left.CancelAsync();
            await EndHandlerAsync();
            if (!IsLeaseLost)
            {
                using var limit = new CancellationTokenSource(_server.Options.SaveLimit, _server.Options.Clock);
                await _server.HandleStreamCancelledAsync(Thread, _pending.Items, _context, limit.Token);
            }
        }
        catch (Exception e)
        {
            TellUnsaved(e);
        }
        finally
        {
            await DisposeAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        _stop?.Dispose();
        _left.Dispose();
        if (_lease is not null)
        {
            await _lease.DisposeAsync();
        }
    }

    private void Leave()
    {
        try
        {
            _left.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The stream has ended in this moment: nobody is left to be stopped.
        }
    }

    /// <summary>What the handler's next event sends: the event if it may be seen, and the thread if it has changed.</summary>
    /// <exception cref="OperationCanceledException">The client has gone.</exception>
    private async Task<IReadOnlyList<ReadOnlyMemory<byte>>> StepAsync()
    {
        var sent = new List<ReadOnlyMemory<byte>>(2);
        try
        {
            _run ??= new HandlerRun(Handler!(Stopping), Stopping);
            var next = await _run.NextAsync();
            Stopping.ThrowIfCancellationRequested();
            if (next is null)
            {
                await EndHandlerAsync();
            }
            else
            {
                await StoreAsync(next);
                if (Visible(next) is { } visible)
                {
                    sent.Add(ServerSentEvent.Of(visible));
                }
            }

            await AddChangesAsync(sent, Stopping);
            _hasEnded = next is null;
        }
        catch (Exception e) when (_left.IsCancellationRequested)
        {
            throw e as OperationCanceledException ?? new OperationCanceledException("The client has gone.", e, _left.Token);
        }
        catch (Exception e)
        {
            await FailAsync(e, sent);
        }

        return sent;
    }

    private async Task FailAsync(Exception error, List<ReadOnlyMemory<byte>> sent)
    {
        _hasEnded = true;
        var isLost = IsLeaseLost;
        if (isLost)
        {
            Log.LeaseLost(_server.Options.Logger, Thread.Id);
        }
        else if (!StreamErrors.IsMeant(error))
        {
            Log.StreamFailed(_server.Options.Logger, error, Thread.Id);
        }

        sent.Add(ServerSentEvent.Of(StreamErrors.EventOf(isLost ? new StreamErrorException() : error)));
        try
        {
            await _stop!.CancelAsync();
            await EndHandlerAsync();
            if (!isLost)
            {
                await AddChangesAsync(sent, _left.Token);
            }
        }
        catch (Exception e)
        {
            TellUnsaved(e);
        }
    }

    private void TellUnsaved(Exception error)
    {
        if (IsLeaseLost)
        {
            Log.LeaseLost(_server.Options.Logger, Thread.Id);
        }
        else
        {
            Log.SaveFailed(_server.Options.Logger, error, Thread.Id);
        }
    }

    private async Task StoreAsync(StreamEvent next)
    {
        var store = _server.Store;
        switch (next)
        {
            case ThreadItemAddedEvent added:
                _pending.Begin(added.Item);
                break;
            case ThreadItemUpdatedEvent updated:
                _pending.Apply(updated.ItemId, updated.Update);
                break;
            case ThreadItemDoneEvent done:
                await store.AddThreadItemAsync(Thread.Id, done.Item, _context, Stopping);
                _pending.End(done.Item.Id);
                break;
            case ThreadItemRemovedEvent removed:
                await store.DeleteThreadItemAsync(Thread.Id, removed.ItemId, _context, Stopping);
                _pending.End(removed.ItemId);
                break;
            case ThreadItemReplacedEvent replaced:
                await store.SaveItemAsync(Thread.Id, replaced.Item, _context, Stopping);
                _pending.End(replaced.Item.Id);
                break;
        }
    }

    /// <summary>The event as a client may see it; null when it carries a hidden item.</summary>
    private StreamEvent? Visible(StreamEvent next) => next switch
    {
        ThreadItemAddedEvent { Item.IsHidden: true } => null,
        ThreadItemDoneEvent { Item.IsHidden: true } => null,
        ThreadItemReplacedEvent { Item.IsHidden: true } => null,
        ThreadItemUpdatedEvent updated when _pending.IsHidden(updated.ItemId) => null,
        ThreadCreatedEvent created => created with { Thread = WithoutItems(created.Thread) },
        ThreadUpdatedEvent updated => updated with { Thread = WithoutItems(updated.Thread) },
        _ => next,
    };

    private static ThreadView WithoutItems(ThreadView thread) => thread with { Items = new() { Data = [] } };

    private async Task AddChangesAsync(List<ReadOnlyMemory<byte>> sent, CancellationToken cancel)
    {
        if (await _changes!.SaveAsync(_server.Store, _context, cancel))
        {
            sent.Add(ServerSentEvent.Of(new ThreadUpdatedEvent { Thread = ThreadView.Of(Thread) }));
        }
    }

    private async Task EndHandlerAsync()
    {
        var options = _server.Options;
        if (_run is not null && !await _run.EndAsync(options.HandlerStopLimit, options.Clock))
        {
            Log.HandlerLeftBehind(options.Logger, Thread.Id, options.HandlerStopLimit.TotalSeconds);
        }
    }
}
