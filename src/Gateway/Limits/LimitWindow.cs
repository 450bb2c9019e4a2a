namespace Gateway.Limits;

/// <summary>
/// This gateway's part of one limit in one minute, day or month: what is leased and free, what requests in flight have
/// reserved, and what is spent. Safe for concurrent use.
/// </summary>
/// <param name="rate">Of the minute, day or month before: traffic does not begin anew with each.</param>
internal sealed class LimitWindow(LimitWindowId id, LeasePump pump, TimeProvider clock, RecentRate rate = default)
{
    private static readonly TimeSpan ReportInterval = TimeSpan.FromSeconds(2);

    /// <summary>With less than this left, in seconds, no tick is waited for.</summary>
    private const double LeastReserve = 0.375;

    /// <summary>In ticks: a lease that would not last for so long and the reserve is filled up. Half of one is for traffic that is not even.</summary>
    private const double TicksAhead = 1.5;

    private readonly Lock _lock = new();
    private readonly LeaseQueue _queue = new(clock);
    private readonly LeaseBalance _balance = new(id.Meter, clock, rate);
    private long _most;
    private long _reported;
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
                Volatile.Write(ref _most, value);
                _queue.ForgetRefusal();
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
                return _balance.Rate;
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
                return _balance.Others + _balance.Spent + _balance.Reserved;
            }
        }
    }

    /// <summary>Reserves an amount. Never waits.</summary>
    /// <param name="waiter">Set when the lease is used up: whom to await.</param>
    /// <returns>Whether it is reserved; false without a waiter: there is not that much left.</returns>
    public bool TryTake(long amount, out LeaseWaiter? waiter)
    {
        waiter = null;
        var isTaken = false;
        lock (_lock)
        {
            var now = clock.GetTimestamp();
            ForgetLostLease(now);
            if (amount == 0 || (_queue.IsEmpty && _balance.Free >= amount))
            {
                _balance.Take(amount, now);
                if (!_balance.IsRunningOut(LeastReserve, now))
                {
                    return true;
                }

                _balance.AskAhead(now);
                isTaken = true;
            }
            else if (_queue.IsRefused(amount, now))
            {
                return false;
            }
            else
            {
                waiter = new LeaseWaiter(this, amount, clock);
                _queue.Add(waiter);
            }

            _isWatched = true;
        }

        pump.Ask(this);
        return isTaken;
    }

    /// <summary>Ends a wait.</summary>
    /// <returns>False: it had ended before, and its outcome is set.</returns>
    public bool Remove(LeaseWaiter waiter)
    {
        lock (_lock)
        {
            return _queue.Remove(waiter);
        }
    }

    /// <summary>Turns what was reserved into what was used; the rest is free again. More than was reserved becomes a debt.</summary>
    public void Settle(long reserved, long used)
    {
        bool isNew;
        lock (_lock)
        {
            _balance.Settle(reserved, used, clock.GetTimestamp());
            _isUnreported = true;
            isNew = !_isWatched;
            _isWatched = true;
        }

        if (isNew)
        {
            pump.Watch(this);
        }
    }

    /// <summary>What is to be told or asked in the round trip that is being made up; null: nothing.</summary>
    /// <param name="isDone">Whether there will be nothing more until it is touched again.</param>
    public LeaseAsk? Ask(LeaseRound round, out bool isDone)
    {
        lock (_lock)
        {
            var now = clock.GetTimestamp();
            isDone = false;
            ForgetLostLease(now);
            if (!_queue.IsEmpty)
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

            var isIdle = round == LeaseRound.Last || _balance.IsIdle(now);
            if (!isIdle && IsAskedAhead(round, now))
            {
                _balance.AskAhead(now);
                return Report(0, 0, Slice(0, now), now);
            }

            var isGivenBack = isIdle && _balance.Free > 0;
            if (isGivenBack || IsReportDue(round, now))
            {
                if (isGivenBack)
                {
                    // Off before it is told: should the answer be lost, it is nobody's until the next report, never two's.
                    _balance.Drop();
                }

                return Report(0, 0, 0, now);
            }

            isDone = _balance.Free <= 0 && _balance.Reserved == 0 && !_isUnreported;
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
        bool isAskedAgain;
        lock (_lock)
        {
            var now = clock.GetTimestamp();
            _balance.Lease(ask, extra, others, now);
            isAskedAgain = _queue.Serve(_balance, isEmpty, now);
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
            _balance.FailAhead();
            _queue.Fail();
        }
    }

    private LeaseAsk AskForWaiters(long now)
    {
        var (sum, smallest) = _queue.Ask();
        var free = Math.Max(_balance.Free, 0);
        return Report(Math.Max(0, smallest - free), Math.Max(0, sum - free), Slice(sum, now), now);
    }

    private bool IsAskedAhead(LeaseRound round, long now) => _balance.IsAskedAhead
        || (round == LeaseRound.Tick && _balance.IsRunningOut((TicksAhead * pump.Tick.TotalSeconds) + LeastReserve, now));

    /// <summary>At the tick that is next to the interval's end.</summary>
    private bool IsReportDue(LeaseRound round, long now) => _isUnreported && (round == LeaseRound.Last
        || (round == LeaseRound.Tick && clock.GetElapsedTime(_reported, now) >= ReportInterval - (pump.Tick / 2)));

    private LeaseAsk Report(long smallest, long wanted, long slice, long now)
    {
        _isUnreported = false;
        _reported = now;
        return new LeaseAsk(
            this, Most, _balance.Spent, _balance.Reserved + Math.Max(_balance.Free, 0), smallest, wanted, slice, Math.Min(_balance.Free, 0));
    }

    private long Slice(long wanted, long now) => _balance.Slice(Most, wanted, pump.Tick, now);

    /// <summary>A lease ends when the others may no longer know that this gateway is alive.</summary>
    private void ForgetLostLease(long now)
    {
        if (_balance.Free > 0 && !pump.IsAlive(now))
        {
            _balance.Drop();
        }
    }
}
