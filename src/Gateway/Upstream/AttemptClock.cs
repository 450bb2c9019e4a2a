using Gateway.Http;

namespace Gateway.Upstream;

/// <summary>
/// The limits of one call, as one token: the caller's, the total, and whichever smaller limit is set at the moment.
/// Setting a limit allocates nothing.
/// </summary>
internal sealed class AttemptClock : IDisposable
{
    private readonly CancellationTokenSource _source;
    private readonly CancellationTokenRegistration _link;
    private readonly CancellationToken _caller;
    private readonly TimeProvider _clock;
    private readonly TimeSpan _total;
    private readonly long _started;
    private string _running = "total";
    private bool _isDisposed;
    private bool _hadRunOut;

    public AttemptClock(TimeSpan total, TimeProvider clock, CancellationToken caller)
    {
        _source = CancellationPool.Rent();
        _link = caller.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), _source);
        (_caller, _clock, _total, _started) = (caller, clock, total, clock.GetTimestamp());
        Stop();
    }

    public CancellationToken Token => _source.Token;

    /// <summary>The limit that is set: <c>headers</c>, <c>first content</c>, <c>idle</c>, <c>total</c>.</summary>
    public string Running => _running;

    /// <summary>Whether a limit ran out, or the caller left.</summary>
    public bool HasRunOut => _isDisposed ? _hadRunOut : _source.IsCancellationRequested;

    public bool HasCallerLeft => _caller.IsCancellationRequested;

    /// <summary>Limits what comes next, in place of the limit before.</summary>
    /// <param name="name">What an error calls it.</param>
    public void Limit(string name, TimeSpan limit)
    {
        if (_isDisposed)
        {
            return;
        }

        var left = Left();
        (_running, limit) = limit < left ? (name, limit) : ("total", left);
        _source.CancelAfter(limit);
    }

    /// <summary>Only the total goes on running.</summary>
    public void Stop()
    {
        if (_isDisposed)
        {
            return;
        }

        _running = "total";
        _source.CancelAfter(Left());
    }

    /// <summary>What an exception of the transport means for the caller.</summary>
    /// <param name="began">Whether the upstream had begun its reply.</param>
    /// <returns>Null when the caller left, or the exception is none of the transport's.</returns>
    public ApiError? Explain(Exception exception, string selector, bool began) => exception switch
    {
        _ when _caller.IsCancellationRequested => null,
        OperationCanceledException when HasRunOut => ApiError.UpstreamTimeout(selector, _running),
        // The handler's own: the connection could not be made in time.
        OperationCanceledException => ApiError.UpstreamTimeout(selector, "connect"),
        HttpRequestException or IOException => began ? ApiError.UpstreamBroke(selector) : ApiError.UpstreamUnavailable(selector),
        _ => null,
    };

    /// <summary>Nobody may use its token any more: another attempt's may be the same.</summary>
    public void Dispose()
    {
        if (_isDisposed)
        {
            return;
        }

        _hadRunOut = _source.IsCancellationRequested;
        _isDisposed = true;
        // Waits for a cancellation that is under way, so that it does not hit the next attempt.
        _link.Dispose();
        CancellationPool.Return(_source);
    }

    private TimeSpan Left()
    {
        var left = _total - _clock.GetElapsedTime(_started);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }
}
