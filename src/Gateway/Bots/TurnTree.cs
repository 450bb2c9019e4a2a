using Gateway.Http;
using Gateway.Limits;
using Gateway.Upstream;

namespace Gateway.Bots;

/// <summary>
/// What the turns of one request have in common: the bot that was asked, those that it asks, and those that they ask. Safe for
/// concurrent use.
/// </summary>
/// <param name="limits">Of the bot that the caller asked.</param>
internal sealed class TurnTree(Metered metered, RequestFacts facts, TurnLimits limits)
{
    private const decimal ForTools = 0.8m;

    private readonly Lock _lock = new();
    private readonly List<AttemptTrail> _trails = new(1);
    private TokenUsage _usage;
    private bool _isUsageUnknown;
    private int _results;
    private int _turns;
    private int _toolCalls;

    public Metered Metered { get; } = metered;

    public RequestFacts Facts { get; } = facts;

    public TurnLimits Limits { get; } = limits;

    /// <summary>Whether what is left of the budget is for the answer alone. Without known prices there is nothing to go by.</summary>
    public bool IsBudgetNearEnd => IsSpent(ForTools);

    public bool IsBudgetSpent => IsSpent(1);

    /// <summary>The sum over all steps so far; null when an upstream did not say.</summary>
    public TokenUsage? Usage
    {
        get
        {
            lock (_lock)
            {
                return _isUsageUnknown ? null : _usage;
            }
        }
    }

    /// <summary>
    /// Counts a call of a tool: what the asked bot may call holds for the bots that it asks too, or every level would multiply
    /// the work of one request.
    /// </summary>
    public bool MayCallTool() => Interlocked.Increment(ref _toolCalls) <= Limits.ToolCalls;

    /// <summary>Whether the bots of this request may call no more tools.</summary>
    public bool AreToolsUsedUp => Volatile.Read(ref _toolCalls) >= Limits.ToolCalls;

    /// <summary>A step is over.</summary>
    /// <param name="used">Null: its upstream did not say.</param>
    public void Add(TokenUsage? used)
    {
        lock (_lock)
        {
            _usage += used ?? default;
            _isUsageUnknown |= used is null;
        }
    }

    /// <summary>Notes how a step's attempts went, for headers and the log. Again when more is known of them.</summary>
    public void Note(AttemptTrail trail)
    {
        lock (_lock)
        {
            if (!_trails.Contains(trail))
            {
                _trails.Add(trail);
            }

            Facts.Deployment = trail.LastDeployment ?? Facts.Deployment;
            Facts.AttemptsHeader = _trails is [var only] ? only.Count > 0 ? only.ToHeader() : null
                : _trails.Exists(t => t.Count > 0) ? AttemptTrail.ToHeader(_trails) : null;
        }
    }

    /// <summary>Notes, for the header, what a conversation lost for the model's context.</summary>
    public void Trimmed(int results, int turns)
    {
        if (results + turns == 0)
        {
            return;
        }

        lock (_lock)
        {
            (_results, _turns) = (_results + results, _turns + turns);
            Facts.ContextTrimmed = $"results={_results}, turns={_turns}";
        }
    }

    private bool IsSpent(decimal share) =>
        Limits.Usd is { } most && Metered.Usage.Totals().Usd is { } spent && spent + Metered.Usage.BesideUsd >= most * share;
}

/// <summary>One bot's turn in a tree of them.</summary>
internal sealed class TurnScope
{
    /// <summary>Runs the turns of members.</summary>
    public required BotTurn Turns { get; init; }

    public required TurnRequest Request { get; init; }

    public required TurnContext Context { get; init; }

    public required TurnTree Tree { get; init; }

    public required TurnTime Time { get; init; }

    /// <summary>The conversation, without what becomes part of the system prompt.</summary>
    public required TurnMessages Messages { get; init; }

    /// <summary>Takes the parameters that are not used.</summary>
    public required List<string> Dropped { get; init; }

    /// <summary>Whether the caller's tools are offered, which only the bot that it asked may call.</summary>
    public bool OffersCallerTools { get; init; }

    /// <summary>The words with which another bot handed the conversation over; null: none did.</summary>
    public string? HandedOverWith { get; init; }

    /// <summary>Tokens of the caller's <c>max_tokens</c> that are used already.</summary>
    public long OutputUsed { get; set; }

    public Bot Bot => Request.Bot;

    /// <summary>1 for the bot that the caller asked.</summary>
    public int Depth => Context.Above.Count + 1;
}
