using System.Text.Json;
using Gateway.Admin.File;
using Gateway.Data;

namespace Gateway.Admin;

/// <summary>Makes workspaces with their secrets and bots what the file says.</summary>
internal sealed class ApplyWorkspaces(
    GatewayDb db, SecretBox box, ApplyRows rows, ApplyChanges changes, List<FileError> errors, TimeProvider clock,
    ManagedBy managed = ManagedBy.File)
{
    public void Match(GatewayFile file)
    {
        foreach (var wanted in file.Workspaces)
        {
            var workspace = Match(wanted);
            foreach (var secret in wanted.Secrets)
            {
                Match(workspace, secret);
            }

            foreach (var bot in wanted.Bots)
            {
                Match(workspace, bot);
            }
        }
    }

    public WorkspaceRow Match(FileWorkspace wanted)
    {
        var isNew = !rows.Workspaces.TryGetValue(wanted.Name, out var row);
        if (row is null)
        {
            row = new WorkspaceRow
            {
                Id = Guid.CreateVersion7(clock.GetUtcNow()),
                Name = wanted.Name,
                Managed = managed,
                CreatedAt = clock.GetUtcNow().UtcDateTime,
            };
            db.Workspaces.Add(row);
            rows.Workspaces.Add(row.Name, row);
            changes.Added("workspace", row.Name);
        }

        var edit = new ApplyEdit();
        edit.SetLimits(row.Limits, wanted.Limits);
        edit.Adopt(row.Managed, managed, v => row.Managed = v);
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
                Managed = managed,
            };
            db.Secrets.Add(row);
            rows.Secrets.Add((workspace.Id, wanted.Name), row);
            changes.Added("secret", name);
            return;
        }

        var edit = new ApplyEdit();
        if (wanted.Value is { } value && !box.Holds(row.Value, value, owner))
        {
            edit.Assign("value", box.Seal(value.Reveal(), owner), v => row.Value = v);
        }

        edit.Adopt(row.Managed, managed, v => row.Managed = v);
        changes.Changed("secret", name, edit);
    }

    public void Match(WorkspaceRow workspace, FileBot wanted)
    {
        var isNew = !rows.Bots.TryGetValue((workspace.Id, wanted.Id), out var row);
        if (row is null)
        {
            row = new BotRow
            {
                WorkspaceId = workspace.Id,
                Id = wanted.Id,
                Name = "",
                Description = "",
                Model = "",
                Backstory = "",
                Parameters = "{}",
                LockedParameters = [],
                Managed = managed,
                CreatedAt = clock.GetUtcNow().UtcDateTime,
            };
            db.Bots.Add(row);
            rows.Bots.Add((workspace.Id, wanted.Id), row);
            changes.Added("bot", $"{workspace.Name}/{wanted.Id}");
        }

        var edit = new ApplyEdit();
        edit.Set("name", row.Name, wanted.Name ?? wanted.Id, v => row.Name = v);
        edit.Set("description", row.Description, wanted.Description ?? "", v => row.Description = v);
        edit.Set("model", row.Model, wanted.Model, v => row.Model = v);
        edit.Set("backstory", row.Backstory, wanted.Backstory ?? "", v => row.Backstory = v);
        if (!IsSameJson(row.Parameters, wanted.ParametersJson))
        {
            edit.Assign("parameters", wanted.ParametersJson, v => row.Parameters = v);
        }

        edit.SetList("lockedParameters", row.LockedParameters, wanted.LockedParameters, v => row.LockedParameters = v);
        edit.SetLimits(row.Limits, wanted.Limits);
        edit.Adopt(row.Managed, managed, v => row.Managed = v);
        if (!isNew)
        {
            changes.Changed("bot", $"{workspace.Name}/{wanted.Id}", edit);
        }
    }

    /// <summary>The database keeps JSON in a form of its own: other spaces, order and spelling of numbers.</summary>
    private static bool IsSameJson(string a, string b)
    {
        using var first = JsonDocument.Parse(a);
        using var second = JsonDocument.Parse(b);
        return JsonElement.DeepEquals(first.RootElement, second.RootElement);
    }
}
