using System.Text.Json;
using Gateway.Benchmarks.Load;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Gateway.Benchmarks;

/// <summary>
/// An upstream that costs next to nothing: fixed bytes, made once. Answers every POST as the model in it says, see
/// <see cref="BenchModel"/>, and every GET with a list of models. Apart from that, for whoever measures:
/// <c>GET /stats</c> tells <see cref="UpstreamStats"/>, and <c>POST /release</c> answers the requests that are held.
/// </summary>
internal sealed class BenchUpstream
{
    private readonly PacedStreams _paced = new();
    private TaskCompletionSource _release = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _requests;
    private long _bodyBytes;
    private long _streams;
    private long _chunks;
    private long _aborted;
    private int _held;

    /// <param name="url">Where it speaks HTTP/1.1.</param>
    /// <param name="http2Url">Where it speaks HTTP/2 without TLS; null: nowhere.</param>
    public static async Task RunAsync(string url, string? http2Url = null)
    {
        await using var app = BenchServer.Create(url, http2Url).Build();
        app.Run(new BenchUpstream().AnswerAsync);
        await app.RunAsync();
    }

    private async Task AnswerAsync(HttpContext http)
    {
        switch (http.Request.Method, http.Request.Path.Value)
        {
            case ("GET", "/stats"):
                await WriteAsync(http, JsonSerializer.SerializeToUtf8Bytes(Stats(), UpstreamJson.Default.UpstreamStats));
                return;
            case ("GET", _):
                await WriteAsync(http, UpstreamReplies.Models);
                return;
            case ("POST", "/release"):
                Interlocked.Exchange(ref _release, new(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
                return;
        }

        try
        {
            await AnswerModelAsync(http);
        }
        catch (Exception left) when (left is OperationCanceledException or IOException)
        {
            Interlocked.Increment(ref _aborted);
        }
    }

    private async Task AnswerModelAsync(HttpContext http)
    {
        var request = await UpstreamRequest.ReadAsync(http.Request.BodyReader, http.RequestAborted);
        Interlocked.Increment(ref _requests);
        Interlocked.Add(ref _bodyBytes, request.BodyBytes);
        var model = request.Model;
        if (request.IsStream || model.Behaviour == BenchBehaviour.Paced)
        {
            Interlocked.Increment(ref _streams);
            http.Response.ContentType = "text/event-stream";
            var events = UpstreamReplies.Events(model, request.WantsUsage);
            await (model.Behaviour == BenchBehaviour.Paced
                ? _paced.WriteAsync(http.Response.BodyWriter, events, http.RequestAborted)
                : WriteAtOnceAsync(http, events));
            return;
        }

        if (model.Behaviour == BenchBehaviour.Held)
        {
            await HoldAsync(http.RequestAborted);
        }

        await WriteAsync(http, UpstreamReplies.Plain(model));
    }

    /// <summary>One flush for each event, as a real upstream does: a system must cope with many small reads.</summary>
    private async Task WriteAtOnceAsync(HttpContext http, UpstreamEvents events)
    {
        foreach (var bytes in events.All)
        {
            await http.Response.BodyWriter.WriteAsync(bytes, http.RequestAborted);
        }

        Interlocked.Add(ref _chunks, events.Chunks);
    }

    private async Task HoldAsync(CancellationToken cancel)
    {
        var release = Volatile.Read(ref _release).Task;
        Interlocked.Increment(ref _held);
        try
        {
            await release.WaitAsync(cancel);
        }
        finally
        {
            Interlocked.Decrement(ref _held);
        }
    }

    private static async Task WriteAsync(HttpContext http, byte[] json)
    {
        http.Response.ContentType = "application/json";
        http.Response.ContentLength = json.Length;
        await http.Response.BodyWriter.WriteAsync(json, http.RequestAborted);
    }

    private UpstreamStats Stats() => new(
        Interlocked.Read(ref _requests), Interlocked.Read(ref _bodyBytes), Interlocked.Read(ref _streams),
        Interlocked.Read(ref _chunks) + _paced.Chunks, Interlocked.Read(ref _aborted), _paced.Open, Volatile.Read(ref _held));
}
