using Gateway.Bots.Egress;
using Gateway.Data;

namespace Gateway.Bots.Abilities;

/// <summary>The MCP servers in use, with their sessions: a bounded cache. Safe for concurrent use.</summary>
internal sealed class McpServers(EgressGuard guard, TimeProvider clock, ILogger<McpServers> log) : IAsyncDisposable
{
    /// <summary>Sessions kept; each may hold a connection open.</summary>
    private const int Most = 256;

    /// <summary>A session that nobody uses is ended when somebody asks for another.</summary>
    private static readonly TimeSpan LongestIdle = TimeSpan.FromMinutes(10);

    private readonly Lock _lock = new();
    private readonly Dictionary<(Guid Ability, string Fingerprint), (McpServer Server, long UsedAt)> _servers = [];

    /// <summary>The server of an ability with these secrets. Asks nobody.</summary>
    /// <exception cref="AbilityException">A secret is not there.</exception>
    /// <exception cref="EgressException">Bots may not ask for such a URL.</exception>
    public McpServer Of(Ability ability, McpSettings settings, IReadOnlyDictionary<string, Secret> secrets)
    {
        var key = (ability.Id, settings.Fingerprint(secrets));
        List<McpServer> ended;
        McpServer server;
        lock (_lock)
        {
            if (!_servers.TryGetValue(key, out var known))
            {
                var (url, headers) = settings.Fill(name => secrets.GetValueOrDefault(name)?.Reveal());
                known.Server = new McpServer(ability.Name, settings, url, headers, guard, clock, log);
            }

            server = known.Server;
            _servers[key] = (server, clock.GetTimestamp());
            ended = Prune();
        }

        foreach (var idle in ended)
        {
            _ = idle.DisposeAsync().AsTask();
        }

        return server;
    }

    public async ValueTask DisposeAsync()
    {
        List<McpServer> all;
        lock (_lock)
        {
            all = [.. _servers.Values.Select(s => s.Server)];
            _servers.Clear();
        }

        // A server that does not answer must not hold up the end of the gateway.
        await Task.WhenAny(Task.WhenAll(all.Select(s => s.DisposeAsync().AsTask())), Task.Delay(TimeSpan.FromSeconds(2), clock));
    }

    private List<McpServer> Prune()
    {
        var byUse = _servers.OrderBy(s => s.Value.UsedAt).ToList();
        var gone = byUse.Where((s, i) => i < byUse.Count - Most || clock.GetElapsedTime(s.Value.UsedAt) > LongestIdle).ToList();
        foreach (var (key, _) in gone)
        {
            _servers.Remove(key);
        }

        return [.. gone.Select(s => s.Value.Server)];
    }
}
