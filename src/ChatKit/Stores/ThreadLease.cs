using System.Collections.Concurrent;

namespace ChatKit;

/// <summary>
/// The right to stream in a thread. The server holds one from before it reads the thread until the stream has ended, and
/// disposes it exactly once. Disposing must not throw.
/// </summary>
public interface IThreadLease : IAsyncDisposable
{
    /// <summary>
    /// Cancelled when the lease was lost before it was disposed, for instance because its heartbeat did not get through:
    /// another stream may have begun. The server then stops the handler, stores nothing more and ends the stream with an
    /// error. <see cref="CancellationToken.None"/> for a lease that cannot be lost. A store that refuses a write because the
    /// thread is another's by then cancels it before it throws, so that the stream ends as one that lost its thread.
    /// </summary>
    CancellationToken Lost { get; }
}

/// <summary>Leases of one process, by the id of the thread.</summary>
internal sealed class InProcessLeases
{
    private readonly ConcurrentDictionary<string, Lease> _held = new(StringComparer.Ordinal);

    /// <summary>Null when the thread has a stream.</summary>
    public IThreadLease? TryAcquire(string key)
    {
        var lease = new Lease(this, key);
        return _held.TryAdd(key, lease) ? lease : null;
    }

    private sealed class Lease(InProcessLeases leases, string key) : IThreadLease
    {
        public CancellationToken Lost => CancellationToken.None;

        public ValueTask DisposeAsync()
        {
            // By value too: a second disposal must not end a later holder's lease.
            leases._held.TryRemove(KeyValuePair.Create(key, this));
            return ValueTask.CompletedTask;
        }
    }
}
