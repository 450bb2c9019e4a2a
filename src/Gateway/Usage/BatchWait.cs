using Gateway.Data;

namespace Gateway.Usage;

/// <summary>
/// When the rows that wait are to be shipped: when there are many, when no more have come for a moment, and a second after the
/// last ones at the latest. Of several gateways each has a part of the rows and waits for as many more, with three for longer than
/// a second and with four or more for two: so rows cost the database by their number, however many gateways they come from.
/// </summary>
internal sealed class BatchWait(DatabaseNews news, TimeProvider clock)
{
    /// <summary>How often to ask.</summary>
    public static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    /// <summary>For one gateway; for each of several as many times that.</summary>
    private const int EnoughRows = 256;
    private static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestOfEach = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LongestOfOne = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestOfMany = TimeSpan.FromSeconds(2);

    private long _began;
    private long _rows;
    private long _changed;

    /// <param name="rows">That wait now.</param>
    public void Begin(long rows)
    {
        _began = _changed = clock.GetTimestamp();
        _rows = rows;
    }

    /// <param name="rows">That wait now.</param>
    public bool IsOver(long rows)
    {
        var now = clock.GetTimestamp();
        if (rows != _rows)
        {
            (_rows, _changed) = (rows, now);
        }

        var gateways = news.Gateways;
        return rows >= EnoughRows * gateways
            || clock.GetElapsedTime(_began, now) >= Longest(gateways)
            || (rows > 0 && clock.GetElapsedTime(_changed, now) >= Quiet);
    }

    private static TimeSpan Longest(int gateways) =>
        TimeSpan.FromTicks(Math.Clamp(gateways * LongestOfEach.Ticks, LongestOfOne.Ticks, LongestOfMany.Ticks));
}
