namespace Gateway.Limits;

/// <summary>How a wait for a lease ended.</summary>
internal enum LeaseOutcome
{
    Taken,

    /// <summary>There is not that much left.</summary>
    Empty,

    /// <summary>The database did not say in time.</summary>
    Unavailable,
}

/// <summary>One who waits for a lease.</summary>
internal sealed class LeaseWaiter(LimitWindow window, long amount, TimeProvider clock)
{
    public long Amount { get; } = amount;

    /// <summary>Whether a round trip under way asks for it; the answer of an earlier one cannot refuse it. Guarded by the window.</summary>
    public bool IsAsked { get; set; }

    /// <summary>Set by the window, once it is out of its queue.</summary>
    public TaskCompletionSource<LeaseOutcome> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Waits for the round trip that was asked for.</summary>
    /// <exception cref="OperationCanceledException">The caller left; nothing is reserved.</exception>
    public async Task<LeaseOutcome> WaitAsync(TimeSpan longest, CancellationToken cancel)
    {
        try
        {
            return await Done.Task.WaitAsync(longest > TimeSpan.Zero ? longest : TimeSpan.Zero, clock, cancel);
        }
        catch (TimeoutException)
        {
            return Stop() ?? LeaseOutcome.Unavailable;
        }
        catch (OperationCanceledException)
        {
            Abandon();
            throw;
        }
    }

    /// <summary>Gives up the wait; what it got meanwhile goes back.</summary>
    public void Abandon()
    {
        if (Stop() is LeaseOutcome.Taken)
        {
            window.Settle(Amount, 0);
        }
    }

    /// <summary>Null: it was still waiting.</summary>
    private LeaseOutcome? Stop()
    {
        if (window.Remove(this))
        {
            return null;
        }

        // It is out of the queue, so its outcome was set under the window's lock.
        return Done.Task.IsCompletedSuccessfully ? Done.Task.GetAwaiter().GetResult() : null;
    }
}
