using System.Numerics;

namespace Gateway.Benchmarks.Load;

/// <summary>
/// A distribution of times in fixed memory: 128 steps for each doubling, so that a percentile is within 1 % of the true one.
/// Mean and maximum are exact. Not for concurrent use.
/// </summary>
internal sealed class LatencyHistogram
{
    private const int StepBits = 7;
    private const int Steps = 1 << StepBits;

    /// <summary>Over an hour, in nanoseconds; what is longer counts as that.</summary>
    private const int MostBits = 42;

    private readonly long[] _counts = new long[(MostBits - StepBits + 2) * Steps];
    private long _maximum;
    private double _sum;

    public long Count { get; private set; }

    public void Add(TimeSpan time) => Add((long)time.TotalNanoseconds);

    public void Add(long nanoseconds)
    {
        nanoseconds = Math.Clamp(nanoseconds, 0, (1L << MostBits) - 1);
        _counts[IndexOf(nanoseconds)]++;
        _maximum = Math.Max(_maximum, nanoseconds);
        _sum += nanoseconds;
        Count++;
    }

    /// <param name="share">Between 0 and 1: 0.99 is the time that 99 of 100 stay within.</param>
    /// <returns>Nanoseconds; 0 when nothing was added.</returns>
    public long Percentile(double share)
    {
        // As in "the 99th of 100": rounded up, and at least the first.
        var rank = Math.Max(1, (long)Math.Ceiling(share * Count));
        var seen = 0L;
        for (var i = 0; i < _counts.Length; i++)
        {
            seen += _counts[i];
            if (seen >= rank)
            {
                return Math.Min(HighestOf(i), _maximum);
            }
        }

        return 0;
    }

    public LatencyFigures ToFigures() => new(
        Count, Count == 0 ? 0 : Milliseconds(_sum / Count), Milliseconds(Percentile(0.5)), Milliseconds(Percentile(0.9)),
        Milliseconds(Percentile(0.99)), Milliseconds(Percentile(0.999)), Milliseconds(_maximum));

    private static double Milliseconds(double nanoseconds) => Math.Round(nanoseconds / 1_000_000, 4);

    private static int IndexOf(long value)
    {
        var shift = Math.Max(0, BitOperations.Log2((ulong)value) - StepBits);
        return (shift * Steps) + (int)(value >> shift);
    }

    /// <summary>The highest value that is counted there.</summary>
    private static long HighestOf(int index)
    {
        var shift = Math.Max(0, (index / Steps) - 1);
        return ((index - (shift * Steps) + 1L) << shift) - 1;
    }
}
