using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Gateway.Tests.Support;

namespace Gateway.Tests.Verify;

/// <summary>Which door a request goes through.</summary>
internal enum Door
{
    Model,
    Bot,
    Embedding,
}

/// <summary>One request of a run, decided before it is sent.</summary>
/// <param name="At">When it is sent, from the begin of the run.</param>
/// <param name="LeavesAfter">When the client closes the connection, from the sending; null: it waits for the end.</param>
internal sealed record Call(
    Script Script, Door Door, bool IsStream, string Selector, string Key, TimeSpan At, TimeSpan? LeavesAfter)
{
    public string Path => Door == Door.Embedding ? "/v1/embeddings" : "/v1/chat/completions";

    public string Body() => Door == Door.Embedding
        ? JsonSerializer.Serialize(new { model = Selector, input = Script.ToString() })
        : JsonSerializer.Serialize(new
        {
            model = Selector,
            stream = IsStream,
            messages = new[] { new { role = "user", content = Script.ToString() } },
        });
}

/// <summary>How a request ended, as its client saw it.</summary>
internal enum Seen
{
    /// <summary>A whole reply: a stream up to its <c>[DONE]</c>, a plain one up to its length.</summary>
    Whole,

    /// <summary>An error with a status of its own.</summary>
    Refused,

    /// <summary>An error event in a stream, and the end of the connection.</summary>
    ErrorEvent,

    /// <summary>The connection broke without a word.</summary>
    Broken,

    /// <summary>A stream that ended regularly and has no end: what must never be.</summary>
    Truncated,

    /// <summary>The client itself closed the connection.</summary>
    Left,

    /// <summary>There was no connection.</summary>
    NotConnected,
}

/// <param name="Gateway">0 or 1.</param>
/// <param name="Code">Of an error: its code, else its type.</param>
/// <param name="BeganAt">On <see cref="Stopwatch"/>'s clock.</param>
/// <param name="EndedAt">When the client had its end, or left.</param>
internal sealed record Outcome(Call Call, int Gateway, Seen Seen, int Status, string? Code, long BeganAt, long EndedAt)
{
    /// <summary>Sends a call once. Never sent again, whatever comes of it: one request, one id, one row.</summary>
    public static async Task<Outcome> OfAsync(HttpClient client, int gateway, Call call, CancellationToken cancel)
    {
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var left = 0L;
        await using var noted = leaving.Token.Register(() => left = Stopwatch.GetTimestamp());
        using var request = new HttpRequestMessage(HttpMethod.Post, call.Path)
        {
            Content = new StringContent(call.Body(), Encoding.UTF8, "application/json"),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", call.Key);
        request.Headers.Add("x-request-id", call.Script.Id);
        if (call.LeavesAfter is { } patience)
        {
            leaving.CancelAfter(patience);
        }

        var began = Stopwatch.GetTimestamp();
        try
        {
            var reply = await RawReply.ReadAsync(client, request, leaving.Token);
            var (seen, code) = Judge(call, reply);
            return new Outcome(call, gateway, seen, reply.Status, code, began, Stopwatch.GetTimestamp());
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return new Outcome(call, gateway, Seen.Left, 0, null, began, left);
        }
        catch (HttpRequestException failed)
        {
            var seen = failed.HttpRequestError == HttpRequestError.ConnectionError ? Seen.NotConnected : Seen.Broken;
            return new Outcome(call, gateway, seen, 0, null, began, Stopwatch.GetTimestamp());
        }
    }

    private static (Seen, string?) Judge(Call call, RawReply reply)
    {
        if (reply.Status != 200)
        {
            return reply.Broken ? (Seen.Broken, null) : (Seen.Refused, CodeOf(reply.Body));
        }

        if (!call.IsStream)
        {
            return (reply.Broken ? Seen.Broken : Seen.Whole, null);
        }

        return reply.Ending switch
        {
            StreamEnding.Done => (Seen.Whole, null),
            StreamEnding.ErrorThenAbort => (Seen.ErrorEvent, CodeOf(Encoding.UTF8.GetBytes(Transcript.Events(reply.Body, mayBeCut: true)[^1]))),
            StreamEnding.Abort => (Seen.Broken, null),
            _ => (Seen.Truncated, null),
        };
    }

    private static string? CodeOf(byte[] body)
    {
        using var json = JsonDocument.Parse(body);
        var error = json.RootElement.GetProperty("error");
        return error.GetProperty("code").GetString() ?? error.GetProperty("type").GetString();
    }
}
