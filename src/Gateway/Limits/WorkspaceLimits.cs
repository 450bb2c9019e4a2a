using System.Collections.Frozen;
using Gateway.Data;
using Microsoft.EntityFrameworkCore;

namespace Gateway.Limits;

/// <summary>The limits of workspaces in memory; those of keys and bots come with the key and the bot.</summary>
internal sealed class WorkspaceLimits : IConfigReader
{
    private FrozenDictionary<Guid, LimitValues> _limits = FrozenDictionary<Guid, LimitValues>.Empty;

    /// <summary>Null: none.</summary>
    public LimitValues? Find(Guid workspace) => _limits.GetValueOrDefault(workspace);

    /// <summary>Read whole: only limited ones come, and a changed one keeps nothing but its numbers here.</summary>
    public async Task ReadAsync(GatewayDb db, long since, CancellationToken cancel)
    {
        var rows = await db.Workspaces.AsNoTracking()
            .Where(w => w.Limits.Rpm != null || w.Limits.Tpm != null || w.Limits.Concurrent != null
                || w.Limits.BudgetUsd != null || w.Limits.BudgetTokens != null)
            .Select(w => new { w.Id, w.Limits }).ToListAsync(cancel);
        Volatile.Write(ref _limits, rows.ToFrozenDictionary(w => w.Id, w => LimitValues.From(w.Limits)!));
    }
}
