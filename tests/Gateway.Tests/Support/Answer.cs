using System.Globalization;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Gateway.Tests.Support;

/// <summary>What a <see cref="FakeUpstream"/> can be told to answer.</summary>
public static class Answer
{
    /// <summary>Set by an answer that breaks the connection itself, so that this does not count as the caller leaving.</summary>
    internal const string BrokenByUs = "broken by the fake upstream";

    // A reset makes the receiving kernel drop what the reader has not read yet: the reader gets this long to read it.
    private static readonly TimeSpan BeforeAbort = TimeSpan.FromMilliseconds(50);

    public static UpstreamAnswer Json(string body, HttpStatusCode status = HttpStatusCode.OK) =>
        Fixed(Encoding.UTF8.GetBytes(body), status);

    /// <summary>One body with its Content-Length.</summary>
    public static UpstreamAnswer Fixed(
        byte[] body, HttpStatusCode status = HttpStatusCode.OK, string contentType = "application/json",
        IReadOnlyDictionary<string, string>? headers = null) =>
        Stream(new AnswerHead(status, contentType, headers, body.Length), Piece.Of(body));

    /// <summary>A refusal in OpenAI's envelope.</summary>
    public static UpstreamAnswer Refusal(
        int status, string message = "Refused by the script.", string type = "server_error", string? code = null, string? retryAfter = null)
    {
        var body = System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(
            new { error = new { message, type, param = (string?)null, code } });
        var headers = retryAfter is null ? null : new Dictionary<string, string> { ["Retry-After"] = retryAfter };
        return Fixed(body, (HttpStatusCode)status, headers: headers);
    }

    /// <summary>An event stream, flushed after each piece.</summary>
    public static UpstreamAnswer Stream(params Piece[] pieces) => Stream(new AnswerHead(), pieces);

    /// <summary>A body in pieces. Ends cleanly unless the last piece stalls or aborts.</summary>
    public static UpstreamAnswer Stream(AnswerHead head, params Piece[] pieces) => async (http, _) =>
    {
        WriteHead(http.Response, head);
        await http.Response.StartAsync(http.RequestAborted);
        foreach (var piece in pieces)
        {
            await WriteAsync(http, piece);
        }
    };

    /// <summary>Nothing at all for a while, not even headers.</summary>
    public static UpstreamAnswer After(TimeSpan delay, UpstreamAnswer answer) => async (http, request) =>
    {
        await Task.Delay(delay, http.RequestAborted);
        await answer(http, request);
    };

    /// <summary>The connection is closed before any answer.</summary>
    public static UpstreamAnswer HangUp { get; } = (http, _) =>
    {
        Break(http);
        return Task.CompletedTask;
    };

    /// <summary>
    /// These bytes on the connection, status line included, and then its end: for answers that a correct server would
    /// not write, such as a body longer than its Content-Length.
    /// </summary>
    public static UpstreamAnswer Raw(string response) => async (http, _) =>
    {
        var transport = http.Features.GetRequiredFeature<IConnectionTransportFeature>().Transport;
        await transport.Output.WriteAsync(Encoding.UTF8.GetBytes(response), http.RequestAborted);
        await transport.Output.FlushAsync(http.RequestAborted);
        await Task.Delay(BeforeAbort, http.RequestAborted);
        Break(http);
    };

    /// <summary>A JSON body that promises <paramref name="declaredBytes"/> and is longer or shorter than that.</summary>
    public static UpstreamAnswer WrongLength(string body, int declaredBytes) => Raw(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" +
        string.Create(CultureInfo.InvariantCulture, $"Content-Length: {declaredBytes}\r\n\r\n") + body);

    /// <summary>Another answer for each model name asked for.</summary>
    public static UpstreamAnswer ByModel(Func<string, UpstreamAnswer> choose) =>
        (http, request) => choose(request.Model)(http, request);

    /// <summary>Another answer for each request.</summary>
    public static UpstreamAnswer ByRequest(Func<UpstreamRequest, UpstreamAnswer> choose) =>
        (http, request) => choose(request)(http, request);

    public static UpstreamAnswer By(Func<HttpContext, Task> write) => (http, _) => write(http);

    private static async Task WriteAsync(HttpContext http, Piece piece)
    {
        switch (piece)
        {
            case Piece.Bytes(var content):
                await http.Response.Body.WriteAsync(content, http.RequestAborted);
                await http.Response.Body.FlushAsync(http.RequestAborted);
                break;
            case Piece.Pause(var length):
                await Task.Delay(length, http.RequestAborted);
                break;
            case Piece.Silence:
                await Task.Delay(Timeout.InfiniteTimeSpan, http.RequestAborted);
                break;
            case Piece.Break:
                await Task.Delay(BeforeAbort, http.RequestAborted);
                Break(http);
                // Whatever the script holds behind the break is never written.
                http.RequestAborted.ThrowIfCancellationRequested();
                break;
        }
    }

    private static void Break(HttpContext http)
    {
        http.Items[BrokenByUs] = true;
        http.Abort();
    }

    private static void WriteHead(HttpResponse response, AnswerHead head)
    {
        response.StatusCode = (int)head.Status;
        response.ContentType = head.ContentType;
        response.ContentLength = head.ContentLength;
        foreach (var (name, value) in head.Headers ?? new Dictionary<string, string>())
        {
            response.Headers[name] = value;
        }
    }
}
