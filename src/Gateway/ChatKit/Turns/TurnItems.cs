using ChatKit;
using Gateway.Bots;

namespace Gateway.ChatKit.Turns;

/// <summary>
/// Translates what happens in a bot's turn into what a chat page shows: text into messages, the bot's own steps into the tasks
/// of a workflow or a passing line, a call of the page's tools into a pending call. Messages and workflows end one another. One
/// turn's; not for concurrent use.
/// </summary>
internal sealed class TurnItems
{
    private readonly bool _showsSteps;
    private readonly AnswerMessages _answer;
    private readonly StepWorkflow _steps;
    private readonly List<ClientCall> _calls = [];
    private readonly List<string> _made = [];
    private bool _isThinking;

    /// <param name="showsSteps">Whether the bot's owner lets users see its steps; else a passing line says that it works.</param>
    public TurnItems(ChatThread thread, bool showsSteps, Func<ItemKind, string> newId, TimeProvider clock)
    {
        _showsSteps = showsSteps;
        _answer = new AnswerMessages(thread, Make, clock);
        _steps = new StepWorkflow(thread, Make, clock);

        string Make(ItemKind kind)
        {
            _made.Add(newId(kind));
            return _made[^1];
        }
    }

    /// <summary>Whether the user has been shown any words of the answer.</summary>
    public bool HasAnswered => _answer.HasBegun;

    /// <summary>The calls of the page's tools, whole, once the turn has finished.</summary>
    public IReadOnlyList<ClientCall> Calls => _calls;

    /// <summary>What the page is told of it, in order; most often nothing or one event.</summary>
    public StreamEvent[] Read(BotEvent happened) => happened switch
    {
        BotEvent.Text text => Say(text.Piece, isAnswer: true),
        BotEvent.Refusal refusal => Say(refusal.Piece, isAnswer: false),
        BotEvent.Reasoning reasoning => Think(reasoning.Piece),
        BotEvent.Cited cited => _answer.Cite(cited),
        BotEvent.ToolStarted started => Begin(started),
        BotEvent.ToolDone done => _steps.End(done),
        BotEvent.CallerToolCall call => Call(call),
        _ => [],
    };

    /// <summary>Ends what is open, as done.</summary>
    public StreamEvent[] Finish() => [.. _steps.End(), .. _answer.End()];

    /// <summary>
    /// Removes all that the turn has made, done or open: messages before a step that fails are done, and part of an answer must not
    /// pass for the whole.
    /// </summary>
    public StreamEvent[] TakeBack() => [.. _made.Select(id => new ThreadItemRemovedEvent { ItemId = id })];

    private StreamEvent[] Say(string piece, bool isAnswer) =>
        _answer.Begins(piece) ? [.. _steps.End(), .. _answer.Say(piece, isAnswer)] : _answer.Say(piece, isAnswer);

    private StreamEvent[] Think(string piece)
    {
        if (_showsSteps)
        {
            return [.. _answer.End(), .. _steps.Think(piece)];
        }

        // What a model thinks tells what the bot is made of.
        var isNew = !_isThinking;
        _isThinking = true;
        return isNew ? [new ProgressUpdateEvent { Text = "Thinking", Icon = IconName.FromString("sparkle") }] : [];
    }

    private StreamEvent[] Begin(BotEvent.ToolStarted started) => _showsSteps
        ? [.. _answer.End(), .. _steps.Begin(started)]
        : [.. _answer.End(), new ProgressUpdateEvent { Text = StepWords.Passing(started.Kind), Icon = StepWords.Icon(started.Kind) }];

    private StreamEvent[] Call(BotEvent.CallerToolCall piece)
    {
        while (_calls.Count <= piece.Index)
        {
            _calls.Add(new ClientCall());
        }

        _calls[piece.Index].Add(piece);
        return [];
    }
}
