using Gateway.Upstream;

namespace Gateway.Bots;

/// <summary>
/// How long a turn may take. The last fifth is for its answer: then no tool runs any more, and the model is asked to say what
/// it knows. A member's turn has what its asker's tools have left. Safe for concurrent use.
/// </summary>
internal sealed class TurnTime : IDisposable
{
    private const double ForTools = 0.8;

    private readonly TimeProvider _clock;
    private readonly long _began;
    private readonly TimeSpan _tools;
    private readonly CancellationTokenSource _whole;
    private readonly CancellationTokenRegistration _link;
    private CancellationTokenSource? _nearEnd;

    /// <param name="caller">Cancelled when nobody wants the answer any more.</param>
    public TurnTime(TimeSpan longest, TimeProvider clock, CancellationToken caller)
    {
        (_clock, _began, Caller) = (clock, clock.GetTimestamp(), caller);
        _tools = longest * ForTools;
        _whole = CancellationPool.Rent();
        _whole.CancelAfter(longest);
        _link = caller.UnsafeRegister(static whole => ((CancellationTokenSource)whole!).Cancel(), _whole);
    }

    public CancellationToken Caller { get; }

    /// <summary>Cancelled at the end, or when the caller leaves.</summary>
    public CancellationToken Whole => _whole.Token;

    /// <summary>Cancelled when tools must not run any more. Most turns run none, and never ask for it.</summary>
    public CancellationToken Tools => (_nearEnd ?? BeginTools()).Token;

    public bool IsNearEnd => ToolsLeft == TimeSpan.Zero || _nearEnd is { IsCancellationRequested: true };

    public TimeSpan ToolsLeft =>
        _tools - _clock.GetElapsedTime(_began) is var left && left > TimeSpan.Zero ? left : TimeSpan.Zero;

    /// <summary>Whether a cancellation means that the time is over, and not that the caller left.</summary>
    public bool RanOut => _whole.IsCancellationRequested && !Caller.IsCancellationRequested;

    /// <summary>Nobody may use its tokens any more: another turn's may be the same.</summary>
    public void Dispose()
    {
        // Waits for a cancellation that is under way, so that it does not hit the next turn.
        _link.Dispose();
        _nearEnd?.Dispose();
        CancellationPool.Return(_whole);
    }

    private CancellationTokenSource BeginTools()
    {
        var made = CancellationTokenSource.CreateLinkedTokenSource(_whole.Token);
        if (Interlocked.CompareExchange(ref _nearEnd, made, null) is { } other)
        {
            made.Dispose();
            return other;
        }

        made.CancelAfter(ToolsLeft);
        return made;
    }
}
