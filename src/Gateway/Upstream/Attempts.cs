using System.Threading.RateLimiting;
using Gateway.Http;
using Gateway.Observability;
using Polly;
using Polly.Retry;

namespace Gateway.Upstream;

/// <summary>A deployment that a call may be sent to, and as which model.</summary>
internal readonly record struct Candidate(ModelRoute Route, Deployment Deployment);

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
    private readonly record struct Tried(object? Value, AttemptFailure? Failure, bool IsBusy = false, bool MayRepeat = false);

    /// <summary>How far one call has come.</summary>
    private sealed class Run<T>(
        AttemptTrail trail, Func<Attempt, Task<(T? Value, AttemptFailure? Failure)>> send, bool goesOnWhenRefused)
        where T : class
    {
        public AttemptTrail Trail => trail;

        public Func<Attempt, Task<(T? Value, AttemptFailure? Failure)>> Send => send;

        public bool GoesOnWhenRefused => goesOnWhenRefused;

        public T? Value { get; set; }

        public AttemptFailure? Last { get; set; }

        public bool IsOver { get; set; }

        /// <summary>The model whose context the request does not fit in.</summary>
        public ModelRoute? TooSmall { get; set; }
    }

    /// <param name="candidates">In order; those whose circuit is open are passed over. <see cref="Candidates"/> makes them.</param>
    /// <param name="goesOnWhenRefused">Whether the next candidate may take what one refused, as with an assistant's prefix.</param>
    /// <param name="send">Makes one attempt; it owns the attempt when it gives a value, and must end it then.</param>
    /// <returns>The value, or the last failure; or neither, when nothing could be asked.</returns>
    /// <exception cref="OperationCanceledException">The caller left.</exception>
    public async Task<(T? Value, AttemptFailure? Failure)> RunAsync<T>(
        AttemptTrail trail, IEnumerable<Candidate> candidates, Func<Attempt, Task<(T? Value, AttemptFailure? Failure)>> send,
        bool goesOnWhenRefused = false)
        where T : class
    {
        var run = new Run<T>(trail, send, goesOnWhenRefused);
        List<Candidate>? busy = null;
        ModelRoute? route = null;
        foreach (var candidate in candidates)
        {
            // Whoever has a free place is asked first, but of one model alone: a fallback is for those whom the model fails,
            // and to wait for a place at it is no failure yet.
            if (!ReferenceEquals(candidate.Route, route) && busy is not null)
            {
                await QueueAsync(run, busy);
                busy = null;
            }

            route = candidate.Route;
            if (await TakeAsync(run, candidate, mayWait: false))
            {
                (busy ??= []).Add(candidate);
            }
        }

        await QueueAsync(run, busy);
        return (run.Value, run.Value is null ? run.Last : null);
    }

    private async Task QueueAsync<T>(Run<T> run, List<Candidate>? busy)
        where T : class
    {
        foreach (var candidate in busy ?? [])
        {
            await TakeAsync(run, candidate, mayWait: true);
        }
    }

    /// <summary>Tries a candidate, unless the run is over or this one would say the same as another did.</summary>
    /// <returns>Whether all places at its provider are taken.</returns>
    private async Task<bool> TakeAsync<T>(Run<T> run, Candidate candidate, bool mayWait)
        where T : class
    {
        if (run.IsOver || run.Trail.IsSpent || ReferenceEquals(candidate.Route, run.TooSmall))
        {
            return false;
        }

        var tried = await OnceAsync(run.Trail, candidate, run.Send, mayWait);
        if (tried.MayRepeat && Math.Min(candidate.Route.Model.Retries, AttemptTrail.MostAttempts) is > 0 and var retries)
        {
            tried = await RepeatAsync(run.Trail, candidate, run.Send, tried, retries);
        }

        run.Value = tried.Value as T;
        run.Last = tried.Failure ?? run.Last;
        run.IsOver = run.Value is not null || (tried.Failure?.Kind == FailureKind.Final && !run.GoesOnWhenRefused);
        run.TooSmall = tried.Failure?.Kind == FailureKind.TooLong ? candidate.Route : run.TooSmall;
        return tried.IsBusy;
    }

    /// <summary>Everything that may answer: the model's deployments by weight, then its fallbacks'.</summary>
    public IEnumerable<Candidate> Candidates(ModelRoute route)
    {
        foreach (var deployment in ByWeight(route.Model))
        {
            yield return new Candidate(route, deployment);
        }

        foreach (var fallback in route.Fallbacks)
        {
            foreach (var deployment in ByWeight(fallback.Model))
            {
                yield return new Candidate(fallback, deployment);
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

    private async Task<Tried> RepeatAsync<T>(
        AttemptTrail trail, Candidate candidate, Func<Attempt, Task<(T? Value, AttemptFailure? Failure)>> send, Tried tried, int retries)
        where T : class
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
                        tried = again is { Value: null, Failure: null } ? tried with { MayRepeat = false } : again;
                    }

                    isFirst = false;
                    return tried;
                },
                total.Token);
        }
        catch (OperationCanceledException) when (!trail.Cancel.IsCancellationRequested && tried.Value is null)
        {
            // The total ran out in the pause.
            return tried;
        }
    }

    private async Task<Tried> OnceAsync<T>(
        AttemptTrail trail, Candidate candidate, Func<Attempt, Task<(T? Value, AttemptFailure? Failure)>> send, bool mayWait)
        where T : class
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
            return new Tried(null, null, IsBusy: true);
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
            var (value, failure) = await send(attempt);
            if (value is not null)
            {
                return new Tried(value, null);
            }

            attempt.Failed(failure!);
            attempt.Dispose();
            if (failure!.Kind is FailureKind.Transient or FailureKind.Silent or FailureKind.Ours)
            {
                log.AttemptFailed(attempt.Label, failure.Outcome, Hint(failure), trail.Usage.Subject.RequestId);
            }

            return new Tried(null, failure, MayRepeat: failure.Kind == FailureKind.Transient
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
                DelayGenerator = static args => new(args.Outcome.Result.Failure?.Error.RetryAfter),
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
