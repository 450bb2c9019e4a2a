using System.Diagnostics;
using System.Net.Http.Headers;

namespace Gateway.Benchmarks.Lines;

/// <summary>Callers who each send requests at a steady pace, to all gateways by turns, as behind a load balancer.</summary>
internal sealed class ManyCallers : IDisposable
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(5);

    private readonly HttpClient _client = new(new SocketsHttpHandler { UseProxy = false, MaxConnectionsPerServer = 64 })
    {
        Timeout = TimeSpan.FromSeconds(30),
    };

    private readonly byte[] _body;
    private long _answered;
    private long _refused;

    public ManyCallers(string bodyFile) => _body = File.ReadAllBytes(bodyFile);

    /// <param name="urls">Addresses of the gateways.</param>
    /// <param name="rate">Requests a second of each key.</param>
    /// <returns>Requests that got a 200, and those that got another answer or none.</returns>
    public async Task<(long Answered, long Refused)> SendAsync(
        IReadOnlyList<string> urls, IReadOnlyList<string> keys, double rate, TimeSpan time, CancellationToken cancel)
    {
        (_answered, _refused) = (0, 0);
        var running = new List<Task>();
        var sent = 0;
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < time)
        {
            for (var due = (int)(clock.Elapsed.TotalSeconds * rate * keys.Count); sent < due; sent++)
            {
                // Each key goes to each gateway in its turn.
                running.Add(AskAsync(urls[sent / keys.Count % urls.Count], keys[sent % keys.Count], cancel));
            }

            await Task.Delay(Tick, cancel);
        }

        await Task.WhenAll(running);
        return (_answered, _refused);
    }

    public void Dispose() => _client.Dispose();

    private async Task AskAsync(string url, string key, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, url + Wrk.WrkRun.Path) { Content = new ByteArrayContent(_body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        try
        {
            using var reply = await _client.SendAsync(request, cancel);
            Interlocked.Increment(ref reply.IsSuccessStatusCode ? ref _answered : ref _refused);
        }
        catch (Exception broken) when (broken is HttpRequestException or TaskCanceledException && !cancel.IsCancellationRequested)
        {
            Interlocked.Increment(ref _refused);
        }
    }
}
