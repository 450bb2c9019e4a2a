namespace Gateway.Usage;

/// <summary>The usage journal on disk.</summary>
internal sealed class UsageJournal(TimeProvider clock)
{
    private long _open;

    /// <summary>Begins a request's record. Nothing is written yet.</summary>
    public RequestUsage Begin(UsageSubject subject)
    {
        var at = clock.GetUtcNow();
        return new RequestUsage(this, subject, Guid.CreateVersion7(at), at);
    }

    /// <summary>A memory copy; never throws, never waits.</summary>
    public void WriteStart(RequestUsage usage, string model, long promptTokens) => Interlocked.Increment(ref _open);

    /// <summary>A memory copy; never throws, never waits.</summary>
    public void WriteEnd(RequestUsage usage, int status, string reason, double durationMs) => Interlocked.Decrement(ref _open);
}
