using Gateway.Admin.File;
using Gateway.Bots.Datasets;
using Gateway.Data;
using Gateway.Upstream;
using Microsoft.EntityFrameworkCore;

namespace Gateway.Admin;

/// <summary>Looks for what the file may say and seldom means: mistakes that would show only when somebody calls.</summary>
internal sealed class ApplyWarnings(GatewayDb db, ApplyRows rows, ApplySight sight)
{
    private const int MostNamed = 5;

    public async Task<List<FileError>> FindAsync(GatewayFile file, CancellationToken cancel)
    {
        var budgeted = await WithBudgetedKeysAsync(cancel);
        return
        [
            .. Fallbacks(file).Concat(Search(file)).Concat(SameAbilities(file)).Concat(Dimensions(file))
                .Concat(file.Workspaces.SelectMany(w => Prices(w, budgeted.Contains(w.Name)))).OrderBy(w => w.Line),
        ];
    }

    private IEnumerable<FileError> Fallbacks(GatewayFile file) =>
        from reference in file.References
        where reference.Kind == FileReferenceKind.Model && reference.At.Path.Contains(".fallbacks[", StringComparison.Ordinal)
        where !rows.Models.ContainsKey(reference.Name) && rows.Models.ContainsKey(Model.Wildcard)
        let meant = FileWords.Nearest(reference.Name, rows.Models.Keys.Where(name => name != Model.Wildcard)) is { } near ? $" (did you mean '{near}'?)" : ""
        select reference.At.Error($"{FileWords.Quote(reference.Name)} is not configured by name; the '*' model answers it{meant}");

    private IEnumerable<FileError> Search(GatewayFile file) =>
        from bot in file.Workspaces.SelectMany(w => w.Bots)
        where bot.WebSearch && rows.Outside?.SearchKind is null
        select bot.At.Error("'webSearch' does nothing until 'web' names a search engine");

    /// <summary>The second gets a number, by which nobody meant to call it.</summary>
    private IEnumerable<FileError> SameAbilities(GatewayFile file) =>
        from workspace in file.Workspaces
        from bot in workspace.Bots
        from same in bot.Skillsets
            .Select(name => rows.Skillsets.GetValueOrDefault((rows.Workspaces[workspace.Name].Id, name))).OfType<SkillsetRow>()
            .SelectMany(s => s.Abilities.Where(a => a.Kind == AbilityKind.Http).Select(a => (a.Name, Skillset: s.Name)))
            .GroupBy(a => a.Name, a => a.Skillset).Where(g => g.Count() > 1)
        select bot.At.Error($"several skillsets have an ability '{same.Key}': {string.Join(", ", same)}; all but the first get a number behind the name");

    private static IEnumerable<FileError> Dimensions(GatewayFile file) =>
        from model in file.EmbeddingModels
        where model.Dimensions > VectorIndexes.MostDimensions
        select model.At.Field("dimensions", model.At.Line).Error(
            $"there is no index for vectors of more than {VectorIndexes.MostDimensions} dimensions: searches of large datasets compare all of them, "
            + "slower with each text; many models make shorter ones when asked for fewer 'dimensions'");

    private IEnumerable<FileError> Prices(FileWorkspace workspace, bool hasBudgetedKeys)
    {
        var isBudgeted = workspace.Limits?.Budget?.Usd is not null;
        if (isBudgeted || hasBudgetedKeys)
        {
            var without = rows.Models.Values.Where(m => m.PriceInput is null && sight.Find(m.Name, workspace.Name) == Sight.Open)
                .Select(m => m.Name).Order(StringComparer.Ordinal).ToList();
            if (without.Count > 0)
            {
                var more = without.Count > MostNamed ? $" and {without.Count - MostNamed} more" : "";
                yield return workspace.At.Error(
                    $"{(isBudgeted ? "there is a budget in USD" : "keys have a budget in USD")}, under which models without a 'price' are refused: "
                    + $"{string.Join(", ", without.Take(MostNamed))}{more}");
            }
        }

        // Those of a budgeted workspace are among the models that were just named.
        foreach (var bot in workspace.Bots.Where(b => !isBudgeted && !hasBudgetedKeys && b.Limits?.Budget?.Usd is not null && Price(b.Model) is null))
        {
            yield return bot.At.Error(
                $"there is a budget in USD, under which models without a 'price' are refused: {FileWords.Quote(bot.Model)}");
        }
    }

    private decimal? Price(string model) =>
        (rows.Models.GetValueOrDefault(model) ?? rows.Models.GetValueOrDefault(Model.Wildcard))?.PriceInput;

    private async Task<HashSet<string>> WithBudgetedKeysAsync(CancellationToken cancel)
    {
        var ids = await db.Keys.AsNoTracking().Where(k => k.RevokedAt == null && k.Limits.BudgetUsd != null)
            .Select(k => k.WorkspaceId).Distinct().ToListAsync(cancel);
        return [.. rows.Workspaces.Values.Where(w => ids.Contains(w.Id)).Select(w => w.Name)];
    }
}
