namespace Gateway.Benchmarks.Load;

/// <summary>
/// An open loop: requests are due at a steady rate whatever the system does. A request's time counts from when it was due, also
/// while it waits for a free connection; otherwise a system that stalls would be asked less just while it is slow.
/// </summary>
internal sealed class RateRun(LoadOptions options) : LoadRun(options, isStream: false)
{
    /// <summary>How long answers are waited for when no more requests are due.</summary>
    private const long Patience = 5 * LoadClock.Second;

    private readonly LatencyHistogram _latency = new();
    private long _sent;
    private long _late;
    private long _answered;

    private long NextDue => Due(_sent);

    protected override long WakeAt => NextDue < Until && Connections.Any(c => !c.IsBusy) ? NextDue : Until + Patience;

    protected override void OnTime(long now)
    {
        foreach (var connection in Connections)
        {
            if (NextDue > now || NextDue >= Until)
            {
                return;
            }

            if (!connection.IsBusy)
            {
                var due = NextDue;
                _sent++;
                _late += due >= MeasuredFrom && now - due > LoadClock.Millisecond ? 1 : 0;
                Send(connection, due);
            }
        }
    }

    protected override void Answered(LoadConnection connection, long now)
    {
        if (!IsRight(connection.Reply))
        {
            Note(Describe(connection.Reply));
        }
        else if (connection.Since >= MeasuredFrom)
        {
            _answered++;
            _latency.Add(now - connection.Since);
        }
    }

    protected override bool IsOver(long now) =>
        now >= Until + Patience || (NextDue >= Until && Connections.All(c => !c.IsBusy));

    protected override LoadFigures Complete(LoadFigures figures)
    {
        var unanswered = 0;
        foreach (var connection in Connections.Where(c => c.IsBusy && c.Since >= MeasuredFrom))
        {
            unanswered++;
            _latency.Add(LoadClock.Now - connection.Since);
        }

        for (; NextDue < Until; _sent++)
        {
            unanswered++;
            _latency.Add(LoadClock.Now - NextDue);
        }

        return figures with
        {
            Requests = _answered,
            RequestsPerSecond = _answered / Options.Seconds,
            Latency = _latency.ToFigures(),
            Late = _late,
            Unanswered = unanswered,
        };
    }

    private long Due(long request) => Began + (long)(request * (LoadClock.Second / Options.Rate));
}
