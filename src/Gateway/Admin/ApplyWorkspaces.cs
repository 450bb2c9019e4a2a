using Gateway.Admin.File;
using Gateway.Data;

namespace Gateway.Admin;

/// <summary>Makes workspaces with what they own what the file says.</summary>
internal sealed class ApplyWorkspaces(
    GatewayDb db, SecretBox box, ApplyRows rows, ApplyChanges changes, List<FileError> errors, TimeProvider clock,
    ManagedBy managed = ManagedBy.File)
{
    /// <param name="files">The files of datasets, by the dataset's path in the YAML.</param>
    public async Task MatchAsync(
        GatewayFile file, IReadOnlyDictionary<string, IReadOnlyList<FoundFile>> files, CancellationToken cancel)
    {
        var datasets = new ApplyDatasets(db, rows, changes, errors, clock, managed);
        var bots = new ApplyBots(db, rows, changes, clock, managed);
        foreach (var wanted in file.Workspaces)
        {
            var workspace = Match(wanted);
            foreach (var secret in wanted.Secrets)
            {
                Match(workspace, secret);
            }

            foreach (var dataset in wanted.Datasets)
            {
                await datasets.MatchAsync(workspace, dataset, files.GetValueOrDefault(dataset.At.Path), cancel);
            }

            foreach (var skillset in wanted.Skillsets)
            {
                bots.Match(workspace, skillset);
            }

            foreach (var bot in wanted.Bots)
            {
                bots.Match(workspace, bot);
            }
        }
    }

    public WorkspaceRow Match(FileWorkspace wanted)
    {
        var isNew = !rows.Workspaces.TryGetValue(wanted.Name, out var row);
        if (wanted.IsLeftTo(row?.Managed))
        {
            return row!;
        }

        if (row is null)
        {
            row = new WorkspaceRow
            {
                Id = Guid.CreateVersion7(clock.GetUtcNow()),
                Name = wanted.Name,
                Managed = wanted.Manager(managed),
                CreatedAt = clock.GetUtcNow().UtcDateTime,
            };
            db.Workspaces.Add(row);
            rows.Workspaces.Add(row.Name, row);
            changes.Added("workspace", row.Name);
        }

        var edit = new ApplyEdit();
        edit.SetLimits(row.Limits, wanted.Limits);
        edit.Adopt(row.Managed, wanted.Manager(managed), v => row.Managed = v);
        if (!isNew)
        {
            changes.Changed("workspace", row.Name, edit);
        }

        return row;
    }

    public void Match(WorkspaceRow workspace, FileSecret wanted)
    {
        var name = $"{workspace.Name}/{wanted.Name}";
        var owner = SecretOwners.WorkspaceSecret(workspace.Name, wanted.Name);
        if (!rows.Secrets.TryGetValue((workspace.Id, wanted.Name), out var row))
        {
            if (wanted.Value is null)
            {
                errors.Add(wanted.At.Error("expected a 'value': the database has none to keep for this secret"));
                return;
            }

            row = new SecretRow
            {
                WorkspaceId = workspace.Id,
                Name = wanted.Name,
                Value = box.Seal(wanted.Value.Reveal(), owner),
                Managed = wanted.Manager(managed),
            };
            db.Secrets.Add(row);
            rows.Secrets.Add((workspace.Id, wanted.Name), row);
            changes.Added("secret", name);
            return;
        }

        if (wanted.IsLeftTo(row.Managed))
        {
            return;
        }

        var edit = new ApplyEdit();
        if (wanted.Value is { } value && !box.Holds(row.Value, value, owner))
        {
            edit.Assign("value", box.Seal(value.Reveal(), owner), v => row.Value = v);
        }

        edit.Adopt(row.Managed, wanted.Manager(managed), v => row.Managed = v);
        changes.Changed("secret", name, edit);
    }
}
