using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Gateway.Benchmarks.Systems;
using Gateway.Benchmarks.Wrk;

namespace Gateway.Benchmarks;

/// <summary>One request through a system, read in full: what is measured afterwards is known to be right.</summary>
internal static class Probe
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private static readonly HttpClient Client = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(60) };

    /// <returns>Bytes of the reply's body.</returns>
    /// <exception cref="InvalidOperationException">The reply is not what the upstream said.</exception>
    public static async Task<long> PlainAsync(BenchSystem system, string bodyFile, CancellationToken cancel)
    {
        var reply = await AskAsync(system, bodyFile, cancel);
        return reply.Contains("\"finish_reason\":\"stop\"", StringComparison.Ordinal)
            ? reply.Length
            : throw new InvalidOperationException($"{system.Name} changed the reply: {reply}");
    }

    /// <param name="chunks">With text; around them are the role, the finish and the usage.</param>
    /// <inheritdoc cref="PlainAsync"/>
    public static async Task<long> StreamAsync(BenchSystem system, string bodyFile, int chunks, CancellationToken cancel)
    {
        var reply = await AskAsync(system, bodyFile, cancel);
        var events = reply.Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        return events.Count(e => e.Contains("\"chat.completion.chunk\"", StringComparison.Ordinal)) == chunks + 3
            && events[^1].Trim() == "data: [DONE]"
            ? reply.Length
            : throw new InvalidOperationException($"{system.Name} changed the stream, which ended with: {string.Join('\n', events.TakeLast(5))}");
    }

    private static async Task<string> AskAsync(BenchSystem system, string bodyFile, CancellationToken cancel)
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            using var reply = await SendAsync(system, bodyFile, cancel);
            // One byte is one character, so that the length is that of the body.
            var text = Encoding.Latin1.GetString(await reply.Content.ReadAsByteArrayAsync(cancel));
            if (reply.IsSuccessStatusCode)
            {
                return text;
            }

            // A gateway that has not read a new key yet, or has no limits leased.
            if (reply.StatusCode is not (HttpStatusCode.Unauthorized or HttpStatusCode.ServiceUnavailable) || clock.Elapsed > Limit)
            {
                throw new InvalidOperationException($"{system.Name} answered {(int)reply.StatusCode}: {text}");
            }

            await Task.Delay(200, cancel);
        }
    }

    private static async Task<HttpResponseMessage> SendAsync(BenchSystem system, string bodyFile, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, system.Url + WrkRun.Path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", system.Key);
        foreach (var header in system.Headers.Select(h => h.Split(": ", 2)))
        {
            request.Headers.Add(header[0], header[1]);
        }

        request.Content = new ByteArrayContent(await File.ReadAllBytesAsync(bodyFile, cancel));
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return await Client.SendAsync(request, cancel);
    }
}
