using System.Collections.Concurrent;
using Gateway.Observability;

namespace Gateway.Limits;

/// <summary>
/// Carries all leases of this gateway between memory and Postgres, one round trip at a time: what gathers during one goes
/// into the next, so a slow database costs one connection however many wait.
/// </summary>
internal sealed class LeasePump(LeaseStore store, TimeProvider clock, ILogger<LeasePump> log) : BackgroundService
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan SeenInterval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan PauseAfterFailure = TimeSpan.FromMilliseconds(100);

    /// <summary>Shorter than the others wait, so that a lease ends here before it is given to someone else.</summary>
    private static readonly TimeSpan LeaseEndsAfter = LeaseStore.DeadAfter - TimeSpan.FromSeconds(5);

    private readonly ConcurrentQueue<LimitWindow> _new = new();
    private readonly HashSet<LimitWindow> _windows = [];
    private readonly List<LeaseAsk> _asks = [];
    private readonly SemaphoreSlim _signal = new(0);
    private long _seen;
    private long _report;
    private int _isSignalled;
    private bool _isFailing;

    /// <summary>Whether the others still know that this gateway holds leases.</summary>
    public bool IsAlive(long now) => Volatile.Read(ref _seen) is not 0 and var seen && clock.GetElapsedTime(seen, now) < LeaseEndsAfter;

    /// <summary>A window has someone who waits.</summary>
    public void Ask(LimitWindow window)
    {
        _new.Enqueue(window);
        if (Interlocked.Exchange(ref _isSignalled, 1) == 0)
        {
            _signal.Release();
        }
    }

    /// <summary>A window has something to tell at the next tick.</summary>
    public void Watch(LimitWindow window) => _new.Enqueue(window);

    /// <summary>Tells what was spent and gives back what was not, when all requests are over.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        if (!_isFailing)
        {
            await TripAsync(isLast: true, cancellationToken);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                await _signal.WaitAsync(Tick, stoppingToken);
                Volatile.Write(ref _isSignalled, 0);
                if (!await TripAsync(isLast: false, stoppingToken))
                {
                    await Task.Delay(PauseAfterFailure, clock, stoppingToken);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // What is left is told in StopAsync.
        }
    }

    /// <summary>False when it failed; those who waited know.</summary>
    private async Task<bool> TripAsync(bool isLast, CancellationToken cancel)
    {
        Gather(isLast);
        var now = clock.GetTimestamp();
        var isSeen = _seen == 0 || clock.GetElapsedTime(_seen, now) > SeenInterval;
        if (_asks.Count == 0 && !(isSeen && _windows.Count > 0))
        {
            return true;
        }

        try
        {
            var grants = await store.ExchangeAsync(_asks, ++_report, isSeen, cancel);
            if (isSeen)
            {
                // From before it was sent: the others count from later.
                Volatile.Write(ref _seen, now);
            }

            for (var n = 0; n < grants.Length; n++)
            {
                var ask = _asks[n];
                ask.Window.Answer(ask, grants[n].Extra, grants[n].Others);
            }

            if (_isFailing)
            {
                _isFailing = false;
                log.LimitsBack();
            }

            return true;
        }
        catch (Exception broken)
        {
            foreach (var ask in _asks)
            {
                ask.Window.Fail();
            }

            if (!_isFailing && !cancel.IsCancellationRequested)
            {
                _isFailing = true;
                log.LimitsUnavailable(broken.GetType().Name);
            }

            return false;
        }
    }

    private void Gather(bool isLast)
    {
        while (_new.TryDequeue(out var window))
        {
            _windows.Add(window);
        }

        _asks.Clear();
        List<LimitWindow>? done = null;
        foreach (var window in _windows)
        {
            if (window.Ask(isLast, out var isDone) is { } ask)
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
