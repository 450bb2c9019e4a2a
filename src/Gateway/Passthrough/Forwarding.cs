using Gateway.Http;
using Gateway.Limits;
using Gateway.Upstream;
using Gateway.Usage;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;
using Yarp.ReverseProxy.Forwarder;

namespace Gateway.Passthrough;

/// <summary>Forwards a request to a deployment and its reply to the caller, while it comes.</summary>
internal sealed class Forwarding(IHttpForwarder forwarder, Transport transport, Attempts attempts, TimeProvider clock)
{
    /// <summary>What an attempt gives that is over: the reply went out, or it broke and so did the connection to the caller.</summary>
    private static readonly object Over = new();

    /// <exception cref="OperationCanceledException">The caller left before the reply began.</exception>
    public async Task RunAsync(HttpContext http, IForwardedBody body, ModelRoute route, Metered metered)
    {
        metered.Usage.IsStream = body.IsStream;
        var need = new Need(body.PromptTokens, route.MostUsd(body.PromptTokens, 0)) { IsFirm = true, Model = route.Name };
        if (await metered.ReserveAsync(need, null, http.RequestAborted) is { } limited)
        {
            await limited.RefuseAsync(http);
            return;
        }

        var trail = new AttemptTrail(route, metered.Usage, body.PromptTokens, clock, http.RequestAborted);
        var (over, failure) = await attempts.RunAsync(
            trail, attempts.Candidates(route), attempt => AttemptAsync(http, body, trail, attempt));
        RequestFacts.Of(http).Deployment = trail.LastDeployment;
        if (over is null)
        {
            AttemptHeaders.Set(http, trail);
            await (failure?.Error ?? attempts.Unavailable(route)).RefuseAsync(http);
        }
    }

    /// <summary>Sends to one deployment.</summary>
    /// <returns>
    /// Why it failed, while nothing was sent to the caller and the response is as it was before: another may follow. Else
    /// <see cref="Over"/>.
    /// </returns>
    private async ValueTask<AttemptOutcome> AttemptAsync(
        HttpContext http, IForwardedBody body, AttemptTrail trail, Attempt attempt)
    {
        var facts = RequestFacts.Of(http);
        var (route, deployment, limits) = (attempt.Route, attempt.Deployment, attempt.Clock);
        var timeouts = route.Model.Timeouts;
        if (body.IsStream)
        {
            limits.Limit("headers", timeouts.Headers);
        }

        var dropped = new List<string>();
        var callersBody = http.Request.Body;
        await using var sent = body.Open(route, deployment, dropped);
        using var exchange = new ForwardedExchange(attempt, trail, body.ContentType, sent.Length, dropped);
        var ours = http.Response.Headers.ToArray();
        // The forwarder sends the request's own body, so that is what is put in place; it takes no other content.
        http.Request.Body = sent;
        try
        {
            var outcome = await forwarder.SendAsync(
                http, deployment.Provider.BaseUrl, transport.For(timeouts.Connect), Config(timeouts), exchange, limits.Token);
            var failure = outcome == ForwarderError.None ? exchange.Failure : Explain(http, outcome, exchange, attempt);
            if (!http.Response.HasStarted && failure is not null)
            {
                Clear(http, ours);
                return new AttemptOutcome(null, failure);
            }

            var tokens = exchange.Usage is { } reported && failure is null
                ? new Tokens(reported, IsEstimated: false)
                : new Tokens(new TokenUsage((int)Math.Min(trail.PromptTokens, int.MaxValue), 0, 0, 0), IsEstimated: true);
            if (failure is not null)
            {
                attempt.Failed(failure, tokens);
            }
            else if (outcome == ForwarderError.None)
            {
                attempt.Succeeded();
                attempt.Ended("ok", tokens);
            }
            else
            {
                attempt.Ended(RequestFacts.CallerLeft, tokens);
            }

            attempt.Dispose();
            // The forwarder has broken the caller's connection already if the reply broke.
            facts.End ??= outcome == ForwarderError.None ? null : failure?.Error.Code ?? RequestFacts.CallerLeft;
            return new AttemptOutcome(Over, null);
        }
        finally
        {
            http.Request.Body = callersBody;
        }
    }

    /// <summary>
    /// The clocks are ours: the forwarder's own would take a slow caller for a silent upstream, and a picture that takes
    /// its time for a stall.
    /// </summary>
    private static ForwarderRequestConfig Config(ModelTimeouts timeouts) => new()
    {
        ActivityTimeout = timeouts.Total + TimeSpan.FromMinutes(1),
        Version = System.Net.HttpVersion.Version11,
        VersionPolicy = HttpVersionPolicy.RequestVersionOrHigher,
    };

    /// <summary>What the forwarder's failure means. Null: the caller left while the reply went out.</summary>
    private static AttemptFailure? Explain(HttpContext http, ForwarderError outcome, ForwardedExchange exchange, Attempt attempt)
    {
        // Noted when it happened: afterwards the caller's connection is broken too, and cannot tell who was first.
        if (exchange.Failure is { } broken)
        {
            return broken;
        }

        if (http.Response.HasStarted)
        {
            return null;
        }

        http.RequestAborted.ThrowIfCancellationRequested();
        var cause = http.Features.Get<IForwarderErrorFeature>()?.Exception;
        var transports = cause is AggregateException { InnerExceptions: [var first, ..] } ? first : cause;
        var isOurs = outcome is ForwarderError.RequestBodyClient or ForwarderError.RequestCreation or ForwarderError.ResponseHeaders;
        return (isOurs || transports is null ? null : AttemptFailure.From(transports, attempt.Clock, attempt.Route, began: false))
            ?? throw new InvalidOperationException($"The request could not be forwarded: {outcome}.", cause);
    }

    /// <summary>Makes the response as it was, ids and browser headers included, which the forwarder may have cleared.</summary>
    private static void Clear(HttpContext http, KeyValuePair<string, StringValues>[] ours)
    {
        var response = http.Response;
        response.StatusCode = StatusCodes.Status200OK;
        http.Features.GetRequiredFeature<IHttpResponseFeature>().ReasonPhrase = null;
        response.Headers.Clear();
        foreach (var (name, value) in ours)
        {
            response.Headers[name] = value;
        }
    }
}
