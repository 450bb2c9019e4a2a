using Gateway.Http;
using Gateway.Upstream;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;
using Yarp.ReverseProxy.Forwarder;

namespace Gateway.Passthrough;

/// <summary>Forwards a request to a deployment and its reply to the caller, while it comes.</summary>
internal sealed class Forwarding(IHttpForwarder forwarder, Transport transport, TimeProvider clock)
{
    private const string CallerLeft = "caller_left";

    /// <exception cref="OperationCanceledException">The caller left before the reply began.</exception>
    public async Task RunAsync(HttpContext http, IForwardedBody body, ModelRoute route)
    {
        // The one place where an attempt is made. What comes back has not reached the caller: another may follow.
        var error = route.Model.Deployments is [var deployment, ..]
            ? await AttemptAsync(http, body, route, deployment)
            : ApiError.UpstreamUnavailable(route.Selector);
        if (error is not null)
        {
            await PassthroughEndpoints.RefuseAsync(http, error);
        }
    }

    /// <summary>Sends to one deployment.</summary>
    /// <returns>
    /// Why it failed, while nothing was sent to the caller and the response is as it was before. Null when it is over:
    /// the reply went out, or it broke and so did the connection to the caller.
    /// </returns>
    private async Task<ApiError?> AttemptAsync(HttpContext http, IForwardedBody body, ModelRoute route, Deployment deployment)
    {
        var facts = RequestFacts.Of(http);
        facts.Deployment = $"{deployment.Provider.Name}/{deployment.UpstreamModel ?? route.Name}";
        var timeouts = route.Model.Timeouts;
        using var limits = new AttemptClock(timeouts.Total, clock, http.RequestAborted);
        if (body.IsStream)
        {
            limits.Limit("headers", timeouts.Headers);
        }

        var dropped = new List<string>();
        var callersBody = http.Request.Body;
        await using var sent = body.Open(route, deployment, dropped);
        using var exchange = new ForwardedExchange(route, deployment, limits, body.ContentType, sent.Length, dropped);
        var ours = http.Response.Headers.ToArray();
        // The forwarder sends the request's own body, so that is what is put in place; it takes no other content.
        http.Request.Body = sent;
        try
        {
            var outcome = await forwarder.SendAsync(
                http, deployment.Provider.BaseUrl, transport.For(timeouts.Connect), Config(timeouts), exchange, limits.Token);
            if (exchange.Usage is { } usage)
            {
                (facts.InputTokens, facts.OutputTokens) = (usage.Input, usage.Output);
            }

            var error = outcome == ForwarderError.None ? exchange.Error : Explain(http, outcome, exchange, limits, route);
            if (!http.Response.HasStarted)
            {
                return error is null ? null : Clear(http, ours, error);
            }

            // The forwarder has broken the caller's connection already if the reply broke.
            facts.End ??= outcome == ForwarderError.None ? null : error?.Code ?? CallerLeft;
            return null;
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
    private static ApiError? Explain(
        HttpContext http, ForwarderError outcome, ForwardedExchange exchange, AttemptClock limits, ModelRoute route)
    {
        // Noted when it happened: afterwards the caller's connection is broken too, and cannot tell who was first.
        if (exchange.Error is { } broken)
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
        return (isOurs || transports is null ? null : limits.Explain(transports, route.Selector, began: false))
            ?? throw new InvalidOperationException($"The request could not be forwarded: {outcome}.", cause);
    }

    /// <summary>Makes the response as it was, ids and browser headers included, which the forwarder may have cleared.</summary>
    private static ApiError Clear(HttpContext http, KeyValuePair<string, StringValues>[] ours, ApiError error)
    {
        var response = http.Response;
        response.StatusCode = StatusCodes.Status200OK;
        http.Features.GetRequiredFeature<IHttpResponseFeature>().ReasonPhrase = null;
        response.Headers.Clear();
        foreach (var (name, value) in ours)
        {
            response.Headers[name] = value;
        }

        return error;
    }
}
