using Gateway.Admin.File;
using Gateway.Bots;
using Gateway.Data;
using Gateway.Upstream;
using Microsoft.EntityFrameworkCore;

namespace Gateway.Admin;

/// <summary>
/// Looks at the whole as it would be after an apply: every name that something uses must be there, whether the file has
/// it or the database.
/// </summary>
internal sealed class ApplyReferences(GatewayDb db, ApplyRows rows, GatewaySettings settings)
{
    public async Task<List<FileError>> CheckAsync(GatewayFile file, bool isPruning, CancellationToken cancel)
    {
        var errors = BuiltIn(file).ToList();
        foreach (var reference in file.References)
        {
            var isThere = reference.Kind switch
            {
                FileReferenceKind.Provider => rows.Providers.ContainsKey(reference.Name),
                FileReferenceKind.Workspace => rows.Workspaces.ContainsKey(reference.Name),
                // Bots and models see a model from their own workspaces; see below.
                _ => true,
            };
            if (!isThere)
            {
                errors.Add(reference.ToError());
            }
        }

        var models = file.References.Where(r => r.Kind == FileReferenceKind.Model).ToDictionary(r => r.At.Path);
        errors.AddRange(Fallbacks(file, models));
        foreach (var (workspace, bot) in file.Workspaces.SelectMany(w => w.Bots.Select(b => (w.Name, b))))
        {
            var reference = models[$"{bot.At.Path}.model"];
            switch (Find(reference.Name, workspace))
            {
                case Sight.Missing:
                    errors.Add(reference.ToError());
                    break;
                case Sight.Closed:
                    errors.Add(reference.At.Error(
                        $"the model {FileWords.Quote(reference.Name)} is not open to the workspace '{workspace}'"));
                    break;
            }
        }

        if (isPruning)
        {
            errors.AddRange(await StillUsedAsync(file, cancel));
        }

        return errors;
    }

    private IEnumerable<FileError> Fallbacks(GatewayFile file, Dictionary<string, FileReference> references)
    {
        foreach (var model in file.Models)
        {
            foreach (var (index, name) in model.Fallbacks.Index())
            {
                var reference = references[$"{model.At.Path}.fallbacks[{index}]"];
                switch (FindFor(model.Workspaces ?? [], name))
                {
                    case Sight.Missing:
                        yield return reference.ToError();
                        break;
                    case Sight.Closed:
                        yield return reference.At.Error(
                            $"the model {FileWords.Quote(name)} is open to no workspace that sees {FileWords.Quote(model.Name)}");
                        break;
                }
            }
        }
    }

    private IEnumerable<FileError> BuiltIn(GatewayFile file)
    {
        const string Advice = "choose another, or set Gateway__Demo to false";
        if (!settings.Demo)
        {
            yield break;
        }

        foreach (var model in file.Models.Where(m => m.Name == Catalog.DemoModel))
        {
            yield return model.At.Error($"the name '{model.Name}' is the built-in demonstration model's; {Advice}");
        }

        foreach (var bot in file.Workspaces.Where(w => w.Name == Catalog.DemoWorkspace).SelectMany(w => w.Bots)
            .Where(b => b.Id == DemoBot.Id))
        {
            yield return bot.At.Error($"the id '{bot.Id}' is the built-in demonstration bot's; {Advice}");
        }
    }

    /// <summary>What stays must not lose what it uses.</summary>
    private async Task<List<FileError>> StillUsedAsync(GatewayFile file, CancellationToken cancel)
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
            foreach (var gone in model.Fallbacks.Where(f => removed.Contains(f) && FindFor(model.Workspaces, f) != Sight.Open))
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
            if (!named.Contains((workspace, bot.Id)) && Find(bot.Model, workspace) != Sight.Open)
            {
                errors.Add(new FileError(0, "", $"model '{bot.Model}' cannot be removed: bot '{workspace}/{bot.Id}' still uses it"));
            }
        }

        return errors;
    }

    /// <summary>The best comes first.</summary>
    private enum Sight { Open, Closed, Missing }

    /// <summary>How those who see one model will see another: open when a workspace of theirs does.</summary>
    /// <param name="workspaces">The only workspaces that see the first; empty: all do.</param>
    private Sight FindFor(IReadOnlyCollection<string> workspaces, string name) =>
        (workspaces.Count > 0 ? workspaces : rows.Workspaces.Keys)
            .Select(workspace => Find(name, workspace)).DefaultIfEmpty(Find(name, "")).Min();

    /// <summary>How a workspace will see a model by this name.</summary>
    private Sight Find(string name, string workspace)
    {
        if (settings.Demo && name == Catalog.DemoModel)
        {
            return workspace == Catalog.DemoWorkspace ? Sight.Open : Sight.Closed;
        }

        if (rows.Models.GetValueOrDefault(name) is { } model)
        {
            return model.Workspaces.Length == 0 || model.Workspaces.Contains(workspace) ? Sight.Open : Sight.Closed;
        }

        if (name != Model.Wildcard && rows.Models.ContainsKey(Model.Wildcard))
        {
            return Find(Model.Wildcard, workspace);
        }

        // OPENAI_API_KEY stands for a provider and every model name while nothing else is configured.
        return rows.Providers.Count == 0 && settings.OpenAiApiKey is not null ? Sight.Open : Sight.Missing;
    }
}
