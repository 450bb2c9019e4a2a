using System.Text;
using ChatKit;
using Gateway.Bots;

namespace Gateway.ChatKit.Turns;

/// <summary>A bot's thoughts and tools as the tasks of a workflow, of which one is open at a time. One turn's.</summary>
internal sealed class StepWorkflow(ChatThread thread, Func<ItemKind, string> newId, TimeProvider clock)
{
    /// <summary>Characters after which a thought is sent again: each time all of it travels.</summary>
    private const int ThoughtStep = 120;

    private Steps? _steps;

    public IEnumerable<StreamEvent> Think(string piece)
    {
        foreach (var begun in Begin(WorkflowType.Reasoning))
        {
            yield return begun;
        }

        var steps = _steps!;
        steps.Thought.Append(piece);
        if (steps.ThoughtIndex is not { } index)
        {
            steps.ThoughtIndex = steps.Tasks.Count;
            steps.Tasks.Add(steps.ThoughtSoFar());
            yield return Update(steps.Id, new WorkflowTaskAdded { TaskIndex = steps.Tasks.Count - 1, Task = steps.Tasks[^1] });
        }
        else if (steps.Thought.Length - steps.ThoughtSent >= ThoughtStep)
        {
            steps.Tasks[index] = steps.ThoughtSoFar();
            yield return Update(steps.Id, new WorkflowTaskUpdated { TaskIndex = index, Task = steps.Tasks[index] });
        }
    }

    public IEnumerable<StreamEvent> Begin(BotEvent.ToolStarted started)
    {
        foreach (var begun in Begin(WorkflowType.Custom))
        {
            yield return begun;
        }

        var steps = _steps!;
        steps.EndThought();
        var task = StepWords.Task(started.Kind, started.Tool, StatusIndicator.Loading, isFailure: false);
        steps.Places[started.Call] = (steps.Tasks.Count, started.Kind);
        steps.Tasks.Add(task);
        yield return Update(steps.Id, new WorkflowTaskAdded { TaskIndex = steps.Tasks.Count - 1, Task = task });
    }

    public StreamEvent[] End(BotEvent.ToolDone done)
    {
        if (_steps is not { } steps || !steps.Places.TryGetValue(done.Call, out var place))
        {
            return [];
        }

        var task = StepWords.Task(place.Kind, done.Tool, StatusIndicator.Complete, done.IsFailure);
        steps.Tasks[place.Index] = task;
        return [Update(steps.Id, new WorkflowTaskUpdated { TaskIndex = place.Index, Task = task })];
    }

    /// <summary>Ends the workflow that is open, as done.</summary>
    public StreamEvent[] End()
    {
        if (_steps is not { } steps)
        {
            return [];
        }

        _steps = null;
        steps.Close();
        var seconds = (int)Math.Round((clock.GetUtcNow() - steps.CreatedAt).TotalSeconds);
        return [new ThreadItemDoneEvent { Item = Item(steps, new DurationSummary { Duration = seconds }) }];
    }

    private IEnumerable<StreamEvent> Begin(WorkflowType type)
    {
        if (_steps is not null)
        {
            yield break;
        }

        _steps = new Steps(newId(ItemKind.Workflow), type, clock.GetUtcNow());
        yield return new ThreadItemAddedEvent { Item = Item(_steps, summary: null) };
    }

    private WorkflowItem Item(Steps steps, WorkflowSummary? summary) => new()
    {
        Id = steps.Id,
        ThreadId = thread.Id,
        CreatedAt = steps.CreatedAt,
        Workflow = new Workflow { Type = steps.Type, Tasks = [.. steps.Tasks], Summary = summary },
    };

    private static ThreadItemUpdatedEvent Update(string id, ThreadItemUpdate update) => new() { ItemId = id, Update = update };

    private sealed class Steps(string id, WorkflowType type, DateTimeOffset createdAt)
    {
        public string Id => id;

        public WorkflowType Type => type;

        public DateTimeOffset CreatedAt => createdAt;

        public List<ChatTask> Tasks { get; } = [];

        /// <summary>Where the calls that run have their tasks.</summary>
        public Dictionary<int, (int Index, ToolKind Kind)> Places { get; } = [];

        public StringBuilder Thought { get; } = new();

        public int? ThoughtIndex { get; set; }

        /// <summary>Characters of the thought that the page has.</summary>
        public int ThoughtSent { get; private set; }

        public ThoughtTask ThoughtSoFar()
        {
            ThoughtSent = Thought.Length;
            return new ThoughtTask { Content = Thought.ToString() };
        }

        /// <summary>What the model thinks after a step is another thought.</summary>
        public void EndThought()
        {
            if (ThoughtIndex is { } index)
            {
                Tasks[index] = ThoughtSoFar();
            }

            ThoughtIndex = null;
            Thought.Clear();
        }

        /// <summary>Nothing runs any more in a workflow that is over: a colleague who took over goes on in words of its own.</summary>
        public void Close()
        {
            EndThought();
            for (var i = 0; i < Tasks.Count; i++)
            {
                if (Tasks[i] is CustomTask { StatusIndicator: StatusIndicator.Loading } running)
                {
                    Tasks[i] = running with { StatusIndicator = StatusIndicator.Complete };
                }
            }
        }
    }
}
