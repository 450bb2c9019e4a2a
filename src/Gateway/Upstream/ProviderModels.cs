using System.Collections.Concurrent;
using System.Text.Json;
using Gateway.Observability;

namespace Gateway.Upstream;

/// <summary>
/// What providers behind a <c>*</c> model say they have, asked every five minutes in the background. The last good list
/// is kept; a provider that does not answer costs nobody a wait.
/// </summary>
internal sealed class ProviderModels(Catalog catalog, Transport transport, TimeProvider clock, ILogger<ProviderModels> log) : BackgroundService
{
    private const int MostModels = 10_000;
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan LongestCall = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<string, (string[] Names, Provider Of, long At)> _lists = new(StringComparer.Ordinal);

    /// <summary>Names of a provider's models; empty until they are known.</summary>
    public IReadOnlyList<string> Of(string provider) => _lists.TryGetValue(provider, out var list) ? list.Names : [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await RunAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Told to stop. Where a start failed, the host would take this for a failure of ours and say so.
        }
    }

    private async Task RunAsync(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(Look, clock);
        do
        {
            var providers = catalog.Current.Models.Where(m => m.IsWildcard).SelectMany(m => m.Deployments).Select(d => d.Provider);
            // Side by side: one that does not answer must not keep the others waiting.
            await Task.WhenAll(providers.Distinct().Select(provider => RefreshAsync(provider, stopping)));
        }
        while (await timer.WaitForNextTickAsync(stopping));
    }

    /// <summary>Asks again when the provider changed or its list is old; a failure counts as asked.</summary>
    private async Task RefreshAsync(Provider provider, CancellationToken stopping)
    {
        var isFresh = _lists.TryGetValue(provider.Name, out var list) && list.Of == provider && clock.GetElapsedTime(list.At) < Interval;
        if (!isFresh)
        {
            var names = await AskAsync(provider, stopping) ?? (list.Names ?? []);
            _lists[provider.Name] = (names, provider, clock.GetTimestamp());
        }
    }

    private async Task<string[]?> AskAsync(Provider provider, CancellationToken stopping)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        limit.CancelAfter(LongestCall);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, provider.Url("models"));
            UpstreamClient.AddHeaders(request, provider);
            using var response = await transport.For(ModelTimeouts.Default.Connect).SendAsync(request, limit.Token);
            response.EnsureSuccessStatusCode();
            await using var body = await response.Content.ReadAsStreamAsync(limit.Token);
            using var json = await JsonDocument.ParseAsync(body, cancellationToken: limit.Token);
            return [.. json.RootElement.GetProperty("data").EnumerateArray()
                .Select(m => m.GetProperty("id").GetString()).OfType<string>().Where(id => id.Length > 0).Distinct().Take(MostModels)];
        }
        catch (Exception failed) when (!stopping.IsCancellationRequested && failed is not OutOfMemoryException)
        {
            log.ModelListFailed(provider.Name, TransportFailure.Describe(failed));
            return null;
        }
    }
}
