using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Gateway.Tests.Verify;

/// <summary>
/// A provider that does what the <see cref="Script"/> in the prompt says, and counts for itself what it served: the other
/// side of the books that the gateway's usage is held against.
/// </summary>
internal sealed class CountingUpstream : IAsyncDisposable
{
    /// <summary>So that the prompt's tokens are not the same for every request.</summary>
    private const int InputTokensAtLeast = 20;

    private readonly WebApplication _app;
    private readonly bool _keepsServings;
    private readonly ConcurrentDictionary<string, ConcurrentQueue<Serving>> _servings = new(StringComparer.Ordinal);
    private long _served;
    private long _inputTokens;
    private long _outputTokens;

    private CountingUpstream(WebApplication app, bool keepsServings) => (_app, _keepsServings) = (app, keepsServings);

    /// <summary>What a provider's <c>baseUrl</c> is set to.</summary>
    public string BaseUrl => $"{_app.Urls.First()}/v1";

    /// <summary>Requests so far, each attempt counted.</summary>
    public long Served => Interlocked.Read(ref _served);

    /// <summary>Reported in all replies so far.</summary>
    public (long Input, long Output) Tokens => (Interlocked.Read(ref _inputTokens), Interlocked.Read(ref _outputTokens));

    /// <summary>Ids of all requests that it has seen and not forgotten.</summary>
    public IEnumerable<string> Ids => _servings.Keys;

    /// <summary>Forgets what it has counted.</summary>
    public void Forget()
    {
        _servings.Clear();
        (_served, _inputTokens, _outputTokens) = (0, 0, 0);
    }

    /// <param name="keepsServings">Whether each request is kept; a soak's are only summed up.</param>
    public static async Task<CountingUpstream> StartAsync(bool keepsServings = true)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Limits.MinResponseDataRate = null);
        builder.Services.Configure<Microsoft.Extensions.Hosting.HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromSeconds(1));
        var upstream = new CountingUpstream(builder.Build(), keepsServings);
        upstream._app.Run(upstream.ServeAsync);
        await upstream._app.StartAsync();
        return upstream;
    }

    /// <summary>The attempts at a request, in order of arrival; empty when it never came here.</summary>
    public IReadOnlyList<Serving> Of(string id) => _servings.TryGetValue(id, out var list) ? [.. list] : [];

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    private async Task ServeAsync(HttpContext http)
    {
        if (http.Request.Method == "GET")
        {
            await http.Response.WriteAsync("""{"object":"list","data":[]}""");
            return;
        }

        Serving? serving = null;
        try
        {
            using var json = await JsonDocument.ParseAsync(http.Request.Body, cancellationToken: http.RequestAborted);
            var asked = Asked.Read(json.RootElement);
            serving = new Serving(asked.Script.Id);
            var isFirst = Count(serving) == 1;
            await using var left = http.RequestAborted.Register(serving.Left);
            var script = isFirst || asked.Script.IsStubborn ? asked.Script : asked.Script with { Fault = Fault.None };
            await new UpstreamReply(http, script, asked, serving, this).WriteAsync();
        }
        catch (Exception gone) when (gone is OperationCanceledException or IOException or BadHttpRequestException)
        {
            // The gateway left, or the script broke the connection. What was waiting may have been told before the registration
            // above, which is then taken back without having been called.
            if (http.RequestAborted.IsCancellationRequested)
            {
                serving?.Left();
            }
        }
    }

    /// <summary>The attempt's number.</summary>
    private int Count(Serving serving)
    {
        Interlocked.Increment(ref _served);
        if (!_keepsServings)
        {
            return 1;
        }

        var list = _servings.GetOrAdd(serving.Id, static _ => new());
        list.Enqueue(serving);
        return list.Count;
    }

    /// <summary>What a request asks for.</summary>
    /// <param name="SentWords">Words of an assistant's unfinished message, which the reply goes on behind.</param>
    internal sealed record Asked(Script Script, string Model, bool IsStream, bool IsEmbedding, int SentWords)
    {
        public static Asked Read(JsonElement body)
        {
            var model = body.GetProperty("model").GetString()!;
            if (body.TryGetProperty("input", out var input))
            {
                return new Asked(Script.Parse(input.GetString()!), model, false, true, 0);
            }

            var messages = body.GetProperty("messages").EnumerateArray().ToList();
            var prompt = messages.Last(m => m.GetProperty("role").GetString() == "user").GetProperty("content").GetString()!;
            var last = messages[^1];
            var sent = last.GetProperty("role").GetString() == "assistant" ? last.GetProperty("content").GetString()! : "";
            return new Asked(
                Script.Parse(prompt), model, body.TryGetProperty("stream", out var stream) && stream.GetBoolean(), false,
                sent.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length);
        }
    }

    /// <summary>Says what a reply used, in the reply's JSON and in the books.</summary>
    public string Report(Serving serving, int words)
    {
        var input = InputTokensAtLeast + serving.Id.Length + (serving.Id[^1] % 10);
        serving.Report(input, words);
        Interlocked.Add(ref _inputTokens, input);
        Interlocked.Add(ref _outputTokens, words);
        return string.Create(
            CultureInfo.InvariantCulture,
            $$$"""{"prompt_tokens":{{{input}}},"completion_tokens":{{{words}}},"total_tokens":{{{input + words}}}}""");
    }
}
