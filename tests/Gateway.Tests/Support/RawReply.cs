using System.Diagnostics;
using System.Text;

namespace Gateway.Tests.Support;

/// <summary>How an event stream ended, as a client on the socket saw it.</summary>
public enum StreamEnding
{
    /// <summary><c>data: [DONE]</c>, then the regular end of the body.</summary>
    Done,

    /// <summary>An error event without <c>[DONE]</c>, then the connection broke: the one truthful failure.</summary>
    ErrorThenAbort,

    /// <summary>An error event, then a regular end: .NET clients take it for a finished answer.</summary>
    ErrorThenEnd,

    /// <summary>The connection broke without a word.</summary>
    Abort,

    /// <summary>A regular end with neither <c>[DONE]</c> nor an error: every client takes it for a finished answer.</summary>
    EndWithoutDone,
}

/// <summary>A reply as it came over the socket.</summary>
/// <param name="Headers">Of reply and content; names compare without case, several values are joined by ", ".</param>
/// <param name="Body">Up to the end or the break; transfer coding removed.</param>
/// <param name="Broken">The connection ended before the body did.</param>
/// <param name="AfterLastByte">Time between the last byte read and the end or break.</param>
public sealed record RawReply(
    int Status, IReadOnlyDictionary<string, string> Headers, byte[] Body, bool Broken, TimeSpan AfterLastByte)
{
    public string Text => Encoding.UTF8.GetString(Body);

    public string? ContentType => Headers.GetValueOrDefault("Content-Type");

    /// <summary>
    /// A bot's first use waits a quarter of a second for the database, which may take longer on a busy machine: to be asked
    /// again, as clients do.
    /// </summary>
    public bool IsBeforeItsBot => Status == 503 && Text.Contains("\"configuration_unavailable\"", StringComparison.Ordinal);

    public StreamEnding Ending => Transcript.EndingOf(Body, Broken);

    /// <summary>Sends a request and reads everything, a broken end included. Throws only when no headers came.</summary>
    public static async Task<RawReply> ReadAsync(HttpClient client, HttpRequestMessage request, CancellationToken cancel)
    {
        using var reply = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel);
        using var body = new MemoryStream();
        var broken = false;
        var clock = Stopwatch.StartNew();
        try
        {
            await using var stream = await reply.Content.ReadAsStreamAsync(cancel);
            var buffer = new byte[16 * 1024];
            int read;
            while ((read = await stream.ReadAsync(buffer, cancel)) > 0)
            {
                body.Write(buffer, 0, read);
                clock.Restart();
            }
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            broken = true;
        }

        return new RawReply((int)reply.StatusCode, HeadersOf(reply), body.ToArray(), broken, clock.Elapsed);
    }

    /// <summary>Posts JSON and reads everything.</summary>
    public static async Task<RawReply> PostAsync(HttpClient client, string path, string json, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Content = new StringContent(json, Encoding.UTF8, "application/json"),
        };
        return await ReadAsync(client, request, cancel);
    }

    internal static Dictionary<string, string> HeadersOf(HttpResponseMessage reply)
    {
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, values) in reply.Headers.NonValidated.Concat(reply.Content.Headers.NonValidated))
        {
            headers[name] = values.ToString();
        }

        return headers;
    }
}
