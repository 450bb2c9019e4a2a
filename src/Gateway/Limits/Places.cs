namespace Gateway.Limits;

/// <summary>
/// How many requests of one key, bot or workspace run in this gateway at a time. Beyond the limit a few wait in order: as
/// many as may run.
/// </summary>
internal sealed class Places(TimeProvider clock)
{
    private readonly Lock _lock = new();
    private readonly LinkedList<TaskCompletionSource> _queue = new();
    private int _most;
    private int _taken;

    /// <summary>Takes a place, or waits for one. Each success is to be followed by one <see cref="Leave"/>.</summary>
    /// <param name="most">As configured now; may differ from call to call.</param>
    /// <returns>Whether there was one in time.</returns>
    /// <exception cref="OperationCanceledException">The caller left; no place is taken.</exception>
    public ValueTask<bool> EnterAsync(int most, TimeSpan longestWait, CancellationToken cancel)
    {
        lock (_lock)
        {
            _most = most;
            LetIn();
            if (_taken < most && _queue.Count == 0)
            {
                _taken++;
                return new(true);
            }

            if (_queue.Count >= Math.Max(1, most))
            {
                return new(false);
            }

            return new(WaitAsync(
                _queue.AddLast(new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)), longestWait, cancel));
        }
    }

    /// <summary>Gives a place back; the one who waits longest has it next.</summary>
    public void Leave()
    {
        lock (_lock)
        {
            _taken--;
            LetIn();
        }
    }

    private async Task<bool> WaitAsync(LinkedListNode<TaskCompletionSource> mine, TimeSpan longestWait, CancellationToken cancel)
    {
        try
        {
            await mine.Value.Task.WaitAsync(longestWait, clock, cancel);
            return true;
        }
        catch (TimeoutException)
        {
            return !LeftQueue(mine);
        }
        catch (OperationCanceledException)
        {
            if (!LeftQueue(mine))
            {
                Leave();
            }

            throw;
        }
    }

    /// <summary>False: it was let in at the last moment.</summary>
    private bool LeftQueue(LinkedListNode<TaskCompletionSource> mine)
    {
        lock (_lock)
        {
            if (mine.List is null)
            {
                return false;
            }

            _queue.Remove(mine);
            // A limit that was raised meanwhile has room for those behind.
            LetIn();
            return true;
        }
    }

    private void LetIn()
    {
        while (_taken < _most && _queue.First is { } next)
        {
            _queue.RemoveFirst();
            _taken++;
            next.Value.SetResult();
        }
    }
}
