using System.Collections.Concurrent;

namespace Gateway.Upstream;

/// <summary>Sources of cancellation with their timers, kept for the next who needs one. Safe for concurrent use.</summary>
internal static class CancellationPool
{
    /// <summary>Most that are kept.</summary>
    private const int Most = 1_024;

    private static readonly ConcurrentQueue<CancellationTokenSource> Kept = new();
    private static int _kept;

    /// <summary>One that is not cancelled, and whose timer does not run.</summary>
    public static CancellationTokenSource Rent()
    {
        if (!Kept.TryDequeue(out var source))
        {
            return new CancellationTokenSource();
        }

        Interlocked.Decrement(ref _kept);
        return source;
    }

    /// <summary>Nobody may use it or its token any more: the next may have the same.</summary>
    public static void Return(CancellationTokenSource source)
    {
        if (!source.TryReset())
        {
            source.Dispose();
        }
        else if (Interlocked.Increment(ref _kept) > Most)
        {
            Interlocked.Decrement(ref _kept);
            source.Dispose();
        }
        else
        {
            Kept.Enqueue(source);
        }
    }
}
