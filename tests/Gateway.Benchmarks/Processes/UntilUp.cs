using System.Diagnostics;

namespace Gateway.Benchmarks.Processes;

internal static class UntilUp
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);
    private static readonly HttpClient Client = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(5) };

    /// <summary>Asks an address until it answers.</summary>
    /// <param name="mustSucceed">Whether only a 2xx counts.</param>
    /// <exception cref="InvalidOperationException">The process ended first, or 90 s passed; holds what it printed.</exception>
    public static async Task AnswersAsync(
        OwnProcess process, string url, bool mustSucceed, CancellationToken cancel, int pauseMilliseconds = 50)
    {
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < Limit && !process.HasExited)
        {
            try
            {
                using var reply = await Client.GetAsync(new Uri(url), cancel);
                if (reply.IsSuccessStatusCode || !mustSucceed)
                {
                    return;
                }
            }
            catch (HttpRequestException)
            {
                // Not listening yet.
            }
            catch (TaskCanceledException) when (!cancel.IsCancellationRequested)
            {
                // Listening, and not answering yet.
            }

            await Task.Delay(pauseMilliseconds, cancel);
        }

        throw new InvalidOperationException($"{process.Name} did not answer {url}.\n{process.LastWords}");
    }
}
