using Gateway.Admin.File;
using Gateway.Data;

namespace Gateway.Admin;

/// <summary>Makes skillsets and bots what the file says.</summary>
internal sealed class ApplyBots(
    GatewayDb db, ApplyRows rows, ApplyChanges changes, TimeProvider clock, ManagedBy managed = ManagedBy.File)
{
    public void Match(WorkspaceRow workspace, FileSkillset wanted)
    {
        var isNew = !rows.Skillsets.TryGetValue((workspace.Id, wanted.Name), out var row);
        if (wanted.IsLeftTo(row?.Managed))
        {
            return;
        }

        if (row is null)
        {
            row = new SkillsetRow
            {
                WorkspaceId = workspace.Id,
                Id = Guid.CreateVersion7(clock.GetUtcNow()),
                Name = wanted.Name,
                Description = "",
                Managed = wanted.Manager(managed),
                CreatedAt = clock.GetUtcNow().UtcDateTime,
            };
            db.Skillsets.Add(row);
            rows.Skillsets.Add((workspace.Id, wanted.Name), row);
            changes.Added("skillset", $"{workspace.Name}/{wanted.Name}");
        }

        var edit = new ApplyEdit();
        edit.Set("description", row.Description, wanted.Description, v => row.Description = v);
        edit.Set("enabled", row.IsEnabled, wanted.IsEnabled, v => row.IsEnabled = v);
        MatchAbilities(row, wanted, edit);
        edit.Adopt(row.Managed, wanted.Manager(managed), v => row.Managed = v);
        if (!isNew)
        {
            changes.Changed("skillset", $"{workspace.Name}/{wanted.Name}", edit);
        }
    }

    public void Match(WorkspaceRow workspace, FileBot wanted)
    {
        var isNew = !rows.Bots.TryGetValue((workspace.Id, wanted.Id), out var row);
        if (wanted.IsLeftTo(row?.Managed))
        {
            return;
        }

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
                Managed = wanted.Manager(managed),
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
        edit.SetJson("parameters", row.Parameters, wanted.ParametersJson, v => row.Parameters = v);
        edit.SetList("lockedParameters", row.LockedParameters, wanted.LockedParameters, v => row.LockedParameters = v);
        MatchParts(row, wanted, edit);
        edit.Adopt(row.Managed, wanted.Manager(managed), v => row.Managed = v);
        if (!isNew)
        {
            changes.Changed("bot", $"{workspace.Name}/{wanted.Id}", edit);
        }
    }

    private static void MatchParts(BotRow row, FileBot wanted, ApplyEdit edit)
    {
        edit.SetJson("datasets", row.Datasets, wanted.DatasetsJson, v => row.Datasets = v);
        edit.SetList("skillsets", row.Skillsets, wanted.Skillsets, v => row.Skillsets = v);
        edit.Set("webSearch", row.WebSearch, wanted.WebSearch, v => row.WebSearch = v);
        edit.SetJson("clientTools", row.ClientTools, wanted.ClientToolsJson, v => row.ClientTools = v);
        edit.SetJson("team", row.Team, wanted.TeamJson, v => row.Team = v);
        edit.SetLimits(row.Limits, wanted.Limits);
        edit.Set("limits", row.Turn.Steps, wanted.Turn.Steps, v => row.Turn.Steps = v);
        edit.Set("limits", row.Turn.ToolCalls, wanted.Turn.ToolCalls, v => row.Turn.ToolCalls = v);
        edit.Set("limits", row.Turn.Depth, wanted.Turn.Depth, v => row.Turn.Depth = v);
        edit.Set("limits", row.Turn.Seconds, wanted.Turn.Seconds, v => row.Turn.Seconds = v);
        edit.Set("limits", row.Turn.BudgetUsd, wanted.Turn.BudgetUsd, v => row.Turn.BudgetUsd = v);
        edit.Set("exposeSteps", row.ExposeSteps, wanted.ExposeSteps, v => row.ExposeSteps = v);
    }

    /// <summary>By name, so that one that only moved keeps its id.</summary>
    private void MatchAbilities(SkillsetRow row, FileSkillset wanted, ApplyEdit edit)
    {
        foreach (var (position, ability) in wanted.Abilities.Index())
        {
            if (row.Abilities.Find(a => a.Name == ability.Name) is { } there)
            {
                edit.Set("abilities", there.Position, position, v => there.Position = v);
                edit.Set("abilities", there.Description, ability.Description, v => there.Description = v);
                edit.Set("abilities", there.Kind, ability.Kind, v => there.Kind = v);
                edit.SetJson("abilities", there.Parameters, ability.ParametersJson, v => there.Parameters = v);
                edit.SetJson("abilities", there.Settings, ability.SettingsJson, v => there.Settings = v);
                continue;
            }

            var made = new AbilityRow
            {
                WorkspaceId = row.WorkspaceId,
                SkillsetId = row.Id,
                Id = Guid.CreateVersion7(clock.GetUtcNow()),
                Position = position,
                Name = ability.Name,
                Description = ability.Description,
                Kind = ability.Kind,
                Parameters = ability.ParametersJson,
                Settings = ability.SettingsJson,
            };
            edit.Assign("abilities", made, row.Abilities.Add);
        }

        var names = wanted.Abilities.Select(a => a.Name).ToHashSet();
        foreach (var surplus in row.Abilities.Where(a => !names.Contains(a.Name)).ToList())
        {
            edit.Assign("abilities", surplus, s => row.Abilities.Remove(s));
        }
    }
}
