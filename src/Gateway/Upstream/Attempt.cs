using System.Diagnostics;
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
    /// <summary>The answer is whole, but the upstream broke off before it said what it used.</summary>
    public const string CutAfterFinish = "cut_after_finish";

    private readonly AttemptTrail _trail;
    private readonly CircuitBreaker _breaker;
    private readonly long _ticket;
    private readonly RateLimitLease? _place;
    private readonly double _startedMs;
    private Activity? _span;
    private double? _firstContentMs;
    private bool _isNoted;
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

    /// <summary>Begins its span, where traces are wanted, and names it to the upstream. Once for each request that is sent.</summary>
    /// <param name="path">Below the provider's base URL, such as <c>chat/completions</c>.</param>
    public void Trace(HttpRequestMessage request, string path)
    {
        _span ??= GatewayTracing.StartAttempt(path, Deployment.Provider.Name, Name, request.RequestUri!, _trail.Count);
        GatewayTracing.Propagate(_span, request);
    }

    /// <summary>The model that the reply names, for the span; null when it names none.</summary>
    public void AnsweredAs(string? model) => GatewayTracing.Answers(_span, model);

    /// <summary>Content came, or the whole of a plain reply: the deployment is good.</summary>
    public void Succeeded()
    {
        if (_isJudged)
        {
            return;
        }

        Began();
        _isJudged = true;
        _breaker.Succeeded(_ticket);
    }

    /// <summary>
    /// Its reply is on its way to the caller, whose headers say so; whether the deployment is good is seen at the reply's end.
    /// </summary>
    public void Began()
    {
        if (_isNoted)
        {
            return;
        }

        _isNoted = true;
        _firstContentMs = _trail.Usage.ElapsedMs - _startedMs;
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

        if (_isNoted)
        {
            _trail.Correct(Label, failure.Outcome);
        }
        else
        {
            _trail.Note(Label, failure.Outcome);
        }

        _isJudged = _isNoted = true;
        End(failure.Outcome, tokens);
    }

    /// <summary>Its reply is whole, or nobody wants the rest of it. Ends it.</summary>
    public void Ended(string outcome, Tokens? tokens)
    {
        _trail.Usage.IsCutAfterFinish |= outcome == CutAfterFinish;
        End(outcome, tokens);
    }

    /// <summary>
    /// Ends it as one that the caller left, unless it has ended. The upstream may have read the prompt and charge for it, so
    /// that stands in the usage, as an estimate.
    /// </summary>
    public void Dispose()
    {
        if (!_isEnded)
        {
            End("caller_left", new Tokens(new TokenUsage((int)Math.Min(_trail.PromptTokens, int.MaxValue), 0, 0, 0), IsEstimated: true));
        }

        Clock.Dispose();
    }

    private void Count(AttemptUsage used)
    {
        GatewayMetrics.AttemptEnded(Deployment.Provider.Name, used.Model, used.Outcome, used.DurationMs / 1_000);
        GatewayMetrics.Tokens(used.Model, used.InputTokens, used.CachedInputTokens, used.OutputTokens, used.ReasoningTokens);
        if (used.Usd is { } usd)
        {
            GatewayMetrics.CostUsd(used.Model, (double)usd);
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
        GatewayTracing.EndAttempt(_span, outcome == "ok" ? null : outcome, used.Usage.Input, used.Usage.Output);
        var usage = new AttemptUsage(
            Label, Route.Model.Name, outcome, _startedMs, _trail.Usage.ElapsedMs - _startedMs, _firstContentMs,
            used.Usage.Input, used.Usage.CachedInput, used.Usage.Output, used.Usage.Reasoning, used.IsEstimated,
            Route.Model.Price?.Of(used.Usage.Input, used.Usage.CachedInput, used.Usage.Output));
        Count(usage);
        _trail.Usage.Add(usage);
        _trail.Step?.Add(usage);
    }
}

/// <summary>What an attempt used, as reported or as estimated.</summary>
internal readonly record struct Tokens(TokenUsage Usage, bool IsEstimated);
