using System.Threading.RateLimiting;
using Gateway.Http;
using Gateway.Observability;
using Polly;
using Polly.Retry;

namespace Gateway.Upstream;

/// <summary>
/// Makes attempts until one succeeds: the deployments of the model by weight, each again where that may help, then the
/// fallbacks. The one place where it is decided whom to ask and how often, for models and bots, streams and whole replies.
/// </summary>
internal sealed class Attempts(CircuitBreakers breakers, TimeProvider clock, Random random, ILogger<Attempts> log)
{
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromMilliseconds(400);

    /// <summary>A longer <c>Retry-After</c> is not waited out: somebody else may answer now.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);

    private readonly ResiliencePipeline<Tried>?[] _retries = new ResiliencePipeline<Tried>?[AttemptTrail.MostAttempts + 1];

    /// <summary>What came of one candidate.</summary>
    /// <param name="IsBusy">Nothing was sent: all places at its provider are taken.</param>
    /// <param name="MayRepeat">Whether asking the same deployment again is allowed and may help.</param>
    private readonly record struct Tried(AttemptOutcome Outcome, bool IsBusy = false, bool MayRepeat = false);

    /// <param name="candidates">In order; those whose circuit is open are passed over. <see cref="Candidates"/> makes them.</param>
    /// <param name="goesOnWhenRefused">Whether the next candidate may take what one refused, as with an assistant's prefix.</param>
    /// <param name="send">Makes one attempt; it owns the attempt when it gives a value, and must end it then.</param>
    /// <returns>The value, or the last failure; or neither, when nothing could be asked.</returns>
    /// <exception cref="OperationCanceledException">The caller left.</exception>
    public async ValueTask<AttemptOutcome> RunAsync(
        AttemptTrail trail, IReadOnlyList<Candidate> candidates, Func<Attempt, ValueTask<AttemptOutcome>> send,
        bool goesOnWhenRefused = false)
    {
        AttemptFailure? last = null;
        ModelRoute? tooSmall = null;
        var order = new CandidateOrder(candidates);
        while (!trail.IsSpent && order.TryNext(out var candidate, out var mayWait))
        {
            // Another deployment of it would say the same.
            if (ReferenceEquals(candidate.Route, tooSmall))
            {
                continue;
            }

            var tried = await OnceAsync(trail, candidate, send, mayWait);
            if (tried.MayRepeat && Math.Min(candidate.Route.Model.Retries, AttemptTrail.MostAttempts) is > 0 and var retries)
            {
                tried = await RepeatAsync(trail, candidate, send, tried, retries);
            }

            var (value, failure) = tried.Outcome;
            if (value is not null || (failure?.Kind == FailureKind.Final && !goesOnWhenRefused))
            {
                return tried.Outcome;
            }

            last = failure ?? last;
            tooSmall = failure?.Kind == FailureKind.TooLong ? candidate.Route : tooSmall;
            if (tried.IsBusy && !mayWait)
            {
                order.ComeBack(candidate);
            }
        }

        return new AttemptOutcome(null, last);
    }

    /// <summary>Everything that may answer: the model's deployments by weight, then its fallbacks'.</summary>
    public IReadOnlyList<Candidate> Candidates(ModelRoute route)
    {
        if (route is { Fallbacks.Count: 0, Model.Deployments: [var only] })
        {
            return [new Candidate(route, only)];
        }

        var candidates = new List<Candidate>();
        Add(route);
        foreach (var fallback in route.Fallbacks)
        {
            Add(fallback);
        }

        return candidates;

        void Add(ModelRoute asked)
        {
            foreach (var deployment in ByWeight(asked.Model))
            {
                candidates.Add(new Candidate(asked, deployment));
            }
        }
    }

    /// <summary>What a caller is told when nobody could be asked: every circuit is open, or every queue full.</summary>
    public ApiError Unavailable(ModelRoute route)
    {
        TimeSpan? soonest = null;
        foreach (var candidate in Candidates(route))
        {
            var wait = breakers.Find(candidate.Route, candidate.Deployment)?.RetryAfter ?? TimeSpan.Zero;
            soonest = soonest is null || wait < soonest ? wait : soonest;
        }

        return soonest is null
            ? ApiError.UpstreamUnavailable(route.Selector)
            : soonest > TimeSpan.Zero
            ? ApiError.UpstreamFailing(route.Selector, soonest > TimeSpan.FromSeconds(1) ? soonest.Value : TimeSpan.FromSeconds(1))
            : ApiError.UpstreamOccupied(route.Selector);
    }

    /// <summary>A random order in which each comes as early as its weight says.</summary>
    private IEnumerable<Deployment> ByWeight(Model model)
    {
        if (model.Deployments.Count <= 1)
        {
            return model.Deployments;
        }

        // Efraimidis and Spirakis: the largest of u^(1/weight) first is a draw by weight without putting back.
        return model.Deployments.Select(d => (Deployment: d, Key: Math.Pow(NextDouble(), 1.0 / d.Weight)))
            .OrderByDescending(d => d.Key).Select(d => d.Deployment).ToList();
    }

    private double NextDouble()
    {
        // A Random that was made with a seed is not safe for several threads.
        lock (random)
        {
            return random.NextDouble();
        }
    }

    private async Task<Tried> RepeatAsync(
        AttemptTrail trail, Candidate candidate, Func<Attempt, ValueTask<AttemptOutcome>> send, Tried tried, int retries)
    {
        using var total = CancellationTokenSource.CreateLinkedTokenSource(trail.Cancel);
        total.CancelAfter(trail.TimeLeft > TimeSpan.Zero ? trail.TimeLeft : TimeSpan.Zero);
        var isFirst = true;
        try
        {
            // The first attempt was made outside, where nearly every call ends; the pipeline is told of it and goes on.
            return await Retry(retries).ExecuteAsync(
                async _ =>
                {
                    if (!isFirst)
                    {
                        var again = await OnceAsync(trail, candidate, send, mayWait: true);
                        // A circuit that opened in between has nothing to say; the failure before it has.
                        tried = again.Outcome is { Value: null, Failure: null } ? tried with { MayRepeat = false } : again;
                    }

                    isFirst = false;
                    return tried;
                },
                total.Token);
        }
        catch (OperationCanceledException) when (!trail.Cancel.IsCancellationRequested && tried.Outcome.Value is null)
        {
            // The total ran out in the pause.
            return tried;
        }
    }

    private async ValueTask<Tried> OnceAsync(
        AttemptTrail trail, Candidate candidate, Func<Attempt, ValueTask<AttemptOutcome>> send, bool mayWait)
    {
        var (route, deployment) = candidate;
        var breaker = breakers.For(route, deployment);
        if (breaker.State == CircuitState.Open)
        {
            return default;
        }

        var (place, isBusy) = await EnterAsync(deployment.Provider, route.Model, trail, mayWait);
        if (isBusy)
        {
            return new Tried(default, IsBusy: true);
        }

        if (!breaker.TryEnter(out var ticket, out var isTrial))
        {
            place?.Dispose();
            return default;
        }

        if (isTrial)
        {
            GatewayMetrics.BreakerTrial(deployment.Provider.Name, deployment.UpstreamModel ?? Model.Wildcard);
        }

        var attempt = new Attempt(trail, route, deployment, breaker, ticket, place, clock);
        trail.Begin(attempt.Label);
        try
        {
            var outcome = await send(attempt);
            var (value, failure) = outcome;
            if (value is not null)
            {
                return new Tried(outcome);
            }

            attempt.Failed(failure!);
            attempt.Dispose();
            if (failure!.Kind is FailureKind.Transient or FailureKind.Silent or FailureKind.Ours)
            {
                log.AttemptFailed(attempt.Label, failure.Outcome, Hint(failure), trail.Usage.Subject.RequestId);
            }

            return new Tried(outcome, MayRepeat: failure.Kind == FailureKind.Transient
                && IsWorthWaiting(failure.Error.RetryAfter, trail) && !trail.IsSpent && breaker.State != CircuitState.Open);
        }
        catch
        {
            attempt.Dispose();
            throw;
        }
    }

    private static bool IsWorthWaiting(TimeSpan? retryAfter, AttemptTrail trail) =>
        !(retryAfter > LongestWait) && !(retryAfter >= trail.TimeLeft);

    /// <summary>A place at the provider; none is needed where their number is not limited.</summary>
    private static async ValueTask<(RateLimitLease? Place, bool IsBusy)> EnterAsync(
        Provider provider, Model model, AttemptTrail trail, bool mayWait)
    {
        if (provider.Places is not { } places)
        {
            return (null, false);
        }

        var place = places.AttemptAcquire();
        if (place.IsAcquired || !mayWait)
        {
            return (place, !place.IsAcquired);
        }

        using var patience = CancellationTokenSource.CreateLinkedTokenSource(trail.Cancel);
        var limit = model.Timeouts.Headers < trail.TimeLeft ? model.Timeouts.Headers : trail.TimeLeft;
        patience.CancelAfter(limit > TimeSpan.Zero ? limit : TimeSpan.Zero);
        try
        {
            place = await places.AcquireAsync(1, patience.Token);
            return (place, !place.IsAcquired);
        }
        catch (OperationCanceledException) when (!trail.Cancel.IsCancellationRequested)
        {
            return (null, true);
        }
    }

    private ResiliencePipeline<Tried> Retry(int retries) => _retries[retries] ??=
        new ResiliencePipelineBuilder<Tried> { TimeProvider = clock }
            .AddRetry(new RetryStrategyOptions<Tried>
            {
                MaxRetryAttempts = retries,
                ShouldHandle = static args => new(args.Outcome.Result.MayRepeat),
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                Delay = FirstBackoff,
                MaxDelay = LongestWait,
                DelayGenerator = static args => new(args.Outcome.Result.Outcome.Failure?.Error.RetryAfter),
            })
            .Build();

    /// <summary>What the operator can do about a failure that is ours to answer for.</summary>
    private static string Hint(AttemptFailure failure) => failure.Outcome switch
    {
        "401" or "403" => "check the provider's apiKey",
        "404" => "check the provider's baseUrl and the deployment's model",
        _ when failure.Kind == FailureKind.Ours => "the provider's baseUrl redirects; set the address it leads to",
        "connect" => "check the provider's baseUrl and the network",
        _ => "the provider's own failure",
    };
}
