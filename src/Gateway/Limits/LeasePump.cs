using System.Collections.Concurrent;
using Gateway.Data;
using Gateway.Observability;

namespace Gateway.Limits;

/// <summary>
/// Carries all leases of this gateway between memory and Postgres, one round trip at a time: what gathers during one goes
/// into the next, so a slow database costs one connection however many wait. On a thread of its own, which waits for the
/// database itself: in a burst thousands of continuations stand before those of a round trip in the thread pool, for longer
/// than a request waits for a lease.
/// </summary>
internal sealed class LeasePump(LeaseStore store, DatabaseNews news, TimeProvider clock, ILogger<LeasePump> log) : IHostedService, IDisposable
{
    private static readonly TimeSpan ShortestLook = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestLook = TimeSpan.FromSeconds(1);

    /// <summary>Waits are cut to whole ones.</summary>
    private static readonly TimeSpan Millisecond = TimeSpan.FromMilliseconds(1);

    private static readonly TimeSpan SeenInterval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan PauseAfterFailure = TimeSpan.FromMilliseconds(100);

    /// <summary>Who asks so soon after a round trip is not alone, and waits for the others for a moment.</summary>
    private static readonly TimeSpan BurstLimit = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(20);

    /// <summary>Shorter than the others wait, so that a lease ends here before it is given to someone else.</summary>
    private static readonly TimeSpan LeaseEndsAfter = LeaseStore.DeadAfter - TimeSpan.FromSeconds(5);

    private readonly ConcurrentQueue<LimitWindow> _new = new();
    private readonly HashSet<LimitWindow> _windows = [];
    private readonly List<LeaseAsk> _asks = [];
    private readonly AutoResetEvent _signal = new(false);
    private readonly ManualResetEventSlim _stop = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Thread? _thread;
    private long _seen;
    private long _report;
    private long _asked;
    private long _ticked;
    private TimeSpan _pause;
    private int _isSignalled;
    private bool _isFailing;
    private bool _isAbandoned;

    /// <summary>
    /// How often leases are filled up and reports made where nobody waits, for all limits together. Of several gateways each does
    /// so as much more seldom, so that the database has not more to do for each that is added.
    /// </summary>
    public TimeSpan Tick => 2 * Look;

    /// <summary>How often the limits are looked through for what cannot wait for the tick.</summary>
    private TimeSpan Look
    {
        get
        {
            var look = ShortestLook * news.Gateways;
            return look < LongestLook ? look : LongestLook;
        }
    }

    /// <summary>Whether the others still know that this gateway holds leases.</summary>
    public bool IsAlive(long now) => Volatile.Read(ref _seen) is not 0 and var seen && clock.GetElapsedTime(seen, now) < LeaseEndsAfter;

    /// <summary>A window has someone who waits, or soon has.</summary>
    public void Ask(LimitWindow window)
    {
        _new.Enqueue(window);
        if (Interlocked.Exchange(ref _isSignalled, 1) == 0)
        {
            _signal.Set();
        }
    }

    /// <summary>A window has something to tell at the next tick.</summary>
    public void Watch(LimitWindow window) => _new.Enqueue(window);

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _thread = new Thread(Run) { IsBackground = true, Name = "leases" };
        _thread.Start();
        return Task.CompletedTask;
    }

    /// <summary>Tells what was spent and gives back what was not, when all requests are over.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_thread is not null)
        {
            _stop.Set();
            _signal.Set();
            await _ended.Task.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Where it was not stopped before, nothing more is told, as when the process is killed.</summary>
    public void Dispose()
    {
        if (!_stop.IsSet)
        {
            _isAbandoned = true;
            _stop.Set();
            _signal.Set();
        }

        _thread?.Join();
        store.Dispose();
    }

    private void Run()
    {
        try
        {
            store.Open();
        }
        catch (Exception)
        {
            // The first who needs it is told, and perhaps it is there by then.
        }

        while (!_stop.IsSet)
        {
            var isAsked = _signal.WaitOne(UntilNextLook());
            if (isAsked)
            {
                _pause = NextPause();
                _stop.Wait(_pause);
            }

            Volatile.Write(ref _isSignalled, 0);
            if (!_stop.IsSet && !Trip(isLast: false))
            {
                _stop.Wait(PauseAfterFailure);
            }

            _asked = isAsked ? clock.GetTimestamp() : _asked;
        }

        if (!_isFailing && !_isAbandoned)
        {
            Trip(isLast: true);
        }

        _ended.SetResult();
    }

    /// <summary>Twice the last one, from the second round trip of a burst on: one who waits alone does not wait for others as well.</summary>
    private TimeSpan NextPause()
    {
        if (clock.GetElapsedTime(_asked) >= BurstLimit)
        {
            return TimeSpan.Zero;
        }

        var pause = 2 * _pause;
        return pause < FirstPause ? FirstPause : pause < LongestPause ? pause : LongestPause;
    }

    /// <summary>A tick is never passed over for a look that comes a moment before.</summary>
    private TimeSpan UntilNextLook()
    {
        var (look, untilTick) = (Look, Tick - clock.GetElapsedTime(_ticked));
        return (untilTick > TimeSpan.Zero && untilTick < look ? untilTick : look) + Millisecond;
    }

    /// <summary>False when it failed; those who waited know.</summary>
    private bool Trip(bool isLast)
    {
        try
        {
            Gather(isLast);
            var now = clock.GetTimestamp();
            // Along with something else it may well be sooner, so that it need not be by itself.
            var isSeen = _seen == 0 || clock.GetElapsedTime(_seen, now) > (_asks.Count > 0 ? SeenInterval / 2 : SeenInterval);
            if (_asks.Count > 0 || (isSeen && _windows.Count > 0))
            {
                Take(Exchange(isSeen), isSeen, now);
            }

            return true;
        }
        catch (Exception broken)
        {
            foreach (var ask in _asks)
            {
                ask.Window.Fail();
            }

            if (!_isFailing)
            {
                _isFailing = true;
                log.LimitsUnavailable(broken.GetType().Name);
            }

            return false;
        }
    }

    /// <param name="sent">From before it was sent: the others count from later.</param>
    private void Take(in LeaseAnswer answer, bool isSeen, long sent)
    {
        if (isSeen)
        {
            Volatile.Write(ref _seen, sent);
        }

        news.Tell(sent, answer.Gateways, answer.Version, answer.JobDue);
        for (var n = 0; n < answer.Grants.Length; n++)
        {
            var ask = _asks[n];
            ask.Window.Answer(ask, answer.Grants[n].Extra, answer.Grants[n].Others);
        }

        if (_isFailing)
        {
            _isFailing = false;
            log.LimitsBack();
        }
    }

    private LeaseAnswer Exchange(bool isSeen)
    {
        try
        {
            return store.Exchange(_asks, ++_report, isSeen);
        }
        catch (Exception) when (store.HasLostConnection)
        {
            // It may have been broken for long: that says nothing of the database. What it did all the same is overwritten.
            return store.Exchange(_asks, ++_report, isSeen);
        }
    }

    private void Gather(bool isLast)
    {
        var now = clock.GetTimestamp();
        var round = isLast ? LeaseRound.Last : clock.GetElapsedTime(_ticked, now) >= Tick ? LeaseRound.Tick : LeaseRound.Look;
        _ticked = round == LeaseRound.Tick ? now : _ticked;
        _asks.Clear();
        while (_new.TryDequeue(out var window))
        {
            _windows.Add(window);
        }

        List<LimitWindow>? done = null;
        foreach (var window in _windows)
        {
            if (window.Ask(round, out var isDone) is { } ask)
            {
                _asks.Add(ask);
            }
            else if (isDone)
            {
                (done ??= []).Add(window);
            }
        }

        done?.ForEach(window => _windows.Remove(window));
    }
}
