using System.Globalization;

namespace Gateway.Benchmarks.Load;

/// <summary>
/// Many requests in flight at once, which the upstream keeps back until it has every body and some time has passed. What the
/// system needs meanwhile is for others to measure, from the line <c>HOLDING</c> on.
/// </summary>
internal sealed class HoldRun(LoadOptions options, TextWriter announcements) : LoadRun(options, isStream: false)
{
    private const long PollEvery = 100 * LoadClock.Millisecond;

    /// <summary>How long every body may take to arrive, and then every answer.</summary>
    private const long Patience = 60 * LoadClock.Second;

    private readonly UpstreamControl _upstream = new(
        options.Upstream ?? throw new ArgumentException("hold needs --upstream"));

    private bool _isSent;
    private long _wakeAt;
    private long _heldAt = long.MaxValue;
    private long _releasedAt = long.MaxValue;
    private int _answers;

    protected override long WakeAt => _wakeAt;

    protected override void OnTime(long now)
    {
        if (!_isSent)
        {
            _isSent = true;
            foreach (var connection in Connections)
            {
                Send(connection, now);
            }
        }

        if (now < _wakeAt)
        {
            return;
        }

        _wakeAt = now + PollEvery;
        if (_heldAt == long.MaxValue && _upstream.Stats().Held >= Connections.Count)
        {
            _heldAt = LoadClock.Now;
            announcements.WriteLine("HOLDING");
            announcements.Flush();
        }
        else if (_releasedAt == long.MaxValue && _heldAt < long.MaxValue && now >= _heldAt + LoadClock.Seconds(Options.Seconds))
        {
            _releasedAt = now;
            _upstream.Release();
        }
    }

    protected override void Answered(LoadConnection connection, long now)
    {
        if (IsRight(connection.Reply) && now >= _releasedAt)
        {
            _answers++;
        }
        else
        {
            Note(Describe(connection.Reply));
        }
    }

    protected override bool IsOver(long now)
    {
        if (Connections.All(c => !c.IsBusy))
        {
            return true;
        }

        var isLate = _heldAt == long.MaxValue ? now > Began + Patience : now > _releasedAt && now - _releasedAt > Patience;
        if (isLate)
        {
            var held = _upstream.Stats().Held;
            Note(string.Create(CultureInfo.InvariantCulture,
                $"of {Connections.Count} requests {held} reached the upstream and {_answers} were answered within {Patience / LoadClock.Second} s"));
            _upstream.Release();
        }

        return isLate;
    }

    protected override LoadFigures Complete(LoadFigures figures) => figures with
    {
        Requests = _answers,
        BodyBytes = BodyBytes,
        SecondsUntilHeld = _heldAt == long.MaxValue ? null : Math.Round((_heldAt - Began) / (double)LoadClock.Second, 3),
    };
}
