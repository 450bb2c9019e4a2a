using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Gateway.Tests.Support;

/// <summary>
/// A provider on a loopback socket that records what it is asked and answers what a test scripted, good or bad.
/// Thread-safe; the last scripted answer repeats.
/// </summary>
public sealed class FakeUpstream : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Lock _gate = new();
    private readonly Queue<UpstreamAnswer> _script = new();
    private readonly List<UpstreamRequest> _requests = [];
    private readonly SemaphoreSlim _arrived = new(0);
    private IReadOnlyList<string> _models = ["fake-model"];
    private int _handedOut;

    private FakeUpstream(WebApplication app) => _app = app;

    /// <summary>What a provider's <c>baseUrl</c> is set to, ending in <c>/v1</c>.</summary>
    public string BaseUrl => $"{_app.Urls.First()}/v1";

    /// <summary>Every request but those for the list of models, in order of arrival.</summary>
    public IReadOnlyList<UpstreamRequest> Requests
    {
        get
        {
            lock (_gate)
            {
                return [.. _requests];
            }
        }
    }

    /// <summary>The newest request's body. Throws when nothing was asked.</summary>
    public byte[] LastBody => Requests[^1].Body;

    public static async Task<FakeUpstream> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.AddServerHeader = false;
        });
        // A stalled answer must not hold up the end of the run.
        builder.Services.Configure<Microsoft.Extensions.Hosting.HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromSeconds(1));

        var upstream = new FakeUpstream(builder.Build());
        upstream._app.Run(upstream.ServeAsync);
        await upstream._app.StartAsync();
        return upstream;
    }

    /// <summary>Queues answers. When the queue is down to its last answer, that one repeats.</summary>
    public FakeUpstream Answers(params UpstreamAnswer[] answers)
    {
        lock (_gate)
        {
            foreach (var answer in answers)
            {
                _script.Enqueue(answer);
            }
        }

        return this;
    }

    /// <summary>What <c>GET /models</c> lists; answered without the script, since the gateway asks in the background.</summary>
    public FakeUpstream Lists(params string[] models)
    {
        lock (_gate)
        {
            _models = models;
        }

        return this;
    }

    /// <summary>Forgets script and requests: the start of the next test on a shared upstream.</summary>
    public void Reset()
    {
        lock (_gate)
        {
            _script.Clear();
            _requests.Clear();
            _handedOut = 0;
            while (_arrived.Wait(0))
            {
            }
        }
    }

    /// <summary>The next request not yet returned by this method, waiting up to 10 s for it.</summary>
    /// <exception cref="TimeoutException">None came.</exception>
    public async Task<UpstreamRequest> NextRequestAsync(CancellationToken cancel)
    {
        if (!await _arrived.WaitAsync(TimeSpan.FromSeconds(10), cancel))
        {
            throw new TimeoutException("The gateway sent no (further) request to the fake upstream within 10 s.");
        }

        lock (_gate)
        {
            return _requests[_handedOut++];
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        _arrived.Dispose();
    }

    private async Task ServeAsync(HttpContext http)
    {
        if (http.Request.Method == "GET" && http.Request.Path.Value!.EndsWith("/models", StringComparison.Ordinal))
        {
            await http.Response.WriteAsJsonAsync(ModelList());
            return;
        }

        var body = await ReadBodyAsync(http);
        if (body is null)
        {
            return;
        }

        var left = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var answered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = http.RequestAborted.Register(SawCallerLeave);
        var request = new UpstreamRequest(
            http.Request.Method, http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget,
            http.Request.Headers.ToDictionary(h => h.Key, h => h.Value.ToString(), StringComparer.OrdinalIgnoreCase),
            body, left.Task, answered.Task);
        var answer = Record(request);
        try
        {
            await answer(http, request);
            answered.TrySetResult();
        }
        catch (Exception e) when (http.RequestAborted.IsCancellationRequested && e is OperationCanceledException or IOException)
        {
            // The script's own abort, or the caller's leaving, of which a script may hear before the registration above.
            SawCallerLeave();
        }

        void SawCallerLeave()
        {
            if (!http.Items.ContainsKey(Answer.BrokenByUs))
            {
                left.TrySetResult();
            }
        }
    }

    private UpstreamAnswer Record(UpstreamRequest request)
    {
        lock (_gate)
        {
            _requests.Add(request);
            _arrived.Release();
            return _script.Count switch
            {
                0 => Answer.Refusal(500, "The test scripted no answer of the fake upstream.", code: "nothing_scripted"),
                1 => _script.Peek(),
                _ => _script.Dequeue(),
            };
        }
    }

    private JsonObject ModelList()
    {
        lock (_gate)
        {
            return new JsonObject
            {
                ["object"] = "list",
                ["data"] = new JsonArray([.. _models.Select(model => new JsonObject
                {
                    ["id"] = model, ["object"] = "model", ["created"] = 1_700_000_000, ["owned_by"] = "fake",
                })]),
            };
        }
    }

    /// <summary>Null when the caller left in the middle of its own body.</summary>
    private static async Task<byte[]?> ReadBodyAsync(HttpContext http)
    {
        using var body = new MemoryStream();
        try
        {
            await http.Request.Body.CopyToAsync(body, http.RequestAborted);
            return body.ToArray();
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            return null;
        }
    }
}
