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
        var models = file.Models.Select(m => m.Name).ToHashSet();
        foreach (var row in Surplus(rows.Models, r => r.Managed, models))
        {
            rows.Models.Remove(row.Name);
            rows.Removed.Add(row);
            changes.Removed("model", row.Name);
        }

        var providers = file.Providers.Select(p => p.Name).ToHashSet();
        foreach (var row in Surplus(rows.Providers, r => r.Managed, providers))
        {
            rows.Providers.Remove(row.Name);
            rows.Removed.Add(row);
            changes.Removed("provider", row.Name);
        }

        var workspaces = file.Workspaces.Select(w => w.Name).ToHashSet();
        foreach (var row in Surplus(rows.Workspaces, r => r.Managed, workspaces))
        {
            await RemoveWorkspaceAsync(row, cancel);
        }

        RemoveFromOtherWorkspaces(file);
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
        Refuse(workspace, Advice, "bots that no file made", rows.Bots.Values
            .Where(b => b.WorkspaceId == workspace.Id && b.Managed != ManagedBy.File).Select(b => b.Id));
        Refuse(workspace, Advice, "secrets that no file made", rows.Secrets.Values
            .Where(s => s.WorkspaceId == workspace.Id && s.Managed != ManagedBy.File).Select(s => s.Name));

        foreach (var bot in rows.Bots.Values.Where(b => b.WorkspaceId == workspace.Id).ToList())
        {
            Remove(bot, workspace.Name);
        }

        foreach (var secret in rows.Secrets.Values.Where(s => s.WorkspaceId == workspace.Id).ToList())
        {
            Remove(secret, workspace.Name);
        }

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
        var bots = file.Workspaces.SelectMany(w => w.Bots.Select(b => (w.Name, b.Id))).ToHashSet();
        foreach (var bot in rows.Bots.Values.Where(b => b.Managed == ManagedBy.File).ToList())
        {
            var workspace = rows.NameOf(bot.WorkspaceId);
            if (!bots.Contains((workspace, bot.Id)))
            {
                Remove(bot, workspace);
            }
        }

        var secrets = file.Workspaces.SelectMany(w => w.Secrets.Select(s => (w.Name, s.Name))).ToHashSet();
        foreach (var secret in rows.Secrets.Values.Where(s => s.Managed == ManagedBy.File).ToList())
        {
            var workspace = rows.NameOf(secret.WorkspaceId);
            if (!secrets.Contains((workspace, secret.Name)))
            {
                Remove(secret, workspace);
            }
        }
    }

    private void Remove(BotRow bot, string workspace)
    {
        rows.Bots.Remove((bot.WorkspaceId, bot.Id));
        rows.Removed.Add(bot);
        changes.Removed("bot", $"{workspace}/{bot.Id}");
    }

    private void Remove(SecretRow secret, string workspace)
    {
        rows.Secrets.Remove((secret.WorkspaceId, secret.Name));
        rows.Removed.Add(secret);
        changes.Removed("secret", $"{workspace}/{secret.Name}");
    }

    private static List<T> Surplus<T>(Dictionary<string, T> rows, Func<T, ManagedBy> managed, HashSet<string> named) =>
        [.. rows.Where(r => managed(r.Value) == ManagedBy.File && !named.Contains(r.Key))
            .OrderBy(r => r.Key, StringComparer.Ordinal).Select(r => r.Value)];
}
