namespace Gateway.Data;

/// <summary>Wakes whoever looks for jobs, when one may be there. Safe for concurrent use.</summary>
internal sealed class JobSignal : IDisposable
{
    private readonly SemaphoreSlim _signal = new(0);
    private int _isSet;

    public void Set()
    {
        if (Interlocked.Exchange(ref _isSet, 1) == 0)
        {
            _signal.Release();
        }
    }

    /// <summary>Waits until it is set, or was since the last wait.</summary>
    /// <returns>False when the time was over before.</returns>
    public async Task<bool> WaitAsync(TimeSpan longest, CancellationToken cancel)
    {
        var isSet = await _signal.WaitAsync(longest, cancel);
        Volatile.Write(ref _isSet, 0);
        return isSet;
    }

    public void Dispose() => _signal.Dispose();
}
