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
internal sealed class ApplyReferences(GatewayDb db, ApplyRows rows, ApplySight sight, GatewaySettings settings)
{
    public async Task<List<FileError>> CheckAsync(GatewayFile file, CancellationToken cancel)
    {
        var errors = BuiltIn(file).ToList();
        foreach (var reference in file.References)
        {
            var isThere = reference.Kind switch
            {
                FileReferenceKind.Provider => rows.Providers.ContainsKey(reference.Name),
                FileReferenceKind.Workspace => rows.Workspaces.ContainsKey(reference.Name),
                FileReferenceKind.EmbeddingModel => rows.EmbeddingModels.ContainsKey(reference.Name),
                FileReferenceKind.Dataset => IsIn(rows.Datasets, reference),
                FileReferenceKind.Skillset => IsIn(rows.Skillsets, reference),
                FileReferenceKind.Bot => IsIn(rows.Bots, reference),
                FileReferenceKind.Secret => IsIn(rows.Secrets, reference),
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
            switch (sight.Find(reference.Name, workspace))
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

        errors.AddRange(await ChangedVectorsAsync(file, cancel));
        return errors;
    }

    private bool IsIn<T>(Dictionary<(Guid, string), T> owned, FileReference reference) =>
        rows.Workspaces.TryGetValue(reference.Workspace!, out var workspace) && owned.ContainsKey((workspace.Id, reference.Name));

    /// <summary>Vectors of one model compare to no other's, and chunks that did not change keep theirs.</summary>
    private async Task<List<FileError>> ChangedVectorsAsync(GatewayFile file, CancellationToken cancel)
    {
        var errors = new List<FileError>();
        foreach (var wanted in file.EmbeddingModels)
        {
            if (!rows.EmbeddingModels.TryGetValue(wanted.Name, out var row) || db.Entry(row) is not { State: EntityState.Modified or EntityState.Unchanged } entry)
            {
                continue;
            }

            var model = entry.OriginalValues.GetValue<string?>(nameof(row.UpstreamModel)) ?? row.Name;
            if ((model, entry.OriginalValues.GetValue<int>(nameof(row.Dimensions))) != (row.UpstreamModel ?? row.Name, row.Dimensions)
                && await ApplyStillUsed.DatasetsWithAsync(db, rows, [row.Name], cancel) is [var user, ..])
            {
                errors.Add(wanted.At.Error(
                    $"'model' and 'dimensions' cannot change while {user.Name} has vectors of it; add the new one under another name, and name that there"));
            }
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
                switch (sight.FindFor(model.Workspaces ?? [], name))
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
}
