using Gateway.Data;

namespace Gateway.Limits;

/// <summary>
/// This gateway's part of one limit in one minute, day or month: what is leased and free, what requests in flight have
/// reserved, and what is spent. Safe for concurrent use.
/// </summary>
/// <param name="rate">Of the minute, day or month before: traffic does not begin anew with each.</param>
internal sealed class LimitWindow(LimitWindowId id, LeasePump pump, TimeProvider clock, RecentRate rate = default)
{
    /// <summary>What is leased and not used for so long goes back to the others.</summary>
    private static readonly TimeSpan IdleLimit = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan ReportInterval = TimeSpan.FromSeconds(2);

    /// <summary>How long an empty limit is believed to be empty, so that those refused do not all ask the database.</summary>
    private static readonly TimeSpan EmptyFor = TimeSpan.FromMilliseconds(100);

    /// <summary>So many takings in a second are traffic for which it is worth to lease before the lease is used up.</summary>
    private const int BusyTakings = 4;

    /// <summary>What is to be left of the lease, in seconds, when the next round trip is due.</summary>
    private const double Reserve = 0.5;

    /// <summary>With less than this left, in seconds, no round trip is waited for that is only due.</summary>
    private const double LeastReserve = 0.375;

    /// <summary>For how many seconds one gateway of several leases at most: its part of the traffic may be a small one.</summary>
    private const int MostSeconds = 4;

    /// <summary>Where traffic begins, a lease is this part of a minute's limit.</summary>
    private const int FirstPart = 240;

    private readonly Lock _lock = new();
    private readonly LinkedList<LeaseWaiter> _waiters = new();
    private long _most;
    private long _spent;
    private long _reserved;
    private long _left;
    private long _others;
    private long _emptyAt = long.MaxValue;
    private long _emptySince;
    private long _touched;
    private long _reported;
    private RecentRate _rate = rate;
    private long _aheadSince;
    private bool _isAskedAhead;
    private bool _isUnreported;
    private bool _isWatched;

    public LimitWindowId Id { get; } = id;

    public long Most
    {
        get => Volatile.Read(ref _most);
        set
        {
            if (Volatile.Read(ref _most) == value)
            {
                return;
            }

            lock (_lock)
            {
                // What was found empty may not be any more.
                (_most, _emptyAt) = (value, long.MaxValue);
            }
        }
    }

    /// <summary>For the window that follows.</summary>
    public RecentRate Rate
    {
        get
        {
            lock (_lock)
            {
                return _rate;
            }
        }
    }

    /// <summary>As far as is known here: what others had at the last round trip, and what is used and reserved here.</summary>
    public long Used
    {
        get
        {
            lock (_lock)
            {
                return _others + _spent + _reserved;
            }
        }
    }

    /// <summary>Reserves an amount. Never waits.</summary>
    /// <param name="waiter">Set when the lease is used up: whom to await, by <see cref="WaitAsync"/>.</param>
    /// <returns>Whether it is reserved; false without a waiter: there is not that much left.</returns>
    public bool TryTake(long amount, out LeaseWaiter? waiter)
    {
        waiter = null;
        var isTaken = false;
        lock (_lock)
        {
            var now = clock.GetTimestamp();
            ForgetLostLease(now);
            if (amount == 0 || (_waiters.Count == 0 && _left >= amount))
            {
                Take(amount, now);
                if (!IsRunningOut(LeastReserve, now))
                {
                    return true;
                }

                (_isAskedAhead, _aheadSince, _isWatched, isTaken) = (true, now, true, true);
            }
            else if (amount >= _emptyAt && clock.GetElapsedTime(_emptySince, now) < EmptyFor)
            {
                return false;
            }
            else
            {
                waiter = new LeaseWaiter(amount);
                _waiters.AddLast(waiter);
                _isWatched = true;
            }
        }

        pump.Ask(this);
        return isTaken;
    }

    /// <summary>Waits for the round trip that was asked for.</summary>
    /// <exception cref="OperationCanceledException">The caller left; nothing is reserved.</exception>
    public async Task<LeaseOutcome> WaitAsync(LeaseWaiter waiter, TimeSpan longest, CancellationToken cancel)
    {
        try
        {
            return await waiter.Done.Task.WaitAsync(longest > TimeSpan.Zero ? longest : TimeSpan.Zero, clock, cancel);
        }
        catch (TimeoutException)
        {
            return StopWaiting(waiter) ?? LeaseOutcome.Unavailable;
        }
        catch (OperationCanceledException)
        {
            Abandon(waiter);
            throw;
        }
    }

    /// <summary>Gives up a wait; what it got meanwhile goes back.</summary>
    public void Abandon(LeaseWaiter waiter)
    {
        if (StopWaiting(waiter) is LeaseOutcome.Taken)
        {
            Settle(waiter.Amount, 0);
        }
    }

    /// <summary>Turns what was reserved into what was used; the rest is free again. More than was reserved becomes a debt.</summary>
    public void Settle(long reserved, long used)
    {
        bool isNew;
        lock (_lock)
        {
            _reserved -= reserved;
            _spent += used;
            _left += reserved - used;
            _isUnreported = true;
            _touched = clock.GetTimestamp();
            isNew = !_isWatched;
            _isWatched = true;
        }

        if (isNew)
        {
            pump.Watch(this);
        }
    }

    /// <summary>What is to be told or asked in the round trip that is being made up; null: nothing.</summary>
    /// <param name="isLast">Everything is told and given back: the gateway ends.</param>
    /// <param name="isDone">Whether there will be nothing more until it is touched again.</param>
    public LeaseAsk? Ask(bool isLast, out bool isDone)
    {
        lock (_lock)
        {
            var now = clock.GetTimestamp();
            isDone = false;
            ForgetLostLease(now);
            if (_waiters.Count > 0)
            {
                return AskForWaiters(now);
            }

            if (clock.GetUtcNow().UtcDateTime >= Id.EndsAt)
            {
                // Nobody leases from it any more, so nobody needs to know.
                isDone = true;
                _isWatched = false;
                return null;
            }

            if (!isLast && (_isAskedAhead || IsRunningOut(pump.Tick.TotalSeconds + Reserve, now)))
            {
                (_isAskedAhead, _aheadSince) = (true, now);
                return Report(0, 0, Slice(now), now);
            }

            var isIdle = _left > 0 && (isLast || clock.GetElapsedTime(_touched, now) > IdleLimit);
            if (isIdle || (_isUnreported && (isLast || clock.GetElapsedTime(_reported, now) > ReportInterval)))
            {
                // Off before it is told: should the answer be lost, it is nobody's until the next report, never two's.
                _left = isIdle ? 0 : _left;
                return Report(0, 0, 0, now);
            }

            isDone = _left <= 0 && _reserved == 0 && !_isUnreported;
            _isWatched = !isDone;
            return null;
        }
    }

    /// <summary>The round trip's answer: those who wait are served in order, as far as it goes.</summary>
    /// <param name="others">What other gateways have used and hold.</param>
    public void Answer(in LeaseAsk ask, long extra, long others)
    {
        // Given all that was asked for, who is short of it all the same is short of what was settled meanwhile, by a request
        // that used more than it had reserved: the limit is not empty for that, and is asked once more.
        var isEmpty = extra < ask.Wanted;
        var isAskedAgain = false;
        lock (_lock)
        {
            var now = clock.GetTimestamp();
            _left += extra - ask.Debt;
            _others = others;
            _touched = now;
            _isAskedAhead &= ask.Slice == 0;
            for (var node = _waiters.First; node is not null;)
            {
                var (next, waiter) = (node.Next, node.Value);
                if (_left >= waiter.Amount)
                {
                    Take(waiter.Amount, now);
                    waiter.Done.SetResult(LeaseOutcome.Taken);
                    _waiters.Remove(node);
                }
                else if (waiter.IsAsked && isEmpty)
                {
                    (_emptyAt, _emptySince) = (waiter.Amount, now);
                    waiter.Done.SetResult(LeaseOutcome.Empty);
                    _waiters.Remove(node);
                }
                else
                {
                    isAskedAgain |= waiter.IsAsked;
                    waiter.IsAsked = false;
                }

                node = next;
            }
        }

        if (isAskedAgain)
        {
            pump.Ask(this);
        }
    }

    /// <summary>The round trip failed.</summary>
    public void Fail()
    {
        lock (_lock)
        {
            _isUnreported = true;
            _isAskedAhead = false;
            for (var node = _waiters.First; node is not null;)
            {
                var (next, waiter) = (node.Next, node.Value);
                if (waiter.IsAsked)
                {
                    waiter.Done.SetResult(LeaseOutcome.Unavailable);
                    _waiters.Remove(node);
                }

                node = next;
            }
        }
    }

    private LeaseAsk AskForWaiters(long now)
    {
        var (sum, smallest) = (0L, long.MaxValue);
        foreach (var waiter in _waiters)
        {
            waiter.IsAsked = true;
            sum += waiter.Amount;
            smallest = Math.Min(smallest, waiter.Amount);
        }

        var free = Math.Max(_left, 0);
        return Report(Math.Max(0, smallest - free), Math.Max(0, sum - free), Slice(now), now);
    }

    /// <summary>
    /// Whether what is left of the lease lasts for less than so many seconds: the next one is fetched while there is some, so
    /// that requests wait for the database only where traffic begins or the limit ends.
    /// </summary>
    private bool IsRunningOut(double seconds, long now) =>
        !_isAskedAhead && _rate.Times(clock, now) >= BusyTakings && _left < _rate.Amount(clock, now) * seconds
        && clock.GetElapsedTime(_aheadSince, now) >= EmptyFor;

    private LeaseAsk Report(long smallest, long wanted, long slice, long now)
    {
        _isUnreported = false;
        _reported = now;
        return new LeaseAsk(
            this, Most, _spent, _reserved + Math.Max(_left, 0), smallest, wanted, slice, Math.Min(_left, 0));
    }

    /// <summary>
    /// One second of the rate: of a minute's limit a sixtieth, or as much as goes here in a few seconds, if that is less; a budget
    /// has no rate, so of that as much as goes here in one. The database gives less of it when little is left.
    /// </summary>
    private long Slice(long now)
    {
        var recent = _rate.Amount(clock, now);
        return Id.Meter is LimitMeter.Requests or LimitMeter.Tokens
            ? Math.Min(Math.Max(Most / FirstPart, Math.Min(recent, Most) * MostSeconds), Most / 60)
            : recent;
    }

    private void Take(long amount, long now)
    {
        _left -= amount;
        _reserved += amount;
        _touched = now;
        _rate.Add(amount, clock, now);
    }

    /// <summary>A lease ends when the others may no longer know that this gateway is alive.</summary>
    private void ForgetLostLease(long now)
    {
        if (_left > 0 && !pump.IsAlive(now))
        {
            _left = 0;
        }
    }

    /// <summary>Null: it was still waiting.</summary>
    private LeaseOutcome? StopWaiting(LeaseWaiter waiter)
    {
        lock (_lock)
        {
            if (_waiters.Remove(waiter))
            {
                return null;
            }
        }

        // It is out of the list, so its outcome was set under the lock.
        return waiter.Done.Task.IsCompletedSuccessfully ? waiter.Done.Task.GetAwaiter().GetResult() : null;
    }
}
