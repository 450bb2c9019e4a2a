using System.Diagnostics;
using System.Globalization;

namespace Gateway.Observability;

/// <summary>
/// Spans of our own, and what we add to ASP.NET Core's. Names follow OpenTelemetry's semantic conventions 1.38.0: "HTTP
/// spans" for a request, "GenAI client spans" for an upstream call. Content is never recorded: no prompt, no reply, no tool
/// call, no header, no path or query as the caller wrote them. While nobody listens nothing here allocates.
/// </summary>
internal static class GatewayTracing
{
    public const string SourceName = "Gateway";

    /// <summary>Where ASP.NET Core's span of a request comes from. In .NET 10 it is bare; the edge fills it in.</summary>
    public const string ServerSourceName = "Microsoft.AspNetCore";

    private static readonly ActivitySource Source = new(SourceName);

    /// <summary>Whether anybody listens.</summary>
    public static bool IsOn => Source.HasListeners();

    /// <summary>Fills in the span of the request that ends in this asynchronous flow.</summary>
    /// <param name="route">The route's pattern, never the path that was asked for.</param>
    /// <param name="end">As <see cref="EndLabel"/> gives it.</param>
    public static void DescribeRequest(string method, string scheme, string route, int status, string requestId, string end)
    {
        if (!IsOn || Activity.Current is not { Source.Name: ServerSourceName, IsAllDataRequested: true } span)
        {
            return;
        }

        if (route.StartsWith("/health", StringComparison.Ordinal) || route.StartsWith("/metrics", StringComparison.Ordinal))
        {
            // Probes come every second and tell nothing; not exported without this flag.
            span.ActivityTraceFlags &= ~ActivityTraceFlags.Recorded;
            return;
        }

        method = MethodOf(method);
        span.DisplayName = $"{method} {route}";
        span.SetTag("http.request.method", method);
        span.SetTag("http.route", route);
        span.SetTag("url.scheme", scheme);
        span.SetTag("http.response.status_code", status);
        span.SetTag("gateway.request_id", requestId);
        span.SetTag("gateway.end", end);
        if (status >= 500)
        {
            span.SetTag("error.type", status.ToString(CultureInfo.InvariantCulture));
            span.SetStatus(ActivityStatusCode.Error);
        }
    }

    /// <summary>Starts the span of one upstream call; null while nobody listens, which the others here take.</summary>
    /// <param name="path">Below the provider's base URL, such as <c>chat/completions</c>.</param>
    /// <param name="provider">The provider's configured name.</param>
    /// <param name="model">The name that the upstream is asked for.</param>
    /// <param name="attempt">1 for the first of a request.</param>
    public static Activity? StartAttempt(string path, string provider, string model, Uri server, int attempt)
    {
        if (!IsOn)
        {
            return null;
        }

        var operation = OperationOf(path);
        return Source.StartActivity(
            $"{operation} {model}", ActivityKind.Client, parentContext: default,
            new TagList
            {
                { "gen_ai.operation.name", operation },
                { "gen_ai.provider.name", provider },
                { "gen_ai.request.model", model },
                { "server.address", server.IdnHost },
                { "server.port", server.Port },
                { "gateway.attempt", attempt },
            });
    }

    /// <summary>
    /// Tells the upstream which trace its work belongs to, while tracing is on. The traceparent alone: tracestate and
    /// baggage are what the caller wrote, and not ours to hand to a provider.
    /// </summary>
    public static void Propagate(Activity? attempt, HttpRequestMessage request)
    {
        if (!IsOn)
        {
            return;
        }

        // Where a span is not sampled there is none, and the request's own carries the decision on.
        if ((attempt ?? Activity.Current) is { IdFormat: ActivityIdFormat.W3C, Id: { } traceParent })
        {
            request.Headers.Remove("traceparent");
            request.Headers.TryAddWithoutValidation("traceparent", traceParent);
        }
    }

    /// <summary>Ends an attempt's span. May be called again, which does nothing.</summary>
    /// <param name="error">A status or one of a few words, such as <c>429</c>, <c>timeout</c>, <c>cut</c>; null when all went well.</param>
    /// <param name="inputTokens">0 where nothing is known to have been used.</param>
    public static void EndAttempt(Activity? attempt, string? error, long inputTokens, long outputTokens)
    {
        if (attempt is null || attempt.IsStopped)
        {
            return;
        }

        if (attempt.IsAllDataRequested)
        {
            if (inputTokens > 0 || outputTokens > 0)
            {
                attempt.SetTag("gen_ai.usage.input_tokens", inputTokens);
                attempt.SetTag("gen_ai.usage.output_tokens", outputTokens);
            }

            if (error is not null)
            {
                attempt.SetTag("error.type", error);
                attempt.SetStatus(ActivityStatusCode.Error);
            }
        }

        attempt.Stop();
    }

    /// <summary>The model that the reply names, which need not be the one asked for.</summary>
    public static void Answers(Activity? attempt, string? model)
    {
        if (attempt is { IsAllDataRequested: true } && model is not null)
        {
            attempt.SetTag("gen_ai.response.model", model);
        }
    }

    /// <summary>The conventions' word where they have one, else the route's first part.</summary>
    private static string OperationOf(string path) => path switch
    {
        "chat/completions" => "chat",
        "completions" => "text_completion",
        _ => path.IndexOf('/', StringComparison.Ordinal) is > 0 and var end ? path[..end] : path,
    };

    /// <summary>The conventions' rule: what is no known method is one that a caller made up.</summary>
    private static string MethodOf(string method) =>
        method is "GET" or "POST" or "DELETE" or "OPTIONS" or "HEAD" or "PUT" or "PATCH" or "TRACE" or "CONNECT" ? method : "_OTHER";
}
