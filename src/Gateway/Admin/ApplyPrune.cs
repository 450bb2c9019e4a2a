using Gateway.Admin.File;
using Gateway.Data;
using Microsoft.EntityFrameworkCore;

namespace Gateway.Admin;

/// <summary>Takes out what a file made before and this one no longer names. Objects of the API are not touched.</summary>
internal sealed class ApplyPrune(GatewayDb db, ApplyRows rows, ApplyChanges changes, List<FileError> errors)
{
    private const int MostNamed = 5;

    public async Task RemoveAsync(GatewayFile file, CancellationToken cancel)
    {
        RemoveSurplus("model", rows.Models, r => r.Managed, file.Models.Select(m => m.Name));
        RemoveSurplus("embedding model", rows.EmbeddingModels, r => r.Managed, file.EmbeddingModels.Select(m => m.Name));
        RemoveSurplus("provider", rows.Providers, r => r.Managed, file.Providers.Select(p => p.Name));
        RemoveOutside(file);

        var workspaces = file.Workspaces.Select(w => w.Name).ToHashSet();
        foreach (var row in Surplus(rows.Workspaces, r => r.Managed, workspaces))
        {
            await RemoveWorkspaceAsync(row, cancel);
        }

        RemoveFromOtherWorkspaces(file);
    }

    private void RemoveSurplus<T>(string kind, Dictionary<string, T> there, Func<T, ManagedBy> managed, IEnumerable<string> named) where T : class, IConfigRow
    {
        foreach (var row in Surplus(there, managed, named.ToHashSet()))
        {
            there.Remove(row.Identity.Id);
            rows.Removed.Add(row);
            changes.Removed(kind, row.Identity.Id);
        }
    }

    /// <summary>Two sections of the file are one row: it goes with the last of them.</summary>
    private void RemoveOutside(GatewayFile file)
    {
        if (rows.Outside is not { Managed: ManagedBy.File } row)
        {
            return;
        }

        if (file is { Web: null, Egress: null })
        {
            rows.Outside = null;
            rows.Removed.Add(row);
            changes.Removed("web and egress", "settings");
        }
        else if (file.Web is null && (row.SearchKind is not null || row.CanFetch))
        {
            (row.SearchKind, row.SearchUrl, row.SearchApiKey, row.CanFetch) = (null, null, null, false);
            changes.Removed("web", "settings");
        }
        else if (file.Egress is null && row.EgressAllow.Length > 0)
        {
            row.EgressAllow = [];
            changes.Removed("egress", "settings");
        }
    }

    /// <summary>
    /// With all that it owns, by name and not by the database's cascade: only rows that are removed here leave word for
    /// the gateways that have them in memory. Refused while it holds what no file made: a workspace of the API that a file
    /// once named must not take that along.
    /// </summary>
    private async Task RemoveWorkspaceAsync(WorkspaceRow workspace, CancellationToken cancel)
    {
        var keys = await db.Keys.Where(k => k.WorkspaceId == workspace.Id).OrderBy(k => k.Id).ToListAsync(cancel);
        Refuse(
            workspace, "revoke its keys first", "keys", keys.Where(k => k.RevokedAt is null).Select(k => $"{k.Name} ({k.Id})"));
        const string Advice = "name the workspace in the file, or remove them first";
        Refuse(workspace, Advice, "bots that no file made", OfApi(rows.Bots, workspace, b => b.Managed));
        Refuse(workspace, Advice, "skillsets that no file made", OfApi(rows.Skillsets, workspace, s => s.Managed));
        Refuse(workspace, Advice, "datasets that no file made", OfApi(rows.Datasets, workspace, d => d.Managed));
        Refuse(workspace, Advice, "secrets that no file made", OfApi(rows.Secrets, workspace, s => s.Managed));

        RemoveOwned("bot", rows.Bots, workspace);
        RemoveOwned("skillset", rows.Skillsets, workspace);
        RemoveOwned("dataset", rows.Datasets, workspace);
        RemoveOwned("secret", rows.Secrets, workspace);
        foreach (var key in keys)
        {
            rows.Removed.Add(key);
            changes.Removed("key", $"{workspace.Name}/{key.Name} ({key.Id})");
        }

        rows.Workspaces.Remove(workspace.Name);
        rows.Removed.Add(workspace);
        changes.Removed("workspace", workspace.Name);
    }

    private void Refuse(WorkspaceRow workspace, string advice, string what, IEnumerable<string> found)
    {
        var names = found.Order(StringComparer.Ordinal).ToList();
        if (names.Count > 0)
        {
            var more = names.Count > MostNamed ? $" and {names.Count - MostNamed} more" : "";
            errors.Add(new FileError(
                0, "",
                $"workspace '{workspace.Name}' cannot be removed, it has {what}: {string.Join(", ", names.Take(MostNamed))}{more}; {advice}"));
        }
    }

    private void RemoveFromOtherWorkspaces(GatewayFile file)
    {
        RemoveUnnamed("bot", rows.Bots, b => b.Managed, Named(file, w => w.Bots.Select(b => b.Id)));
        RemoveUnnamed("skillset", rows.Skillsets, s => s.Managed, Named(file, w => w.Skillsets.Select(s => s.Name)));
        RemoveUnnamed("dataset", rows.Datasets, d => d.Managed, Named(file, w => w.Datasets.Select(d => d.Name)));
        RemoveUnnamed("secret", rows.Secrets, s => s.Managed, Named(file, w => w.Secrets.Select(s => s.Name)));
    }

    private static HashSet<(string Workspace, string Name)> Named(GatewayFile file, Func<FileWorkspace, IEnumerable<string>> names) =>
        [.. file.Workspaces.SelectMany(w => names(w).Select(name => (w.Name, name)))];

    private void RemoveUnnamed<T>(
        string kind, Dictionary<(Guid Workspace, string Name), T> owned, Func<T, ManagedBy> managed, HashSet<(string, string)> named) where T : class
    {
        foreach (var (key, row) in owned.Where(o => managed(o.Value) == ManagedBy.File).ToList())
        {
            var workspace = rows.NameOf(key.Workspace);
            if (!named.Contains((workspace, key.Name)))
            {
                Remove(kind, owned, key, row, workspace);
            }
        }
    }

    private void RemoveOwned<T>(string kind, Dictionary<(Guid Workspace, string Name), T> owned, WorkspaceRow owner) where T : class
    {
        foreach (var (key, row) in owned.Where(o => o.Key.Workspace == owner.Id).ToList())
        {
            Remove(kind, owned, key, row, owner.Name);
        }
    }

    private void Remove<T>(
        string kind, Dictionary<(Guid Workspace, string Name), T> owned, (Guid Workspace, string Name) key, T row, string workspace) where T : class
    {
        owned.Remove(key);
        rows.Removed.Add(row);
        changes.Removed(kind, $"{workspace}/{key.Name}");
    }

    private static IEnumerable<string> OfApi<T>(
        Dictionary<(Guid Workspace, string Name), T> owned, WorkspaceRow workspace, Func<T, ManagedBy> managed) =>
        owned.Where(o => o.Key.Workspace == workspace.Id && managed(o.Value) != ManagedBy.File).Select(o => o.Key.Name);

    private static List<T> Surplus<T>(Dictionary<string, T> rows, Func<T, ManagedBy> managed, HashSet<string> named) =>
        [.. rows.Where(r => managed(r.Value) == ManagedBy.File && !named.Contains(r.Key))
            .OrderBy(r => r.Key, StringComparer.Ordinal).Select(r => r.Value)];
}
