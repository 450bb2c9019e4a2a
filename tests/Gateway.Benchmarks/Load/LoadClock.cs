using System.Diagnostics;

namespace Gateway.Benchmarks.Load;

/// <summary>A clock that only goes forward, in nanoseconds.</summary>
internal static class LoadClock
{
    public const long Second = 1_000_000_000;

    public const long Millisecond = 1_000_000;

    public static long Now => (long)(Stopwatch.GetTimestamp() * ((double)Second / Stopwatch.Frequency));

    public static long Seconds(double seconds) => (long)(seconds * Second);
}
