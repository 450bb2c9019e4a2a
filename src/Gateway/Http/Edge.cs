using System.Diagnostics;
using Gateway.Data;
using Gateway.Observability;
using Microsoft.AspNetCore.Connections;

namespace Gateway.Http;

/// <summary>
/// The outermost middleware: request id, CORS, tidy paths, the key, and an envelope around everything that was refused
/// or went wrong without one. One class, since each of them runs for every request and their order matters.
/// </summary>
internal sealed class Edge(
    RequestDelegate next, Authentication authentication, Cors cors, AdminPorts adminPorts, Drain drain, TimeProvider clock,
    ILogger<Edge> log)
{
    private const string RequestIdHeader = "x-request-id";
    private const int LongestRequestId = 128;

    /// <summary>Kestrel's words for a body that ended before its announced end; the reason itself is not public.</summary>
    private const string CutBody = "Unexpected end of request content.";

    /// <summary>While the gateway stops, no reply keeps its connection: the next request then finds another gateway.</summary>
    private readonly Func<object, Task> _letGoOfConnection = http =>
    {
        if (drain.Phase != DrainPhase.Serving)
        {
            ((HttpContext)http).Response.Headers.Connection = "close";
        }

        return Task.CompletedTask;
    };

    public async Task InvokeAsync(HttpContext http)
    {
        var started = Stopwatch.GetTimestamp();
        var facts = new RequestFacts { RequestId = RequestId(http.Request) };
        http.Features.Set(facts);
        http.Response.Headers[RequestIdHeader] = facts.RequestId;
        http.Response.OnStarting(_letGoOfConnection, http);

        var area = EdgePath.AreaOf(http.Request.Path);
        // A gateway that stops goes on telling how it is.
        var isCounted = area != Area.Open && !EdgePath.IsMetrics(http.Request.Path);
        var running = isCounted ? drain.Begin(http, facts) : null;

        GatewayMetrics.RequestStarted();
        try
        {
            if (!cors.Answer(http))
            {
                await (isCounted && running is null
                    ? EndAsync(http, facts, ApiError.ShuttingDown())
                    : HandleAsync(http, area, facts));
                if (!http.Response.HasStarted && http.Response.ContentLength is null && http.Response.StatusCode is 404 or 405 or 415)
                {
                    await EndAsync(http, facts, http.Response.StatusCode == 405
                        ? ApiError.MethodNotAllowed(http.Request.Method, http.Request.Path)
                        : ApiError.UnknownUrl(http.Request.Method, http.Request.Path));
                }
            }
        }
        catch (Exception) when (facts.IsCut)
        {
            facts.End ??= RequestFacts.Shutdown;
            await EndAsync(http, facts, ApiError.ShuttingDown());
        }
        // Whatever comes of it when a caller leaves in the middle. The token may lag behind the lost connection.
        catch (Exception left) when (left is ConnectionResetException || http.RequestAborted.IsCancellationRequested)
        {
            facts.End ??= RequestFacts.CallerLeft;
        }
        // One who only stopped sending can still read why nothing came of it.
        catch (BadHttpRequestException cut) when (cut.Message == CutBody)
        {
            facts.End ??= RequestFacts.CallerLeft;
            await EndAsync(http, facts, ApiError.BadRequest());
        }
        catch (BadHttpRequestException bad)
        {
            await EndAsync(http, facts, bad.StatusCode switch
            {
                408 => ApiError.BodyTooSlow(),
                _ => ApiError.BadRequest(),
            });
        }
        catch (Exception down) when (DatabaseTrouble.Find(down) is { } trouble)
        {
            log.DatabaseUnavailable(facts.RequestId, trouble);
            await EndAsync(http, facts, ApiError.DatabaseUnavailable());
        }
        catch (Exception bug)
        {
            log.Unhandled(facts.RequestId, bug.GetType().FullName!, bug.StackTrace);
            await EndAsync(http, facts, ApiError.Unhandled());
        }
        finally
        {
            if (running is not null)
            {
                Drain.End(running);
            }
        }

        Tell(http, facts, Stopwatch.GetElapsedTime(started));
    }

    /// <summary>The one log line, the metrics and the span of a request that has ended.</summary>
    private void Tell(HttpContext http, RequestFacts facts, TimeSpan took)
    {
        var route = EdgePath.ForLog(http);
        var status = http.Response.StatusCode;
        var end = EndLabel.Of(facts.End ?? "ok");
        GatewayMetrics.RequestEnded(route, status, end, took.TotalSeconds);
        if (facts.FirstContentMs is { } firstContent)
        {
            var isBot = facts.Selector?.StartsWith("bot/", StringComparison.Ordinal) == true;
            GatewayMetrics.FirstContent(isBot ? "bot" : "model", firstContent / 1_000);
        }

        GatewayTracing.DescribeRequest(http.Request.Method, http.Request.Scheme, route, status, facts.RequestId, end);
        // The global admin key belongs to no workspace, and has no row of its own.
        var caller = facts.Caller is { IsGlobalAdmin: false } of ? of : null;
        log.Request(
            http.Request.Method, route, status, facts.RequestId, took.TotalMilliseconds, end, caller?.Workspace ?? "-",
            caller?.KeyId, facts.Selector ?? "-", facts.Deployment ?? "-", facts.Attempts, facts.InputTokens ?? 0,
            facts.OutputTokens ?? 0, facts.FirstContentMs);
    }

    /// <summary>Who calls is known at once, nearly always: then nothing is to be waited for here.</summary>
    private Task HandleAsync(HttpContext http, Area area, RequestFacts facts)
    {
        if (!adminPorts.Serves(area, http.Connection.LocalPort))
        {
            return ApiError.UnknownUrl(http.Request.Method, http.Request.Path).WriteAsync(http);
        }

        // An unknown route is a 404 with or without a key, as at OpenAI.
        if (area is not Area.Open && http.GetEndpoint() is { } endpoint && endpoint.Metadata.GetMetadata<NeedsScope>() is { } needs)
        {
            var found = authentication.FindAsync(http.Request, needs.Scope, http.RequestAborted);
            return found.IsCompletedSuccessfully ? GoOnAsync(http, facts, found.Result) : LookAsync(http, facts, found);
        }

        return next(http);
    }

    private async Task LookAsync(HttpContext http, RequestFacts facts, ValueTask<(Caller? Caller, ApiError? Error)> found) =>
        await GoOnAsync(http, facts, await found);

    private Task GoOnAsync(HttpContext http, RequestFacts facts, (Caller? Caller, ApiError? Error) found)
    {
        facts.Caller = found.Caller;
        return found.Error is { } error ? EndAsync(http, facts, error) : next(http);
    }

    private async Task EndAsync(HttpContext http, RequestFacts facts, ApiError error)
    {
        facts.End ??= error.Code ?? error.Type;
        // Asked first: its first event may wait to be sent yet, and must not stand in front of a refusal.
        if (facts.IsOpenStream)
        {
            await EventStreamResponse.BreakAsync(http, error, clock);
        }
        else if (!http.Response.HasStarted)
        {
            // A forwarder that failed has cleared it.
            http.Response.Headers[RequestIdHeader] = facts.RequestId;
            await error.WriteAsync(http);
        }
        else
        {
            // What was sent cannot be taken back, and must not look finished.
            http.Abort();
        }
    }

    /// <summary>The caller's own id when it is a sane one, else a new one.</summary>
    private static string RequestId(HttpRequest request)
    {
        if (request.Headers.TryGetValue(RequestIdHeader, out var given)
            && given is [{ Length: > 0 and <= LongestRequestId } id] && !id.AsSpan().ContainsAnyExceptInRange('!', '~'))
        {
            return id;
        }

        return RequestIds.New();
    }
}

/// <summary>Endpoint metadata: a key with this scope is needed. Endpoints without it are open.</summary>
internal sealed record NeedsScope(Scopes Scope);

/// <summary>The parts of the service that may listen in different places.</summary>
internal enum Area
{
    /// <summary>Health.</summary>
    Open,

    /// <summary><c>/v1</c>.</summary>
    Api,

    /// <summary><c>/admin</c> and <c>/metrics</c>.</summary>
    Admin,
}

/// <summary>Which area may be reached on which port; by the operator's <c>Gateway__AdminUrls</c>.</summary>
internal sealed class AdminPorts
{
    private readonly HashSet<int> _ports;

    /// <exception cref="SettingsException">Not a list of URLs.</exception>
    public AdminPorts(GatewaySettings settings)
    {
        Urls = settings.AdminUrls.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        try
        {
            _ports = [.. Urls.Select(u => BindingAddress.Parse(u).Port)];
        }
        catch (FormatException wrong)
        {
            throw new SettingsException($"Gateway__AdminUrls: {wrong.Message} Expected one such as http://127.0.0.1:8081.");
        }
    }

    /// <summary>Addresses to listen on besides the public ones.</summary>
    public string[] Urls { get; }

    public bool Serves(Area area, int localPort) =>
        _ports.Count == 0 || area == Area.Open || _ports.Contains(localPort) == (area == Area.Admin);
}
