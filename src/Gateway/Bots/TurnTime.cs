namespace Gateway.Bots;

/// <summary>
/// How long a turn may take. The last fifth is for its answer: then no tool runs any more, and the model is asked to say what
/// it knows. A member's turn has what its asker's tools have left.
/// </summary>
internal sealed class TurnTime : IDisposable
{
    private const double ForTools = 0.8;

    private readonly TimeProvider _clock;
    private readonly long _began;
    private readonly TimeSpan _tools;
    private readonly CancellationTokenSource _end;
    private readonly CancellationTokenSource _nearEnd;
    private readonly CancellationTokenSource _wholeToken;
    private readonly CancellationTokenSource _toolsToken;

    /// <param name="caller">Cancelled when nobody wants the answer any more.</param>
    public TurnTime(TimeSpan longest, TimeProvider clock, CancellationToken caller)
    {
        (_clock, _began, Caller) = (clock, clock.GetTimestamp(), caller);
        _tools = longest * ForTools;
        _end = new CancellationTokenSource(longest, clock);
        _nearEnd = new CancellationTokenSource(_tools, clock);
        _wholeToken = CancellationTokenSource.CreateLinkedTokenSource(caller, _end.Token);
        _toolsToken = CancellationTokenSource.CreateLinkedTokenSource(_wholeToken.Token, _nearEnd.Token);
    }

    public CancellationToken Caller { get; }

    /// <summary>Cancelled at the end, or when the caller leaves.</summary>
    public CancellationToken Whole => _wholeToken.Token;

    /// <summary>Cancelled when tools must not run any more.</summary>
    public CancellationToken Tools => _toolsToken.Token;

    public bool IsNearEnd => _nearEnd.IsCancellationRequested;

    public bool IsOver => _end.IsCancellationRequested;

    public TimeSpan ToolsLeft =>
        _tools - _clock.GetElapsedTime(_began) is var left && left > TimeSpan.Zero ? left : TimeSpan.Zero;

    /// <summary>Whether a cancellation means that the time is over, and not that the caller left.</summary>
    public bool RanOut => IsOver && !Caller.IsCancellationRequested;

    public void Dispose()
    {
        _toolsToken.Dispose();
        _wholeToken.Dispose();
        _nearEnd.Dispose();
        _end.Dispose();
    }
}
