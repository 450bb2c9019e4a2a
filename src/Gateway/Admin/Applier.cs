using Gateway.Admin.File;
using Gateway.Data;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Gateway.Admin;

/// <param name="Prune">Removes what a file made before and this one does not name.</param>
/// <param name="DryRun">Says what would change and changes nothing.</param>
/// <param name="OnlyIfNew">Leaves a file alone that is the one applied last, whatever the database holds now.</param>
internal sealed record ApplyOptions(bool Prune = false, bool DryRun = false, bool OnlyIfNew = false)
{
    /// <summary>Who applies it, for the audit log.</summary>
    public Actor By { get; init; } = Actor.File;
}

/// <param name="Changes">A line for each object that changed; empty when nothing had to.</param>
/// <param name="Errors">Not empty: nothing was changed at all.</param>
internal sealed record ApplyOutcome(IReadOnlyList<string> Changes, IReadOnlyList<FileError> Errors)
{
    /// <summary>What is right as it stands and is seldom meant so.</summary>
    public IReadOnlyList<FileError> Warnings { get; init; } = [];
}

/// <summary>
/// Makes the database match a <c>gateway.yaml</c>, all or nothing. Applying a file twice is the same as once: what is
/// right already is not touched, and gets no new version.
/// </summary>
internal sealed class Applier(GatewayDb db, SecretBox box, GatewaySettings settings, TimeProvider clock)
{
    private const string HashSetting = "applied-file";

    /// <summary>Whether this is the file that was applied last. Waits for nobody.</summary>
    public static async Task<bool> IsLastAsync(NpgsqlDataSource database, ApplySource source, CancellationToken cancel) =>
        source.Result.File is not null && await SettingTable.ReadAsync(database, HashSetting, cancel) == source.Hash;

    /// <summary>Waits for other applies and configuration changes that are under way. Used once per context.</summary>
    public async Task<ApplyOutcome> ApplyAsync(ApplySource source, ApplyOptions options, CancellationToken cancel)
    {
        if (source.Result.File is not { } file)
        {
            return new ApplyOutcome([], source.Result.Errors);
        }

        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        if (await LockAsync(cancel) == source.Hash && options.OnlyIfNew)
        {
            return new ApplyOutcome([], []);
        }

        // Looking for changes with each file of thousands would take minutes; once, before they are saved, is enough.
        db.ChangeTracker.AutoDetectChangesEnabled = false;
        var changes = new ApplyChanges();
        var errors = new List<FileError>();
        var rows = await ApplyRows.LoadAsync(db, file, options.Prune, cancel);

        new ApplyCatalog(db, box, rows, changes, errors, clock).Match(file);
        new ApplyOutside(db, box, rows, changes, errors, clock).Match(file);
        await new ApplyWorkspaces(db, box, rows, changes, errors, clock).MatchAsync(file, source.Files, cancel);
        if (options.Prune)
        {
            await new ApplyPrune(db, rows, changes, errors).RemoveAsync(file, cancel);
        }

        var sight = new ApplySight(rows, settings);
        errors.AddRange(await new ApplyReferences(db, rows, sight, settings).CheckAsync(file, cancel));
        if (options.Prune)
        {
            errors.AddRange(await new ApplyStillUsed(db, rows, sight).CheckAsync(file, cancel));
        }

        if (errors.Count > 0)
        {
            return new ApplyOutcome([], [.. errors.OrderBy(e => e.Line)]);
        }

        var warnings = await new ApplyWarnings(db, rows, sight).FindAsync(file, cancel);
        if (!options.DryRun)
        {
            // Deletions come last and after the tracker saw the rest: a model that moved to another provider must not
            // look as if it still hung on the one that goes.
            db.ChangeTracker.AutoDetectChangesEnabled = true;
            db.ChangeTracker.DetectChanges();
            db.RemoveRange(rows.Removed);
            var removed = rows.Removed.OfType<WorkspaceRow>().ToDictionary(w => w.Name, w => w.Id);
            new AuditLog(db, options.By, clock).Add(
                changes, name => rows.Workspaces.TryGetValue(name, out var there) ? there.Id : removed[name]);
            await db.SaveChangesAsync(cancel);
            await db.Database.ExecuteSqlAsync(
                $"UPDATE settings SET value = {source.Hash} WHERE name = {HashSetting} AND value <> {source.Hash}", cancel);
            await transaction.CommitAsync(cancel);
        }

        return new ApplyOutcome(changes.Lines, []) { Warnings = warnings };
    }

    /// <summary>
    /// Lets one apply run at a time, and no other change of configuration beside it: a key that came into a workspace
    /// between reading and removing it would go without a trace for the gateways that hold it.
    /// </summary>
    /// <returns>The hash of the file that was applied last; empty when none was.</returns>
    private async Task<string> LockAsync(CancellationToken cancel)
    {
        await db.Database.ExecuteSqlAsync(
            $"INSERT INTO settings (name, value) VALUES ({HashSetting}, '') ON CONFLICT DO NOTHING", cancel);
        var last = await db.Database
            .SqlQuery<string>($"SELECT value AS \"Value\" FROM settings WHERE name = {HashSetting} FOR UPDATE")
            .ToListAsync(cancel);
        await db.Database.ExecuteSqlAsync($"SELECT version FROM config_version FOR UPDATE", cancel);
        return last[0];
    }
}
