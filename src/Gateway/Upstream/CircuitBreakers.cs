using System.Collections.Concurrent;

namespace Gateway.Upstream;

/// <summary>
/// One circuit for each model at each provider, whatever names lead to it and however often configuration is read. Names
/// behind a <c>*</c> have one each too, so that one that fails does not take the others with it; callers make them up, so
/// there are only so many, and the rest share one.
/// </summary>
internal sealed class CircuitBreakers(TimeProvider clock)
{
    /// <summary>Most circuits for names that callers made up.</summary>
    private const int MostNames = 1_000;

    private readonly ConcurrentDictionary<Key, CircuitBreaker> _breakers = new();
    private int _names;

    private readonly record struct Key(string Provider, string Model, bool IsNamedByCaller);

    public CircuitBreaker For(ModelRoute route, Deployment deployment)
    {
        var key = KeyOf(route, deployment);
        if (!_breakers.TryGetValue(key, out var breaker))
        {
            if (key.IsNamedByCaller && Interlocked.Increment(ref _names) > MostNames)
            {
                Interlocked.Decrement(ref _names);
                key = Shared(deployment);
            }

            breaker = _breakers.GetOrAdd(key, _ => new CircuitBreaker(clock));
        }

        breaker.Options = route.Model.Breaker;
        return breaker;
    }

    /// <summary>Null while the deployment was never asked for this model.</summary>
    public CircuitBreaker? Find(ModelRoute route, Deployment deployment) =>
        _breakers.GetValueOrDefault(KeyOf(route, deployment))
        ?? (deployment.UpstreamModel is null ? _breakers.GetValueOrDefault(Shared(deployment)) : null);

    /// <summary>The circuit of a deployment, of many behind a <c>*</c> the one that is worst off; null while it was never asked.</summary>
    public CircuitBreaker? Worst(Deployment deployment) => deployment.UpstreamModel is { } model
        ? _breakers.GetValueOrDefault(new Key(deployment.Provider.Name, model, IsNamedByCaller: false))
        : _breakers.Where(b => b.Key.Provider == deployment.Provider.Name && b.Key.IsNamedByCaller)
            .Select(b => b.Value).MaxBy(b => b.State);

    /// <summary>The state of every circuit since the start; names that callers made up are one, <c>*</c>, the worst of them.</summary>
    public IEnumerable<(string Provider, string Model, CircuitState State)> States =>
        _breakers.GroupBy(b => (b.Key.Provider, Model: b.Key.IsNamedByCaller ? Model.Wildcard : b.Key.Model))
            .Select(same => (same.Key.Provider, same.Key.Model, same.Max(b => b.Value.State)));

    private static Key KeyOf(ModelRoute route, Deployment deployment) => deployment.UpstreamModel is { } model
        ? new Key(deployment.Provider.Name, model, IsNamedByCaller: false)
        : new Key(deployment.Provider.Name, route.Name, IsNamedByCaller: true);

    private static Key Shared(Deployment deployment) => new(deployment.Provider.Name, Model.Wildcard, IsNamedByCaller: true);
}
