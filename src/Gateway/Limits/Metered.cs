using Gateway.Data;
using Gateway.Http;
using Gateway.Usage;

namespace Gateway.Limits;

/// <summary>A request whose use is limited and recorded.</summary>
internal sealed class Metered
{
    private readonly Limiter _limiter;
    private readonly Caller _caller;
    private readonly HttpResponse _response;
    private readonly TimeProvider _clock;
    private RequestLimits? _limits;

    public Metered(Limiter limiter, Caller caller, RequestUsage usage, HttpResponse response, TimeProvider clock)
    {
        (_limiter, _caller, Usage, _response, _clock) = (limiter, caller, usage, response, clock);
        _limits = limiter.Begin(caller);
        if (_limits is not null)
        {
            ShowLimits();
        }
    }

    public RequestUsage Usage { get; }

    /// <summary>
    /// Takes what a step may use from the limits of the key, the bot and the workspace, waiting for a free place where one
    /// limits how many run at a time. Called before each step; only the first counts as a request. What is not used comes
    /// back when the request is over.
    /// </summary>
    /// <param name="bot">The bot's id and limits; null for a model, or a bot without any.</param>
    /// <returns>Why not; null when it may go on.</returns>
    /// <exception cref="OperationCanceledException">The caller left.</exception>
    public ValueTask<ApiError?> ReserveAsync(Need need, (string Id, LimitValues Limits)? bot, CancellationToken cancel)
    {
        if (_limits is null)
        {
            if (bot is null)
            {
                return new((ApiError?)null);
            }

            if (Interlocked.CompareExchange(ref _limits, new RequestLimits(), null) is null)
            {
                ShowLimits();
            }
        }

        // Which model a bot speaks with is its owner's to know.
        var told = Usage.Subject.Bot is null ? need : need with { Model = null };
        return _limiter.ReserveAsync(_limits, _caller, told, bot, cancel);
    }

    /// <summary>Gives back what was reserved beyond what was used. Never throws, never waits.</summary>
    public void Settle(long tokens, decimal? usd) => _limits?.Settle(tokens, usd);

    /// <summary>At the last moment before the answer starts, whoever starts it.</summary>
    private void ShowLimits()
    {
        if (_response.HasStarted)
        {
            return;
        }

        _response.OnStarting(
            static state =>
            {
                var metered = (Metered)state;
                RateLimitHeaders.Show(metered._response.Headers, metered._limits!, metered._clock.GetUtcNow());
                return Task.CompletedTask;
            },
            this);
    }
}
