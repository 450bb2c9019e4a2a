namespace Gateway.Benchmarks.Load;

/// <summary>Streams that are opened and left after their first chunk.</summary>
internal sealed class DisconnectRun(LoadOptions options) : LoadRun(options, isStream: true)
{
    private int _opened;
    private int _left;
    private long _over;

    protected override void OnTime(long now)
    {
        foreach (var connection in Connections)
        {
            if (!connection.IsBusy && _opened < Options.Count)
            {
                _opened++;
                Send(connection, now);
            }
        }

        _over = now;
    }

    protected override void Received(LoadConnection connection, long now)
    {
        if (connection.Reply.Status != 200)
        {
            return;
        }

        connection.Reply.Drop(connection.Stream.Read(connection.Reply.Body, out var chunks));
        if (chunks > 0)
        {
            _left++;
            connection.Open();
        }
    }

    protected override void Answered(LoadConnection connection, long now) => Note(Describe(connection.Reply));

    /// <summary>All were left, or <c>--seconds</c> were not enough for that.</summary>
    protected override bool IsOver(long now) => base.IsOver(now) || (_opened == Options.Count && Connections.All(c => !c.IsBusy));

    protected override LoadFigures Complete(LoadFigures figures)
    {
        var seconds = (_over - Began) / (double)LoadClock.Second;
        return figures with { Seconds = Math.Round(seconds, 3), Requests = _left, RequestsPerSecond = _left / seconds };
    }
}
