using System.Collections.Concurrent;

namespace Gateway.Upstream;

/// <summary>
/// One circuit for each model at each provider, whatever names lead to it and however often configuration is read. All
/// names behind a <c>*</c> share one: callers make them up.
/// </summary>
internal sealed class CircuitBreakers(TimeProvider clock)
{
    private readonly ConcurrentDictionary<(string Provider, string Model), CircuitBreaker> _breakers = new();

    public CircuitBreaker For(Model model, Deployment deployment)
    {
        var key = Key(deployment);
        if (!_breakers.TryGetValue(key, out var breaker))
        {
            breaker = _breakers.GetOrAdd(key, _ => new CircuitBreaker(clock));
        }

        breaker.Options = model.Breaker;
        return breaker;
    }

    /// <summary>Null while the deployment was never asked.</summary>
    public CircuitBreaker? Find(Deployment deployment) => _breakers.GetValueOrDefault(Key(deployment));

    /// <summary>Every circuit that there has been since the start.</summary>
    public IEnumerable<(string Provider, string Model, CircuitBreaker Breaker)> All =>
        _breakers.Select(b => (b.Key.Provider, b.Key.Model, b.Value));

    private static (string, string) Key(Deployment deployment) =>
        (deployment.Provider.Name, deployment.UpstreamModel ?? Model.Wildcard);
}
