namespace Gateway.Limits;

/// <summary>Those who wait for a lease of one limit, in the order in which they came. Guarded by its <see cref="LimitWindow"/>.</summary>
internal sealed class LeaseQueue(TimeProvider clock)
{
    /// <summary>How long an empty limit is believed to be empty, so that those refused do not all ask the database.</summary>
    private static readonly TimeSpan EmptyFor = TimeSpan.FromMilliseconds(100);

    private readonly LinkedList<LeaseWaiter> _waiters = new();
    private long _refused = long.MaxValue;
    private long _refusedAt;

    public bool IsEmpty => _waiters.Count == 0;

    public void Add(LeaseWaiter waiter) => _waiters.AddLast(waiter);

    /// <returns>False: it waits no more, and its outcome is set.</returns>
    public bool Remove(LeaseWaiter waiter) => _waiters.Remove(waiter);

    /// <summary>Whether the database just said that there is not that much.</summary>
    public bool IsRefused(long amount, long now) => amount >= _refused && clock.GetElapsedTime(_refusedAt, now) < EmptyFor;

    /// <summary>What was found empty may not be any more.</summary>
    public void ForgetRefusal() => _refused = long.MaxValue;

    /// <summary>A round trip asks for all who wait.</summary>
    /// <returns>What they need together, and the least that serves one of them.</returns>
    public (long Sum, long Smallest) Ask()
    {
        var (sum, smallest) = (0L, long.MaxValue);
        foreach (var waiter in _waiters)
        {
            waiter.IsAsked = true;
            sum += waiter.Amount;
            smallest = Math.Min(smallest, waiter.Amount);
        }

        return (sum, smallest);
    }

    /// <summary>Serves those who wait in order, as far as what is free goes.</summary>
    /// <param name="isEmpty">Whether the limit is: then those who were asked for and are short of it are refused.</param>
    /// <returns>Whether someone is short of it though the limit is not empty, and is to be asked for again.</returns>
    public bool Serve(LeaseBalance balance, bool isEmpty, long now)
    {
        var isAskedAgain = false;
        for (var node = _waiters.First; node is not null;)
        {
            var (next, waiter) = (node.Next, node.Value);
            if (balance.Free >= waiter.Amount)
            {
                balance.Take(waiter.Amount, now);
                waiter.Done.SetResult(LeaseOutcome.Taken);
                _waiters.Remove(node);
            }
            else if (waiter.IsAsked && isEmpty)
            {
                (_refused, _refusedAt) = (waiter.Amount, now);
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

        return isAskedAgain;
    }

    /// <summary>The round trip failed: those it asked for wait no more.</summary>
    public void Fail()
    {
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
