using System.Text;
using Microsoft.AspNetCore.Http;

namespace Gateway.Tests.Verify;

/// <summary>Writes one scripted reply.</summary>
internal sealed class UpstreamReply(
    HttpContext http, Script script, CountingUpstream.Asked asked, Serving serving, CountingUpstream books)
{
    private CancellationToken Left => http.RequestAborted;

    public Task WriteAsync() => script.Fault switch
    {
        Fault.Fails => RefuseAsync(500, "server_error", null),
        Fault.TooMany => RefuseAsync(429, "rate_limit_error", "0.1"),
        Fault.Refuses => RefuseAsync(400, "invalid_request_error", null),
        Fault.Cut when script.FaultAfter == 0 => Break(),
        _ when asked.IsStream => StreamAsync(),
        _ => PlainAsync(),
    };

    private async Task RefuseAsync(int status, string type, string? retryAfter)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/json";
        if (retryAfter is not null)
        {
            http.Response.Headers["retry-after-ms"] = "100";
        }

        await http.Response.WriteAsync($$$"""{"error":{"message":"As scripted.","type":"{{{type}}}","param":null,"code":null}}""", Left);
        serving.IsWhole = true;
    }

    private async Task StreamAsync()
    {
        http.Response.ContentType = "text/event-stream";
        await EventAsync("""{"role":"assistant","content":""}""", "null");
        for (var word = asked.SentWords; word < script.Words; word++)
        {
            if (word >= script.FaultAfter && script.Fault is Fault.Cut or Fault.EndsEarly or Fault.Malformed)
            {
                await GoWrongAsync();
                return;
            }

            await Task.Delay(script.PaceMs, Left);
            await EventAsync($$"""{"content":"w{{word}} "}""", "null");
        }

        await EventAsync("{}", "\"stop\"");
        var usage = books.Report(serving, script.Words - asked.SentWords);
        await SendAsync($$$"""data: {{{Head}}},"choices":[],"usage":{{{usage}}}}""" + "\n\n");
        await SendAsync("data: [DONE]\n\n");
        serving.IsWhole = true;
    }

    private async Task GoWrongAsync()
    {
        if (script.Fault == Fault.Cut)
        {
            await Break();
        }
        else if (script.Fault == Fault.Malformed)
        {
            await SendAsync("data: {\"id\":\"chatcmpl-scr\n\n");
        }
    }

    private async Task PlainAsync()
    {
        await Task.Delay(script.PaceMs * script.Words, Left);
        var text = string.Join(' ', Enumerable.Range(0, script.Words).Select(word => $"w{word}"));
        var usage = script.Fault == Fault.None ? $",\"usage\":{books.Report(serving, asked.IsEmbedding ? 0 : script.Words)}" : "";
        var body = asked.IsEmbedding
            ? $$$"""{"object":"list","model":"{{{asked.Model}}}","data":[{"object":"embedding","index":0,"embedding":[0.5,0.25]}]{{{usage}}}}"""
            : $$$"""{"id":"chatcmpl-s","object":"chat.completion","created":1700000000,"model":"{{{asked.Model}}}","choices":[{"index":0,"message":{"role":"assistant","content":"{{{text}}}","refusal":null},"logprobs":null,"finish_reason":"stop"}]{{{usage}}}}""";
        var bytes = Encoding.UTF8.GetBytes(script.Fault is Fault.Malformed or Fault.EndsEarly ? body[..^2] : body);
        http.Response.ContentType = "application/json";
        http.Response.ContentLength = bytes.Length;
        await http.Response.Body.WriteAsync(script.Fault == Fault.Cut ? bytes.AsMemory(0, bytes.Length / 2) : bytes, Left);
        await http.Response.Body.FlushAsync(Left);
        if (script.Fault == Fault.Cut)
        {
            await Break();
            return;
        }

        serving.IsWhole = true;
    }

    private Task Break()
    {
        http.Abort();
        return Task.CompletedTask;
    }

    private string Head => $$"""{"id":"chatcmpl-s","object":"chat.completion.chunk","created":1700000000,"model":"{{asked.Model}}" """;

    private Task EventAsync(string delta, string finish) => SendAsync(
        $$$"""data: {{{Head}}},"choices":[{"index":0,"delta":{{{delta}}},"logprobs":null,"finish_reason":{{{finish}}}}],"usage":null}""" + "\n\n");

    private async Task SendAsync(string text)
    {
        await http.Response.WriteAsync(text, Left);
        await http.Response.Body.FlushAsync(Left);
    }
}
