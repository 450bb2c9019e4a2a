using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ChatKit;
using Gateway.Bots;

namespace Gateway.ChatKit.Turns;

/// <summary>
/// Translates what happens in a bot's turn into what a chat page shows: text into messages, the bot's own steps into the tasks
/// of a workflow or a passing line, a call of the page's tools into a pending call. One turn's; not for concurrent use.
/// </summary>
/// <param name="showsSteps">Whether the bot's owner lets users see its steps; else a passing line says that it works.</param>
internal sealed class TurnItems(ChatThread thread, bool showsSteps, Func<ItemKind, string> newId, TimeProvider clock)
{
    /// <summary>Characters after which a thought is sent again: each time all of it travels.</summary>
    private const int ThoughtStep = 120;

    private readonly List<ClientCall> _calls = [];
    private Message? _message;
    private Steps? _steps;

    /// <summary>Characters of the whole answer before the message that is open.</summary>
    private int _before;
    private int _seen;
    private bool _isThinking;

    /// <summary>Whether the user has been shown any words of the answer.</summary>
    public bool HasAnswered { get; private set; }

    /// <summary>The calls of the page's tools, whole, once the turn has finished.</summary>
    public IReadOnlyList<ClientCall> Calls => _calls;

    /// <summary>What the page is told of it, in order; most often nothing or one event.</summary>
    public IEnumerable<StreamEvent> Read(BotEvent happened) => happened switch
    {
        BotEvent.Text text => Say(text.Piece),
        BotEvent.Refusal refusal => Say(refusal.Piece),
        BotEvent.Reasoning reasoning => Think(reasoning.Piece),
        BotEvent.Cited cited => Cite(cited),
        BotEvent.ToolStarted started => Begin(started),
        BotEvent.ToolDone done => End(done),
        BotEvent.CallerToolCall call => Call(call),
        _ => [],
    };

    /// <summary>Ends what is open, as done.</summary>
    public IEnumerable<StreamEvent> Finish() => [.. EndSteps(), .. EndMessage()];

    private IEnumerable<StreamEvent> Say(string piece)
    {
        _seen += piece.Length;
        if (_message is null)
        {
            // A message behind a workflow needs no blank line before it.
            var text = piece.TrimStart('\n');
            if (text.Length == 0)
            {
                yield break;
            }

            foreach (var ended in EndSteps())
            {
                yield return ended;
            }

            _before = _seen - text.Length;
            piece = text;
            _message = new Message(newId(ItemKind.Message), clock.GetUtcNow());
            yield return new ThreadItemAddedEvent { Item = Item(_message, []) };
            yield return Update(_message.Id, new ContentPartAdded { ContentIndex = 0, Content = new() { Text = "" } });
        }

        HasAnswered = true;
        _message.Text.Append(piece);
        yield return Update(_message.Id, new ContentPartTextDelta { ContentIndex = 0, Delta = piece });
    }

    private IEnumerable<StreamEvent> Cite(BotEvent.Cited cited)
    {
        var index = cited.End - _before;
        // Of a message that has ended since.
        if (_message is not { } message || index < 0 || index > message.Text.Length)
        {
            yield break;
        }

        Source source = cited.Source.Url is { } url
            ? new UrlSource { Title = cited.Source.Title, Url = url }
            : new FileSource { Title = cited.Source.Title, Filename = cited.Source.FileName ?? cited.Source.Title };
        var annotation = new Annotation { Source = source, Index = index };
        message.Annotations.Add(annotation);
        yield return Update(message.Id, new ContentPartAnnotationAdded
        {
            ContentIndex = 0,
            AnnotationIndex = message.Annotations.Count - 1,
            Annotation = annotation,
        });
    }

    private IEnumerable<StreamEvent> Think(string piece)
    {
        if (!showsSteps)
        {
            // What a model thinks tells what the bot is made of.
            if (!_isThinking)
            {
                _isThinking = true;
                yield return new ProgressUpdateEvent { Text = "Thinking", Icon = IconName.FromString("sparkle") };
            }

            yield break;
        }

        foreach (var ended in EndMessage())
        {
            yield return ended;
        }

        foreach (var begun in BeginSteps(WorkflowType.Reasoning))
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

    private IEnumerable<StreamEvent> Begin(BotEvent.ToolStarted started)
    {
        foreach (var ended in EndMessage())
        {
            yield return ended;
        }

        if (!showsSteps)
        {
            yield return new ProgressUpdateEvent { Text = StepWords.Passing(started.Kind), Icon = StepWords.Icon(started.Kind) };
            yield break;
        }

        foreach (var begun in BeginSteps(WorkflowType.Custom))
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

    private IEnumerable<StreamEvent> End(BotEvent.ToolDone done)
    {
        if (_steps is not { } steps || !steps.Places.TryGetValue(done.Call, out var place))
        {
            yield break;
        }

        var task = StepWords.Task(place.Kind, done.Tool, StatusIndicator.Complete, done.IsFailure);
        steps.Tasks[place.Index] = task;
        yield return Update(steps.Id, new WorkflowTaskUpdated { TaskIndex = place.Index, Task = task });
    }

    private StreamEvent[] Call(BotEvent.CallerToolCall piece)
    {
        while (_calls.Count <= piece.Index)
        {
            _calls.Add(new ClientCall());
        }

        _calls[piece.Index].Add(piece);
        return [];
    }

    private IEnumerable<StreamEvent> BeginSteps(WorkflowType type)
    {
        if (_steps is not null)
        {
            yield break;
        }

        _steps = new Steps(newId(ItemKind.Workflow), type, clock.GetUtcNow());
        yield return new ThreadItemAddedEvent { Item = Item(_steps, summary: null) };
    }

    private IEnumerable<StreamEvent> EndSteps()
    {
        if (_steps is not { } steps)
        {
            yield break;
        }

        _steps = null;
        steps.Close();
        var seconds = (int)Math.Round((clock.GetUtcNow() - steps.CreatedAt).TotalSeconds);
        yield return new ThreadItemDoneEvent { Item = Item(steps, new DurationSummary { Duration = seconds }) };
    }

    private IEnumerable<StreamEvent> EndMessage()
    {
        if (_message is not { } message)
        {
            yield break;
        }

        _message = null;
        var content = new AssistantMessageContent { Text = message.Text.ToString(), Annotations = message.Annotations };
        yield return Update(message.Id, new ContentPartDone { ContentIndex = 0, Content = content });
        yield return new ThreadItemDoneEvent { Item = Item(message, [content]) };
    }

    private AssistantMessageItem Item(Message message, IReadOnlyList<AssistantMessageContent> content) =>
        new() { Id = message.Id, ThreadId = thread.Id, CreatedAt = message.CreatedAt, Content = content };

    private WorkflowItem Item(Steps steps, WorkflowSummary? summary) => new()
    {
        Id = steps.Id,
        ThreadId = thread.Id,
        CreatedAt = steps.CreatedAt,
        Workflow = new Workflow { Type = steps.Type, Tasks = [.. steps.Tasks], Summary = summary },
    };

    private static ThreadItemUpdatedEvent Update(string id, ThreadItemUpdate update) => new() { ItemId = id, Update = update };

    private sealed class Message(string id, DateTimeOffset createdAt)
    {
        public string Id => id;

        public DateTimeOffset CreatedAt => createdAt;

        public StringBuilder Text { get; } = new();

        public List<Annotation> Annotations { get; } = [];
    }

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
        public int ThoughtSent { get; set; }

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

/// <summary>A call of one of the page's tools, put together of its pieces.</summary>
internal sealed class ClientCall
{
    private readonly StringBuilder _arguments = new();

    /// <summary>By which the bot finds what it did before it called.</summary>
    public string Id { get; private set; } = "";

    public string Name { get; private set; } = "";

    /// <summary>What the model wrote; where that is no JSON object, an empty one, as the page takes nothing else.</summary>
    public JsonObject Arguments
    {
        get
        {
            try
            {
                return _arguments.Length == 0 ? [] : JsonNode.Parse(_arguments.ToString()) as JsonObject ?? [];
            }
            catch (JsonException)
            {
                return [];
            }
        }
    }

    public void Add(BotEvent.CallerToolCall piece)
    {
        Id = piece.Id ?? Id;
        Name = piece.Name ?? Name;
        _arguments.Append(piece.Arguments);
    }
}
