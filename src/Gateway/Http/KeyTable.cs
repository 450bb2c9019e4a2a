using System.Collections.Concurrent;
using Gateway.Data;
using Microsoft.EntityFrameworkCore;

namespace Gateway.Http;

/// <summary>
/// Every key's hash in memory, so that a request never waits for the database to learn who it is. Revoked keys stay, so
/// that they are refused from memory too.
/// </summary>
internal sealed class KeyTable : IConfigReader
{
    private readonly ConcurrentDictionary<KeyHash, Caller> _callers = new();
    private readonly ConcurrentDictionary<Guid, KeyHash> _hashes = new();
    private KeyHash? _globalAdmin;

    /// <summary>A caller whose key is known is told of a bot or a model that it does not exist, and must be able to believe it.</summary>
    public bool IsReadLast => true;

    public Caller? Find(KeyHash hash) => _callers.GetValueOrDefault(hash);

    /// <summary>By the key's id, for what was made with it and lives on without it being shown.</summary>
    public Caller? Find(Guid keyId) => _hashes.TryGetValue(keyId, out var hash) ? Find(hash) : null;

    /// <summary>Makes this hash the global admin key's, in place of the one before.</summary>
    public void SetGlobalAdmin(KeyHash hash)
    {
        if (_globalAdmin is { } old && old != hash)
        {
            _callers.TryRemove(old, out _);
        }

        _globalAdmin = hash;
        _callers[hash] = new Caller(null, "", Guid.Empty, "global admin", Scopes.Admin, [], null, IsRevoked: false);
    }

    public async Task ReadAsync(GatewayDb db, long since, CancellationToken cancel)
    {
        // Of the changed keys alone: there may be as many workspaces as keys.
        var workspaces = await db.Workspaces.AsNoTracking()
            .Where(w => db.Keys.Any(k => k.Version > since && k.WorkspaceId == w.Id))
            .Select(w => new { w.Id, w.Name }).ToDictionaryAsync(w => w.Id, w => w.Name, cancel);
        var changed = db.Keys.AsNoTracking().Where(k => k.Version > since).AsAsyncEnumerable();
        await foreach (var key in changed.WithCancellation(cancel))
        {
            var hash = KeyHash.From(key.Hash);
            _hashes[key.Id] = hash;
            _callers[hash] = new Caller(
                key.WorkspaceId, workspaces.GetValueOrDefault(key.WorkspaceId, ""), key.Id, key.Name,
                Caller.ReadScopes(key.Scopes), key.Selectors,
                key.ExpiresAt is { } end ? new DateTimeOffset(end, TimeSpan.Zero) : null, key.RevokedAt is not null)
            {
                Limits = LimitValues.From(key.Limits),
            };
        }

        if (since == 0)
        {
            await ForgetAllButAsync(db, cancel);
            return;
        }

        var gone = await db.Deletions.AsNoTracking()
            .Where(d => d.Version > since && d.Kind == "keys").Select(d => d.ObjectId).ToListAsync(cancel);
        foreach (var id in gone)
        {
            Forget(Guid.Parse(id));
        }
    }

    /// <summary>After a read of everything, what was not in it is gone.</summary>
    private async Task ForgetAllButAsync(GatewayDb db, CancellationToken cancel)
    {
        if (_hashes.IsEmpty)
        {
            return;
        }

        var there = (await db.Keys.Select(k => k.Id).ToListAsync(cancel)).ToHashSet();
        foreach (var id in _hashes.Keys.Where(id => !there.Contains(id)).ToList())
        {
            Forget(id);
        }
    }

    private void Forget(Guid id)
    {
        if (_hashes.TryRemove(id, out var hash))
        {
            _callers.TryRemove(hash, out _);
        }
    }
}
