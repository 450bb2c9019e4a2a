namespace ChatKit;

/// <summary>Writes a workflow task by task. Safe for concurrent use. After its end nothing more is written.</summary>
public sealed class WorkflowWriter
{
    private readonly ItemWriter _stream;
    private readonly WorkflowItem _item;
    private readonly List<ChatTask> _tasks = [];
    private bool _isShown;
    private bool _isEnded;

    internal WorkflowWriter(ItemWriter stream, string id, WorkflowType type)
    {
        _stream = stream;
        _item = new WorkflowItem { Id = id, ThreadId = stream.Thread.Id, CreatedAt = stream.Now, Workflow = new() { Type = type, Tasks = [] } };
    }

    /// <summary>The item's id.</summary>
    public string Id => _item.Id;

    /// <summary>Adds a task at the end.</summary>
    /// <returns>Its place, from 0, for <see cref="UpdateAsync"/>.</returns>
    public async Task<int> AddAsync(ChatTask task)
    {
        var index = 0;
        await UnlessEndedAsync(async () =>
        {
            index = _tasks.Count;
            _tasks.Add(task);
            if (_isShown)
            {
                await SendUpdateAsync(new WorkflowTaskAdded { TaskIndex = index, Task = task });
            }
            else
            {
                await ShowAsync();
            }
        });
        return index;
    }

    /// <summary>Replaces a task.</summary>
    /// <param name="index">What <see cref="AddAsync"/> returned.</param>
    public Task UpdateAsync(int index, ChatTask task) => UnlessEndedAsync(async () =>
    {
        _tasks[index] = task;
        await SendUpdateAsync(new WorkflowTaskUpdated { TaskIndex = index, Task = task });
    });

    /// <summary>Ends the workflow: it is stored, unless it is your own and has no task. Does nothing when called again.</summary>
    /// <param name="summary">The line shown; null: how long it took, in whole seconds.</param>
    /// <param name="expanded">Whether the tasks stay unfolded.</param>
    public Task EndAsync(WorkflowSummary? summary = null, bool expanded = false) => UnlessEndedAsync(() => FinishAsync(summary, expanded));

    internal Task BeginAsync() => _item.Workflow.Type == WorkflowType.Reasoning ? ShowAsync() : Task.CompletedTask;

    internal async Task FinishAsync(WorkflowSummary? summary, bool expanded)
    {
        _isEnded = true;
        _stream.Forget(this);
        if (_isShown)
        {
            var took = new DurationSummary { Duration = (int)(_stream.Now - _item.CreatedAt).TotalSeconds };
            await _stream.SendAsync(new ThreadItemDoneEvent { Item = Now(summary ?? took, expanded) });
        }
    }

    private Task ShowAsync()
    {
        _isShown = true;
        return _stream.SendAsync(new ThreadItemAddedEvent { Item = Now(null, expanded: false) });
    }

    private WorkflowItem Now(WorkflowSummary? summary, bool expanded) =>
        _item with { Workflow = _item.Workflow with { Tasks = [.. _tasks], Summary = summary, Expanded = expanded } };

    private Task SendUpdateAsync(ThreadItemUpdate update) => _stream.SendAsync(new ThreadItemUpdatedEvent { ItemId = Id, Update = update });

    private Task UnlessEndedAsync(Func<Task> work) => _stream.LockedAsync(() => _isEnded ? Task.CompletedTask : work());
}
