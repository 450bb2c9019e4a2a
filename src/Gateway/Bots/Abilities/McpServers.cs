using System.Text;
using Gateway.Bots.Egress;
using Gateway.Data;
using Microsoft.EntityFrameworkCore;

namespace Gateway.Bots.Abilities;

/// <summary>
/// The MCP servers in use, with their sessions: a bounded cache, of what the configuration has. Safe for concurrent use.
/// </summary>
internal sealed class McpServers(EgressGuard guard, TimeProvider clock, ILogger<McpServers> log) : IConfigReader, IAsyncDisposable
{
    /// <summary>Sessions kept; each may hold a connection open.</summary>
    private const int Most = 256;

    /// <summary>A session that nobody uses is ended when somebody asks for another.</summary>
    private static readonly TimeSpan LongestIdle = TimeSpan.FromMinutes(10);

    /// <summary>A turn waits for a list of tools no longer than this; then it goes on without them. 5 s.</summary>
    public TimeSpan LongestListing { get; init; } = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly Dictionary<(Guid Ability, string Fingerprint), Held> _servers = [];

    /// <param name="Settings">The ability's, as they were when the server was first asked for.</param>
    private readonly record struct Held(McpServer Server, byte[] Settings, bool HasSecrets, long UsedAt);

    /// <summary>The server of an ability with these secrets. Asks nobody.</summary>
    /// <exception cref="AbilityException">A secret is not there.</exception>
    /// <exception cref="EgressException">Bots may not ask for such a URL.</exception>
    public McpServer Of(Ability ability, McpSettings settings, IReadOnlyDictionary<string, Secret> secrets)
    {
        var key = (ability.Id, settings.Fingerprint(secrets));
        Held known;
        lock (_lock)
        {
            if (!_servers.TryGetValue(key, out known))
            {
                var (url, headers) = settings.Fill(name => secrets.GetValueOrDefault(name)?.Reveal());
                known = new Held(
                    new McpServer(ability.Name, settings, url, headers, LongestListing, guard, clock, log), ability.Settings,
                    settings.Secrets.Count > 0, 0);
            }

            _servers[key] = known with { UsedAt = clock.GetTimestamp() };
        }

        Prune();
        return known.Server;
    }

    /// <summary>
    /// Ends the sessions that no bot will ask for again: of abilities that are gone, switched off, or set otherwise, and of
    /// those with a secret in a workspace whose secrets changed.
    /// </summary>
    public async Task ReadAsync(GatewayDb db, long since, CancellationToken cancel)
    {
        Guid[] held;
        lock (_lock)
        {
            held = [.. _servers.Keys.Select(key => key.Ability).Distinct()];
        }

        if (held.Length == 0)
        {
            return;
        }

        var there = await db.Abilities.AsNoTracking()
            .Where(a => held.Contains(a.Id)
                && db.Skillsets.Any(s => s.WorkspaceId == a.WorkspaceId && s.Id == a.SkillsetId && s.IsEnabled))
            .Select(a => new { a.Id, a.WorkspaceId, a.Settings }).ToDictionaryAsync(a => a.Id, cancel);
        var secrets = await db.Secrets.Where(s => s.Version > since).Select(s => s.WorkspaceId)
            .Union(db.Deletions.Where(d => d.Version > since && d.Kind == "secrets").Select(d => d.WorkspaceId)).ToListAsync(cancel);
        End((key, server) => held.Contains(key.Ability)
            && (!there.TryGetValue(key.Ability, out var ability)
                || !server.Settings.AsSpan().SequenceEqual(Encoding.UTF8.GetBytes(ability.Settings))
                || (server.HasSecrets && secrets.Contains(ability.WorkspaceId))));
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

    /// <summary>Ends what is idle, and the oldest of too many.</summary>
    private void Prune()
    {
        long? oldest = null;
        lock (_lock)
        {
            if (_servers.Count > Most)
            {
                oldest = _servers.Values.Select(s => s.UsedAt).Order().ElementAt(_servers.Count - Most);
            }
        }

        End((_, server) => server.UsedAt < oldest || clock.GetElapsedTime(server.UsedAt) > LongestIdle);
    }

    private void End(Func<(Guid Ability, string Fingerprint), Held, bool> isOver)
    {
        List<KeyValuePair<(Guid, string), Held>> ended;
        lock (_lock)
        {
            ended = [.. _servers.Where(s => isOver(s.Key, s.Value))];
            foreach (var (key, _) in ended)
            {
                _servers.Remove(key);
            }
        }

        foreach (var (_, held) in ended)
        {
            _ = held.Server.DisposeAsync().AsTask();
        }
    }
}
