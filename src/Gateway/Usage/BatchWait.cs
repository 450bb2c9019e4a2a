namespace Gateway.Usage;

/// <summary>
/// When the rows that wait are to be shipped: when there are many, when no more have come for a moment, and a second after the
/// last ones at the latest. So rows cost the database by their number, however many gateways they come from.
/// </summary>
internal sealed class BatchWait(TimeProvider clock)
{
    /// <summary>How often to ask.</summary>
    public static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    private const int EnoughRows = 256;
    private static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(1);

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

        return rows >= EnoughRows
            || clock.GetElapsedTime(_began, now) >= Longest
            || (rows > 0 && clock.GetElapsedTime(_changed, now) >= Quiet);
    }
}
