using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using ChatKit.Widgets;

namespace ChatKit;

/// <summary>
/// Writes a handler's events from ordinary code, so that tools which run beside the model can write too: see
/// <see cref="ChatKitServer{TContext}.StreamItems"/>. Ids and times are made here. What the user sees is one thing after another: a
/// new item ends an open workflow, a new message ends an open one. Safe for concurrent use.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "A semaphore that gave out no wait handle holds nothing.")]
public sealed class ItemWriter
{
    private const int EventsAhead = 64;

    private readonly Func<ItemKind, string> _newId;
    private readonly TimeProvider _clock;
    private readonly Channel<StreamEvent> _events = Channel.CreateBounded<StreamEvent>(EventsAhead);
    private readonly SemaphoreSlim _gate = new(1);
    private readonly List<string> _made = [];
    private CancellationToken _cancel;
    private MessageWriter? _message;
    private WorkflowWriter? _workflow;
    private ClientToolCallItem? _call;

    internal ItemWriter(ChatThread thread, Func<ItemKind, string> newId, TimeProvider clock)
    {
        Thread = thread;
        _newId = newId;
        _clock = clock;
    }

    /// <summary>The thread that is written to.</summary>
    public ChatThread Thread { get; }

    internal DateTimeOffset Now => _clock.GetUtcNow();

    /// <summary>Writes any event, for instance a <see cref="ProgressUpdateEvent"/>.</summary>
    public Task WriteAsync(StreamEvent next) => LockedAsync(() => SendAsync(next));

    /// <summary>Writes an item that is complete.</summary>
    public Task AddAsync(ThreadItem item) => LockedAsync(async () =>
    {
        if (item is not (HiddenItem or ClientToolCallItem))
        {
            await EndOpenAsync();
        }

        _made.Add(item.Id);
        await SendAsync(new ThreadItemDoneEvent { Item = item });
    });

    /// <summary>Begins an assistant message. It ends with <see cref="MessageWriter.EndAsync"/>, the next item, or the handler.</summary>
    public async Task<MessageWriter> BeginMessageAsync()
    {
        await LockedAsync(async () =>
        {
            await EndOpenAsync();
            _message = new MessageWriter(this, NewId(ItemKind.Message));
            await _message.BeginAsync();
        });
        return _message!;
    }

    /// <summary>
    /// Begins a workflow: at once for the model's thoughts, with the first task for one of your own. It ends with
    /// <see cref="WorkflowWriter.EndAsync"/>, the next item, or the handler.
    /// </summary>
    public async Task<WorkflowWriter> BeginWorkflowAsync(WorkflowType type)
    {
        await LockedAsync(async () =>
        {
            await EndOpenAsync();
            _workflow = new WorkflowWriter(this, NewId(ItemKind.Workflow), type);
            await _workflow.BeginAsync();
        });
        return _workflow!;
    }

    /// <summary>Shows a widget that is complete.</summary>
    /// <param name="copyText">What the copy button puts on the clipboard; null: no such button.</param>
    public Task AddWidgetAsync(WidgetRoot widget, string? copyText = null) => LockedAsync(async () =>
    {
        await EndOpenAsync();
        var item = new WidgetItem { Id = NewId(ItemKind.Message), ThreadId = Thread.Id, CreatedAt = Now, Widget = widget, CopyText = copyText };
        await SendAsync(WidgetEvents.Of(item));
    });

    /// <summary>Shows a widget while it comes into being, from its first state to its last, in which it is stored.</summary>
    /// <param name="states">Whole trees.</param>
    /// <param name="copyText">What the copy button puts on the clipboard; null: no such button.</param>
    public async Task StreamWidgetAsync(IAsyncEnumerable<WidgetRoot> states, string? copyText = null)
    {
        var id = string.Empty;
        await LockedAsync(async () =>
        {
            await EndOpenAsync();
            id = NewId(ItemKind.Message);
        });
        await foreach (var next in WidgetEvents.OfAsync(Thread.Id, id, Now, states, copyText, _cancel))
        {
            await WriteAsync(next);
        }
    }

    /// <summary>Has the page run a tool, as the last thing of the turn. One call a turn: a second one takes the place of the first.</summary>
    /// <param name="name">The tool's name, as the page registered it.</param>
    /// <param name="arguments">What it is called with.</param>
    /// <param name="callId">The call's id as the model knows it; null: a new one.</param>
    public Task CallClientToolAsync(string name, JsonObject arguments, string? callId = null) => LockedAsync(() =>
    {
        _call = new ClientToolCallItem
        {
            Id = _newId(ItemKind.ToolCall),
            ThreadId = Thread.Id,
            CreatedAt = Now,
            CallId = callId ?? _newId(ItemKind.ToolCall),
            Name = name,
            Arguments = arguments,
        };
        return Task.CompletedTask;
    });

    /// <summary>Takes back every item that was written here, for instance because a check of the answer failed.</summary>
    public Task RemoveAllAsync() => LockedAsync(async () =>
    {
        (_message, _workflow, _call) = (null, null, null);
        foreach (var id in _made)
        {
            await SendAsync(new ThreadItemRemovedEvent { ItemId = id });
        }

        _made.Clear();
    });

    internal async IAsyncEnumerable<StreamEvent> RunAsync(
        Func<ItemWriter, CancellationToken, Task> work, [EnumeratorCancellation] CancellationToken cancel = default)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        _cancel = stop.Token;
        var working = WorkAsync(work);
        try
        {
            await foreach (var next in _events.Reader.ReadAllAsync(cancel))
            {
                yield return next;
            }

            await working;
        }
        finally
        {
            await stop.CancelAsync();
            await working.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    internal async Task LockedAsync(Func<Task> work)
    {
        await _gate.WaitAsync(_cancel);
        try
        {
            await work();
        }
        finally
        {
            _gate.Release();
        }
    }

    internal Task SendAsync(StreamEvent next) => _events.Writer.WriteAsync(next, _cancel).AsTask();

    internal void Forget(MessageWriter message) => _message = _message == message ? null : _message;

    internal void Forget(WorkflowWriter workflow) => _workflow = _workflow == workflow ? null : _workflow;

    private string NewId(ItemKind kind)
    {
        _made.Add(_newId(kind));
        return _made[^1];
    }

    private async Task EndOpenAsync()
    {
        await (_message?.FinishAsync() ?? Task.CompletedTask);
        await (_workflow?.FinishAsync(null, expanded: false) ?? Task.CompletedTask);
    }

    private async Task WorkAsync(Func<ItemWriter, CancellationToken, Task> work)
    {
        try
        {
            await work(this, _cancel);
            await LockedAsync(async () =>
            {
                await EndOpenAsync();
                if (_call is not null)
                {
                    await SendAsync(new ThreadItemDoneEvent { Item = _call });
                }
            });
        }
        finally
        {
            _events.Writer.Complete();
        }
    }
}
