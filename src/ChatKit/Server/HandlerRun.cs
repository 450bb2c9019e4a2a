namespace ChatKit;

/// <summary>A handler's events, read one by one in a way that survives a handler which does not stop when it is told to.</summary>
internal sealed class HandlerRun(IAsyncEnumerable<StreamEvent> events, CancellationToken stopping)
{
    private readonly IAsyncEnumerator<StreamEvent> _events = events.GetAsyncEnumerator(stopping);
    private Task<bool> _moving = Task.FromResult(false);
    private bool _isEnded;

    /// <summary>The next event; null when there are no more.</summary>
    /// <exception cref="OperationCanceledException">To stop was asked for; the handler may still be running.</exception>
    public async Task<StreamEvent?> NextAsync()
    {
        _moving = _events.MoveNextAsync().AsTask();
        return await _moving.WaitAsync(stopping) ? _events.Current : null;
    }

    /// <summary>Lets the handler's <c>finally</c> blocks run. Does nothing when called again.</summary>
    /// <returns>Whether it ended in time; if not, it is left behind and ended when it comes to that.</returns>
    public async Task<bool> EndAsync(TimeSpan limit, TimeProvider clock)
    {
        if (_isEnded)
        {
            return true;
        }

        _isEnded = true;
        var ending = DisposeAsync();
        using var enough = new CancellationTokenSource();
        await Task.WhenAny(ending, Task.Delay(limit, clock, enough.Token));
        await enough.CancelAsync();
        return ending.IsCompleted;
    }

    /// <summary>An enumerator must not be disposed while it moves. What either throws is not new: the stream is over.</summary>
    private async Task DisposeAsync()
    {
        await ((Task)_moving).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _events.DisposeAsync().AsTask().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}
