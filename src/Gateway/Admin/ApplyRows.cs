using Gateway.Admin.File;
using Gateway.Data;
using Microsoft.EntityFrameworkCore;

namespace Gateway.Admin;

/// <summary>
/// The rows that an apply may touch, by name, tracked. While it runs they become what the database will be: rows that
/// are added come in, rows that are removed go out.
/// </summary>
internal sealed class ApplyRows
{
    public required Dictionary<string, ProviderRow> Providers { get; init; }
    public required Dictionary<string, ModelRow> Models { get; init; }
    public required Dictionary<string, WorkspaceRow> Workspaces { get; init; }

    /// <summary>Of the file's workspaces; when pruning also all that a file made before, and all of workspaces that go.</summary>
    public required Dictionary<(Guid Workspace, string Id), BotRow> Bots { get; init; }

    /// <inheritdoc cref="Bots"/>
    public required Dictionary<(Guid Workspace, string Name), SecretRow> Secrets { get; init; }

    /// <summary>What is to be deleted when the whole turns out right.</summary>
    public List<object> Removed { get; } = [];

    public static async Task<ApplyRows> LoadAsync(GatewayDb db, GatewayFile file, bool isPruning, CancellationToken cancel)
    {
        var workspaces = await db.Workspaces.ToDictionaryAsync(w => w.Name, cancel);
        var named = file.Workspaces.Select(w => w.Name).ToHashSet();
        var touched = workspaces.Values
            .Where(w => named.Contains(w.Name) || (isPruning && w.Managed == ManagedBy.File)).Select(w => w.Id).ToArray();
        return new ApplyRows
        {
            Workspaces = workspaces,
            Providers = await db.Providers.ToDictionaryAsync(p => p.Name, cancel),
            Models = await db.Models.Include(m => m.Deployments).ToDictionaryAsync(m => m.Name, cancel),
            Bots = await db.Bots
                .Where(b => touched.Contains(b.WorkspaceId) || (isPruning && b.Managed == ManagedBy.File))
                .ToDictionaryAsync(b => (b.WorkspaceId, b.Id), cancel),
            Secrets = await db.Secrets
                .Where(s => touched.Contains(s.WorkspaceId) || (isPruning && s.Managed == ManagedBy.File))
                .ToDictionaryAsync(s => (s.WorkspaceId, s.Name), cancel),
        };
    }

    public string NameOf(Guid workspace) => Workspaces.Values.First(w => w.Id == workspace).Name;
}
