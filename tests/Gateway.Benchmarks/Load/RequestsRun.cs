namespace Gateway.Benchmarks.Load;

/// <summary>A closed loop: each connection sends its next request when it has the answer to the one before.</summary>
internal sealed class RequestsRun(LoadOptions options) : LoadRun(options, isStream: false)
{
    private readonly LatencyHistogram _latency = new();

    protected override void OnTime(long now)
    {
        foreach (var connection in Connections)
        {
            if (!connection.IsBusy)
            {
                Send(connection, LoadClock.Now);
            }
        }
    }

    protected override void Answered(LoadConnection connection, long now)
    {
        if (!IsRight(connection.Reply))
        {
            Note(Describe(connection.Reply));
        }
        else if (IsMeasured(now))
        {
            _latency.Add(now - connection.Since);
        }
    }

    protected override LoadFigures Complete(LoadFigures figures) => figures with
    {
        Requests = _latency.Count,
        RequestsPerSecond = _latency.Count / Options.Seconds,
        Latency = _latency.ToFigures(),
    };
}
