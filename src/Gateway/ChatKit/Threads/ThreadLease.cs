using ChatKit;

namespace Gateway.ChatKit.Threads;

/// <summary>A thread that is one stream's, until it is disposed, or lost: then a write that carries it finds no thread.</summary>
internal sealed class ThreadLease : IThreadLease
{
    /// <summary>Three renewals may fail before the lease is lost.</summary>
    private static readonly TimeSpan Interval = ThreadLeases.Length / 4;

    private readonly ThreadLeases _leases;
    private readonly Guid _workspace;
    private readonly TimeProvider _clock;
    private readonly CancellationTokenSource _lost = new();
    private readonly CancellationTokenSource _over = new();
    private readonly ITimer _deadline;
    private readonly Task _renewing;
    private readonly Lock _gate = new();
    private DateTimeOffset _newest;
    private int _isLost;
    private int _isDisposed;

    /// <param name="taken">When it was asked for, by the clock's timestamps.</param>
    public ThreadLease(ThreadLeases leases, Guid workspace, string thread, Guid id, long taken, TimeProvider clock)
    {
        (_leases, _workspace, Thread, Id, _clock) = (leases, workspace, thread, id, clock);
        Lost = _lost.Token;
        // Not the renewal's own end: one that hangs must not make a stream write for longer than the lease holds.
        _deadline = clock.CreateTimer(
            static lease => ((ThreadLease)lease!).Lose("the database did not answer"), this, LeftSince(taken), Timeout.InfiniteTimeSpan);
        _renewing = RenewAsync();
    }

    public string Thread { get; }

    public Guid Id { get; }

    /// <summary>The time of the thread's last item when the lease was taken.</summary>
    public required DateTimeOffset Newest
    {
        init => _newest = value;
    }

    /// <summary>Cancelled when the thread may be another stream's, so that this one writes no more.</summary>
    public CancellationToken Lost { get; }

    /// <summary>
    /// When an item was added, for the thread's order: as it says, but not before what was added before it, by a gateway whose
    /// clock may be ahead of this one's.
    /// </summary>
    public DateTimeOffset InOrder(DateTimeOffset time)
    {
        lock (_gate)
        {
            return _newest = time > _newest ? time : _newest;
        }
    }

    /// <summary>Ends the stream: a write of it was refused, or could be.</summary>
    public void Lose(string why)
    {
        if (Interlocked.Exchange(ref _isLost, 1) == 0 && _isDisposed == 0)
        {
            _leases.TellLost(why);
            _ = CancelAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
        {
            return;
        }

        await _deadline.DisposeAsync();
        await _over.CancelAsync();
        await _renewing;
        await _leases.TryGiveBackAsync(_workspace, Thread, Id, ThreadLeases.Length);
        _over.Dispose();
    }

    private async Task RenewAsync()
    {
        while (true)
        {
            await Task.Delay(Interval, _clock, _over.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (_over.IsCancellationRequested || Lost.IsCancellationRequested)
            {
                return;
            }

            var began = _clock.GetTimestamp();
            try
            {
                using var limit = CancellationTokenSource.CreateLinkedTokenSource(_over.Token);
                limit.CancelAfter(Interval);
                if (!await _leases.RenewAsync(_workspace, Thread, Id, limit.Token))
                {
                    Lose("it is another stream's, or the thread was deleted");
                    return;
                }

                _deadline.Change(LeftSince(began), Timeout.InfiniteTimeSpan);
            }
            catch (Exception broken)
            {
                // Whatever it was: it is tried again until the deadline.
                if (!_over.IsCancellationRequested)
                {
                    _leases.TellTrouble(broken);
                }
            }
        }
    }

    private TimeSpan LeftSince(long renewed)
    {
        var left = ThreadLeases.Length - _clock.GetElapsedTime(renewed);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    private async Task CancelAsync()
    {
        try
        {
            await _lost.CancelAsync();
        }
        catch (AggregateException broken)
        {
            // What a handler does when it is told is its own.
            _leases.TellTrouble(broken.InnerExceptions[0]);
        }
    }
}
