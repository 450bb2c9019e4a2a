using Gateway.Data;
using Gateway.Http;
using Gateway.Observability;
using Gateway.Usage;

namespace Gateway.Limits;

/// <summary>Takes what one step may use from every limit that applies: all of it or nothing.</summary>
internal sealed class Taking(RequestLimits limits, RequestShare[] shares, Need need, TimeProvider clock)
{
    private readonly List<Reserved> _taken = new(4);
    private List<(Reserved Asked, RequestShare Share, LeaseWaiter Waiter)>? _waiting;
    private ApiError? _refused;

    /// <returns>Why not; null when all is reserved.</returns>
    /// <exception cref="OperationCanceledException">The caller left, or the request is over; nothing is reserved.</exception>
    public async ValueTask<ApiError?> RunAsync(TimeSpan longest, CancellationToken cancel)
    {
        TakeWhatIsHere();
        if (_waiting is not null)
        {
            await WaitAsync(longest, cancel);
        }

        if (_refused is null && limits.TryKeep(shares, _taken, need))
        {
            return null;
        }

        GiveBack();
        return _refused ?? throw new OperationCanceledException("The request is over.");
    }

    private void TakeWhatIsHere()
    {
        Span<MeteredLimit> metered = stackalloc MeteredLimit[4];
        foreach (var share in shares)
        {
            var count = LimitMeters.Of(share.Values, metered);
            foreach (var (meter, most) in metered[..count])
            {
                if (meter == LimitMeter.Requests && share.IsCounted)
                {
                    continue;
                }

                var window = share.Subject.Window(meter, most);
                Take(share, window, Amount(meter, most, window));
                if (_refused is not null)
                {
                    return;
                }
            }
        }
    }

    private void Take(RequestShare share, LimitWindow window, long amount)
    {
        if (amount > window.Most)
        {
            _refused = Refusal(window, share, amount);
        }
        else if (window.TryTake(amount, out var waiter))
        {
            _taken.Add(new Reserved(window, amount));
        }
        else if (waiter is not null)
        {
            (_waiting ??= []).Add((new Reserved(window, amount), share, waiter));
        }
        else
        {
            _refused = Refusal(window, share, amount);
        }
    }

    /// <summary>
    /// A step that is larger than a whole minute's limit is cut to the limit, and a guess to what is left, down to an eighth
    /// of it: a small limit would allow one request and then none otherwise. What a budget is told for certain is not cut, since
    /// that could be spent.
    /// </summary>
    private long Amount(LimitMeter meter, long most, LimitWindow window)
    {
        if (meter == LimitMeter.Requests)
        {
            return 1;
        }

        var amount = LimitMeters.IsUsd(meter) ? LimitMeters.Ceiling(need.Usd ?? 0) : need.Tokens;
        if (need.IsFirm)
        {
            return LimitMeters.IsBudget(meter) ? amount : Math.Min(amount, most);
        }

        var guess = Math.Min(amount, most);
        return Math.Clamp(most - window.Used, (guess + 7) / 8, guess);
    }

    private async ValueTask WaitAsync(TimeSpan longest, CancellationToken cancel)
    {
        var started = clock.GetTimestamp();
        var answered = 0;
        try
        {
            foreach (var (asked, share, waiter) in _waiting!)
            {
                if (_refused is not null)
                {
                    break;
                }

                var outcome = await waiter.WaitAsync(longest - clock.GetElapsedTime(started), cancel);
                answered++;
                switch (outcome)
                {
                    case LeaseOutcome.Taken:
                        _taken.Add(asked);
                        break;
                    case LeaseOutcome.Empty:
                        _refused = Refusal(asked.Window, share, asked.Amount);
                        break;
                    default:
                        GatewayMetrics.LimitRefused("unavailable", share.ScopeName);
                        _refused = ApiError.LimitsUnavailable();
                        break;
                }
            }
        }
        catch (OperationCanceledException)
        {
            answered++;
            GiveBack();
            throw;
        }
        finally
        {
            foreach (var (_, _, waiter) in _waiting!.Skip(answered))
            {
                waiter.Abandon();
            }
        }
    }

    private ApiError Refusal(LimitWindow window, RequestShare share, long amount)
    {
        GatewayMetrics.LimitRefused(LimitMeters.Kind(window.Id.Meter), share.ScopeName);
        return LimitMeters.Refusal(window, share.Whose, amount, clock.GetUtcNow());
    }

    private void GiveBack()
    {
        foreach (var (window, amount) in _taken)
        {
            window.Settle(amount, 0);
        }

        _taken.Clear();
    }
}
