namespace Gateway.Upstream;

/// <summary>What a circuit lets through.</summary>
internal enum CircuitState
{
    Closed = 0,

    /// <summary>One request at a time, on trial.</summary>
    HalfOpen = 1,

    Open = 2,
}

/// <summary>
/// Keeps requests from a deployment that fails. Ours and not Polly's: an attempt counts as good at its first content and may
/// be held against the deployment once more when the stream breaks later, which Polly's cannot be told. Thread-safe.
/// </summary>
internal sealed class CircuitBreaker(TimeProvider clock)
{
    private const int Buckets = 10;

    private readonly Lock _lock = new();
    private readonly (long Slot, int Good, int Bad)[] _counts = new (long, int, int)[Buckets];
    private BreakerOptions _options = BreakerOptions.Default;
    private volatile CircuitState _state;
    private long _openedAt;
    private long _trial;
    private long _trialBegan;
    private long _tickets;

    /// <summary>As the model is configured now.</summary>
    public BreakerOptions Options
    {
        set => Volatile.Write(ref _options, value);
    }

    public CircuitState State
    {
        get
        {
            // Asked for every attempt, and nearly always closed.
            if (_state == CircuitState.Closed)
            {
                return CircuitState.Closed;
            }

            lock (_lock)
            {
                return _state == CircuitState.Open && Remaining() <= TimeSpan.Zero ? CircuitState.HalfOpen : _state;
            }
        }
    }

    /// <summary>Until a trial may be made; zero when something is let through now or a trial is running.</summary>
    public TimeSpan RetryAfter
    {
        get
        {
            lock (_lock)
            {
                return _state == CircuitState.Open && Remaining() is { Ticks: > 0 } left ? left : TimeSpan.Zero;
            }
        }
    }

    /// <summary>Asks to make an attempt. The ticket goes back through exactly one of the four below.</summary>
    /// <param name="isTrial">This attempt decides whether the circuit closes.</param>
    public bool TryEnter(out long ticket, out bool isTrial)
    {
        ticket = Interlocked.Increment(ref _tickets);
        isTrial = false;
        if (_state == CircuitState.Closed)
        {
            return true;
        }

        lock (_lock)
        {
            if (_state == CircuitState.Closed)
            {
                return true;
            }

            if (_state == CircuitState.Open && Remaining() <= TimeSpan.Zero)
            {
                (_state, _trial) = (CircuitState.HalfOpen, 0);
            }

            // A trial that does not end, such as a plain request to which nobody answers, is not waited for longer than a
            // circuit is open: there is one trial in that time, and its verdict is not the only one to come.
            if (_state != CircuitState.HalfOpen || (_trial != 0 && clock.GetElapsedTime(_trialBegan) < _options.Open))
            {
                return false;
            }

            (_trial, isTrial, _trialBegan) = (ticket, true, clock.GetTimestamp());
            return true;
        }
    }

    /// <summary>The deployment answered.</summary>
    public void Succeeded(long ticket)
    {
        lock (_lock)
        {
            if (_trial == ticket)
            {
                (_state, _trial) = (CircuitState.Closed, 0);
                Array.Clear(_counts);
            }

            Count(isGood: true);
        }
    }

    /// <summary>The deployment failed; also for one that had answered, when its stream broke later.</summary>
    public void Failed(long ticket)
    {
        lock (_lock)
        {
            if (_trial == ticket)
            {
                Open();
                return;
            }

            Count(isGood: false);
            if (_state == CircuitState.Closed && IsTooBad())
            {
                Open();
            }
        }
    }

    /// <summary>The deployment refused with a 4xx, which does not count but shows that it is there.</summary>
    public void Answered(long ticket)
    {
        lock (_lock)
        {
            if (_trial == ticket)
            {
                (_state, _trial) = (CircuitState.Closed, 0);
                Array.Clear(_counts);
            }
        }
    }

    /// <summary>Nothing was learned: the caller left.</summary>
    public void Abandoned(long ticket)
    {
        lock (_lock)
        {
            if (_trial == ticket)
            {
                // The next request is the trial.
                _trial = 0;
            }
        }
    }

    private void Open()
    {
        (_state, _trial, _openedAt) = (CircuitState.Open, 0, clock.GetTimestamp());
        Array.Clear(_counts);
    }

    private TimeSpan Remaining() => _options.Open - clock.GetElapsedTime(_openedAt);

    private void Count(bool isGood)
    {
        var slot = Slot();
        ref var bucket = ref _counts[slot % Buckets];
        if (bucket.Slot != slot)
        {
            bucket = (slot, 0, 0);
        }

        if (isGood)
        {
            bucket.Good++;
        }
        else
        {
            bucket.Bad++;
        }
    }

    private bool IsTooBad()
    {
        var oldest = Slot() - Buckets + 1;
        var (good, bad) = (0, 0);
        foreach (var bucket in _counts)
        {
            if (bucket.Slot >= oldest)
            {
                good += bucket.Good;
                bad += bucket.Bad;
            }
        }

        return good + bad >= _options.Minimum && bad >= _options.FailureRate * (good + bad);
    }

    /// <summary>A tenth of the window; never 0, which marks an empty bucket.</summary>
    private long Slot()
    {
        var ticks = Math.Max(1, _options.Window.Ticks / Buckets);
        return (clock.GetElapsedTime(0).Ticks / ticks) + 1;
    }
}
