using System.Text.Json;
using Gateway.Admin.File;
using Gateway.Data;
using Microsoft.EntityFrameworkCore;

namespace Gateway.Admin;

/// <summary>Looks at what a file does not name and which stays: it must not lose what it uses to an apply that prunes.</summary>
internal sealed class ApplyStillUsed(GatewayDb db, ApplyRows rows, ApplySight sight)
{
    /// <summary>What stays must not lose what it uses.</summary>
    public async Task<List<FileError>> CheckAsync(GatewayFile file, CancellationToken cancel)
    {
        var errors = new List<FileError>();
        var inFile = file.Models.Select(m => m.Name).ToHashSet();
        var providers = rows.Providers.Values.Select(p => p.Id).ToHashSet();
        foreach (var model in rows.Models.Values.Where(m => !inFile.Contains(m.Name)))
        {
            if (model.Deployments.Exists(d => !providers.Contains(d.ProviderId)))
            {
                var gone = rows.Removed.OfType<ProviderRow>()
                    .First(p => model.Deployments.Exists(d => d.ProviderId == p.Id)).Name;
                errors.Add(new FileError(0, "", $"provider '{gone}' cannot be removed: model '{model.Name}' still uses it"));
            }

            foreach (var gone in model.Workspaces.Where(w => !rows.Workspaces.ContainsKey(w)))
            {
                errors.Add(new FileError(0, "", $"workspace '{gone}' cannot be removed: model '{model.Name}' is limited to it"));
            }
        }

        var removed = rows.Removed.OfType<ModelRow>().Select(m => m.Name).ToArray();
        foreach (var model in rows.Models.Values.Where(m => !inFile.Contains(m.Name)))
        {
            foreach (var gone in model.Fallbacks.Where(f => removed.Contains(f) && sight.FindFor(model.Workspaces, f) != Sight.Open))
            {
                errors.Add(new FileError(0, "", $"model '{gone}' cannot be removed: model '{model.Name}' falls back to it"));
            }
        }

        var leaving = rows.Removed.OfType<BotRow>().Select(b => (b.WorkspaceId, b.Id)).ToHashSet();
        var users = removed.Length == 0 ? [] : await db.Bots.AsNoTracking()
            .Where(b => b.Managed != ManagedBy.File && removed.Contains(b.Model))
            .Select(b => new { b.WorkspaceId, b.Id, b.Model }).ToListAsync(cancel);
        var named = file.Workspaces.SelectMany(w => w.Bots.Select(b => (w.Name, b.Id))).ToHashSet();
        foreach (var bot in users.Where(b => !leaving.Contains((b.WorkspaceId, b.Id))))
        {
            var workspace = rows.NameOf(bot.WorkspaceId);
            if (!named.Contains((workspace, bot.Id)) && sight.Find(bot.Model, workspace) != Sight.Open)
            {
                errors.Add(new FileError(0, "", $"model '{bot.Model}' cannot be removed: bot '{workspace}/{bot.Id}' still uses it"));
            }
        }

        errors.AddRange(await VectorsAsync(cancel));
        errors.AddRange(Parts(file));
        return errors;
    }

    /// <summary>The datasets that will use one of these embedding models, with the model's name.</summary>
    public static async Task<List<(string Name, string Model)>> DatasetsWithAsync(
        GatewayDb db, ApplyRows rows, string[] models, CancellationToken cancel)
    {
        var users = await db.Datasets.AsNoTracking().Where(d => models.Contains(d.EmbeddingModel!))
            .Select(d => new { d.WorkspaceId, d.Id, d.Name, Model = d.EmbeddingModel! }).ToListAsync(cancel);
        var removed = rows.Removed.OfType<DatasetRow>().Select(d => d.Id).ToHashSet();
        // What this apply has read it may have changed: then what is in memory holds.
        return
        [
            .. users.Where(d => !removed.Contains(d.Id))
                .Where(d => !rows.Datasets.TryGetValue((d.WorkspaceId, d.Name), out var row) || row.EmbeddingModel == d.Model)
                .Select(d => ($"dataset '{rows.NameOf(d.WorkspaceId)}/{d.Name}'", d.Model)),
        ];
    }

    private async Task<List<FileError>> VectorsAsync(CancellationToken cancel)
    {
        var removed = rows.Removed.OfType<EmbeddingModelRow>().Select(m => m.Name).ToArray();
        var users = removed.Length == 0 ? [] : await DatasetsWithAsync(db, rows, removed, cancel);
        var providers = rows.Removed.OfType<ProviderRow>().ToDictionary(p => p.Id, p => p.Name);
        return
        [
            .. users.Select(user => Error("embedding model", user.Model, $"{user.Name} still uses it")),
            .. rows.EmbeddingModels.Values.Where(m => providers.ContainsKey(m.ProviderId))
                .Select(m => Error("provider", providers[m.ProviderId], $"embedding model '{m.Name}' still uses it")),
        ];
    }

    /// <summary>What bots and skillsets that no file makes use in workspaces from which something goes.</summary>
    private IEnumerable<FileError> Parts(GatewayFile file)
    {
        var botsInFile = file.Workspaces.SelectMany(w => w.Bots.Select(b => (w.Name, b.Id))).ToHashSet();
        foreach (var bot in rows.Bots.Values.Where(b => !botsInFile.Contains((rows.NameOf(b.WorkspaceId), b.Id))))
        {
            var name = $"bot '{rows.NameOf(bot.WorkspaceId)}/{bot.Id}' still uses it";
            foreach (var gone in Gone<DatasetRow>(bot.WorkspaceId, d => d.WorkspaceId, d => d.Name).Intersect(Members(bot.Datasets, "name")))
            {
                yield return Error("dataset", gone, name);
            }

            foreach (var gone in Gone<SkillsetRow>(bot.WorkspaceId, s => s.WorkspaceId, s => s.Name).Intersect(bot.Skillsets))
            {
                yield return Error("skillset", gone, name);
            }

            foreach (var gone in Gone<BotRow>(bot.WorkspaceId, b => b.WorkspaceId, b => b.Id).Intersect(Members(bot.Team, "bot")))
            {
                yield return Error("bot", gone, $"it is in the team of bot '{rows.NameOf(bot.WorkspaceId)}/{bot.Id}'");
            }
        }

        var skillsetsInFile = file.Workspaces.SelectMany(w => w.Skillsets.Select(s => (w.Name, s.Name))).ToHashSet();
        foreach (var skillset in rows.Skillsets.Values.Where(s => !skillsetsInFile.Contains((rows.NameOf(s.WorkspaceId), s.Name))))
        {
            var used = skillset.Abilities.SelectMany(a => SecretNames.Of(a.Settings));
            foreach (var gone in Gone<SecretRow>(skillset.WorkspaceId, s => s.WorkspaceId, s => s.Name).Intersect(used))
            {
                yield return Error("secret", gone, $"skillset '{rows.NameOf(skillset.WorkspaceId)}/{skillset.Name}' still uses it");
            }
        }
    }

    private IEnumerable<string> Gone<T>(Guid workspace, Func<T, Guid> owner, Func<T, string> name) =>
        rows.Removed.OfType<T>().Where(row => owner(row) == workspace).Select(name);

    private static List<string> Members(string json, string member)
    {
        using var items = JsonDocument.Parse(json);
        return [.. items.RootElement.EnumerateArray().Select(item => item.GetProperty(member).GetString()!)];
    }

    private static FileError Error(string kind, string name, string why) => new(0, "", $"{kind} '{name}' cannot be removed: {why}");
}
