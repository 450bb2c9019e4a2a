using System.Threading.RateLimiting;
using Gateway.Observability;
using Gateway.Usage;

namespace Gateway.Upstream;

/// <summary>
/// One upstream call while it runs. It owns its clock, its place in the provider's queue and its circuit's ticket, and gives
/// all of them back, with a line in the request's usage, when it ends.
/// </summary>
internal sealed class Attempt : IDisposable
{
    private readonly AttemptTrail _trail;
    private readonly CircuitBreaker _breaker;
    private readonly long _ticket;
    private readonly RateLimitLease? _place;
    private readonly double _startedMs;
    private double? _firstContentMs;
    private bool _isJudged;
    private bool _isEnded;

    public Attempt(
        AttemptTrail trail, ModelRoute route, Deployment deployment, CircuitBreaker breaker, long ticket, RateLimitLease? place,
        TimeProvider clock)
    {
        (_trail, Route, Deployment, _breaker, _ticket, _place) = (trail, route, deployment, breaker, ticket, place);
        Name = deployment.UpstreamModel ?? route.Name;
        Label = deployment.Label ?? $"{deployment.Provider.Name}/{route.Name}";
        _startedMs = trail.Usage.ElapsedMs;
        Clock = new AttemptClock(trail.TimeLeft, clock, trail.Cancel);
    }

    /// <summary>The model that is asked: the one that the caller named, or a fallback.</summary>
    public ModelRoute Route { get; }

    public Deployment Deployment { get; }

    /// <summary>The model's name at the provider.</summary>
    public string Name { get; }

    /// <summary>Provider and model there, such as <c>openai/gpt-4o</c>.</summary>
    public string Label { get; }

    public AttemptClock Clock { get; }

    /// <summary>Content came, or the whole of a plain reply: the deployment is good.</summary>
    public void Succeeded()
    {
        if (_isJudged)
        {
            return;
        }

        _isJudged = true;
        _firstContentMs = _trail.Usage.ElapsedMs - _startedMs;
        _breaker.Succeeded(_ticket);
        _trail.Note(Label, "ok");
    }

    /// <summary>It failed, before content or behind it. Ends it.</summary>
    /// <param name="tokens">What it used all the same; null: nothing that anybody would charge.</param>
    public void Failed(AttemptFailure failure, Tokens? tokens = null)
    {
        if (_isEnded)
        {
            return;
        }

        if (failure.IsBreakerFailure)
        {
            _breaker.Failed(_ticket);
        }
        else if (!_isJudged)
        {
            // It answers; that is all that a circuit is about.
            _breaker.Answered(_ticket);
        }

        if (_isJudged)
        {
            _trail.Correct(Label, failure.Outcome);
        }
        else
        {
            _trail.Note(Label, failure.Outcome);
        }

        _isJudged = true;
        End(failure.Outcome, tokens);
    }

    /// <summary>Its reply is whole, or nobody wants the rest of it. Ends it.</summary>
    public void Ended(string outcome, Tokens? tokens) => End(outcome, tokens);

    /// <summary>Ends it as one that the caller left, unless it has ended.</summary>
    public void Dispose()
    {
        End("caller_left", null);
        Clock.Dispose();
    }

    private void Count(string outcome, Tokens used)
    {
        var model = Route.Model.Name;
        GatewayMetrics.AttemptEnded(
            Deployment.Provider.Name, model, outcome, (_trail.Usage.ElapsedMs - _startedMs) / 1_000);
        GatewayMetrics.Tokens(model, used.Usage.Input, used.Usage.CachedInput, used.Usage.Output, used.Usage.Reasoning);
        if (Route.Model.Price is { } price)
        {
            GatewayMetrics.CostUsd(model, (double)price.Of(used.Usage.Input, used.Usage.CachedInput, used.Usage.Output));
        }
    }

    private void End(string outcome, Tokens? tokens)
    {
        if (_isEnded)
        {
            return;
        }

        _isEnded = true;
        if (!_isJudged)
        {
            _breaker.Abandoned(_ticket);
        }

        _place?.Dispose();
        var used = tokens ?? default;
        Count(outcome, used);
        _trail.Usage.Add(new AttemptUsage(
            Label, Route.Model.Name, outcome, _startedMs, _trail.Usage.ElapsedMs - _startedMs, _firstContentMs,
            used.Usage.Input, used.Usage.CachedInput, used.Usage.Output, used.Usage.Reasoning, used.IsEstimated,
            Route.Model.Price?.Of(used.Usage.Input, used.Usage.CachedInput, used.Usage.Output)));
    }
}

/// <summary>What an attempt used, as reported or as estimated.</summary>
internal readonly record struct Tokens(TokenUsage Usage, bool IsEstimated);
