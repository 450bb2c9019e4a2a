using System.Diagnostics;

namespace Gateway.Usage;

/// <summary>Who asked for what: what a usage row knows from the start.</summary>
/// <param name="Route">Such as <c>/v1/chat/completions</c>.</param>
/// <param name="Selector">In its canonical form.</param>
/// <param name="Bot">The bot's id; null for a model.</param>
internal sealed record UsageSubject(
    Guid WorkspaceId, Guid KeyId, string RequestId, string Route, string Selector, string? Bot);

/// <summary>
/// What one request uses, gathered while it runs and written to the journal at its end, whatever the end is. Attempts may be
/// added from several threads: members of a team work at the same time.
/// </summary>
internal sealed class RequestUsage(UsageJournal journal, UsageSubject subject, Guid id, DateTimeOffset at)
{
    private const string CallerLeft = "caller_left";
    private const string Shutdown = "shutdown";

    private static readonly AsyncLocal<RequestUsage?> AroundNow = new();

    private readonly Lock _lock = new();
    private readonly List<AttemptUsage> _attempts = new(1);
    private List<StepUsage>? _stepList;
    private readonly long _began = Stopwatch.GetTimestamp();
    private readonly RequestUsage? _around = AroundNow.Value;
    private decimal _besideUsd;
    private bool _isDispatched;
    private bool _isEnded;

    /// <summary>
    /// The request for whose sake others are begun from here on, such as a search in a dataset, which has a row of its own.
    /// Holds until the async method that sets it returns.
    /// </summary>
    public static RequestUsage? Around
    {
        get => AroundNow.Value;
        set => AroundNow.Value = value;
    }

    /// <summary>What requests that were begun for its sake cost so far, as far as their prices are known. In none of its sums.</summary>
    public decimal BesideUsd
    {
        get
        {
            lock (_lock)
            {
                return _besideUsd;
            }
        }
    }

    /// <summary>Version 7, ours; the row's identity.</summary>
    public Guid Id { get; } = id;

    public UsageSubject Subject { get; } = subject;

    public DateTimeOffset At { get; } = at;

    /// <summary>The model of the first step; null before <see cref="Dispatch"/>.</summary>
    public string? Model { get; private set; }

    public bool IsStream { get; set; }

    /// <summary>Since the request began, in milliseconds.</summary>
    public double ElapsedMs => Stopwatch.GetElapsedTime(_began).TotalMilliseconds;

    /// <summary>When the first content went to the caller; null before.</summary>
    public double? FirstContentMs { get; private set; }

    /// <summary>Model calls begun: one for a model, one for each step of a bot.</summary>
    public int Steps { get; private set; }

    /// <summary>Whether a broken stream was carried on by another attempt.</summary>
    public bool IsRescued { get; set; }

    /// <summary>Whether the upstream broke off behind a whole answer, before it said what that used.</summary>
    public bool IsCutAfterFinish { get; set; }

    /// <summary>In the order in which they ended.</summary>
    public IReadOnlyList<AttemptUsage> Attempts
    {
        get
        {
            lock (_lock)
            {
                return _attempts.ToArray();
            }
        }
    }

    /// <summary>How many have ended.</summary>
    public int AttemptCount
    {
        get
        {
            lock (_lock)
            {
                return _attempts.Count;
            }
        }
    }

    /// <summary>In the order in which they began; empty for a model.</summary>
    public IReadOnlyList<StepUsage> StepList
    {
        get
        {
            lock (_lock)
            {
                return _stepList?.ToArray() ?? [];
            }
        }
    }

    /// <summary>Sums over the attempts so far; money is null when one that used tokens has no price.</summary>
    public (long Input, long CachedInput, long Output, long Reasoning, decimal? Usd, bool IsEstimated) Totals()
    {
        lock (_lock)
        {
            var (input, cached, output, reasoning, isEstimated) = (0L, 0L, 0L, 0L, false);
            decimal? usd = 0;
            foreach (var attempt in _attempts)
            {
                input += attempt.InputTokens;
                cached += attempt.CachedInputTokens;
                output += attempt.OutputTokens;
                reasoning += attempt.ReasoningTokens;
                isEstimated |= attempt.IsEstimated;
                usd = attempt.InputTokens + attempt.OutputTokens == 0 ? usd : usd + attempt.Usd;
            }

            return (input, cached, output, reasoning, usd, isEstimated);
        }
    }

    /// <summary>
    /// To be called before anything is sent for a step. The first call writes the start record, by which a request is known
    /// that never came to an end.
    /// </summary>
    /// <param name="model">The model's name here.</param>
    /// <param name="promptTokens">An estimate, which stands in the row if the process dies.</param>
    public void Dispatch(string model, long promptTokens)
    {
        lock (_lock)
        {
            Steps++;
            if (_isDispatched)
            {
                return;
            }

            _isDispatched = true;
            Model = model;
        }

        journal.WriteStart(this, model, promptTokens);
    }

    public void Add(AttemptUsage attempt)
    {
        lock (_lock)
        {
            _attempts.Add(attempt);
        }
    }

    /// <summary>A step of a bot begins; what it uses is added to it.</summary>
    public StepUsage BeginStep(string bot, int depth, int number, string model)
    {
        var step = new StepUsage(bot, depth, number, model);
        lock (_lock)
        {
            (_stepList ??= new(1)).Add(step);
        }

        return step;
    }

    /// <summary>Content is on its way to the caller; only the first call counts.</summary>
    public void SawContent() => FirstContentMs ??= ElapsedMs;

    /// <summary>Writes the end record; only the first call counts.</summary>
    /// <param name="status">What the caller got; 0 when it left before any.</param>
    /// <param name="reason"><c>done</c>, <c>rescued</c>, <c>caller_left</c>, <c>shutdown</c>, or an error's code.</param>
    public void End(int status, string reason)
    {
        lock (_lock)
        {
            if (_isEnded)
            {
                return;
            }

            _isEnded = true;
            // To an attempt, the end of the drain looks like a caller who left.
            for (var n = 0; reason == Shutdown && n < _attempts.Count; n++)
            {
                _attempts[n] = _attempts[n].Outcome == CallerLeft ? _attempts[n] with { Outcome = Shutdown } : _attempts[n];
            }
        }

        _around?.AddBeside(Totals().Usd ?? 0);
        journal.WriteEnd(this, status, reason, ElapsedMs);
    }

    private void AddBeside(decimal usd)
    {
        lock (_lock)
        {
            _besideUsd += usd;
        }
    }
}
