using Gateway.Admin.File;
using Gateway.Data;
using Microsoft.EntityFrameworkCore;

namespace Gateway.Admin.Api;

/// <summary>The rows that a change of one object may touch or name, tracked: few, however many a workspace has.</summary>
internal static class ConfigRows
{
    /// <param name="file">Holds the one object.</param>
    /// <param name="owner">Null for what belongs to no workspace: then all workspaces may be asked what they see.</param>
    public static async Task<ApplyRows> LoadAsync(GatewayDb db, GatewayFile file, WorkspaceRow? owner, CancellationToken cancel)
    {
        var own = file.Workspaces.SingleOrDefault();
        var workspace = owner?.Id ?? Guid.Empty;
        string[] Named(FileReferenceKind kind, IEnumerable<string>? names) =>
            [.. file.References.Where(r => r.Kind == kind).Select(r => r.Name).Concat(names ?? [])];

        var models = Named(FileReferenceKind.Model, file.Models.Select(m => m.Name).Append(Upstream.Model.Wildcard));
        var embeddingModels = Named(FileReferenceKind.EmbeddingModel, file.EmbeddingModels.Select(m => m.Name));
        var bots = Named(FileReferenceKind.Bot, own?.Bots.Select(b => b.Id));
        var secrets = Named(FileReferenceKind.Secret, own?.Secrets.Select(s => s.Name));
        var datasets = Named(FileReferenceKind.Dataset, own?.Datasets.Select(d => d.Name));
        var skillsets = Named(FileReferenceKind.Skillset, own?.Skillsets.Select(s => s.Name));
        return new ApplyRows
        {
            Workspaces = owner is not null
                ? new Dictionary<string, WorkspaceRow> { [owner.Name] = owner }
                : await db.Workspaces.ToDictionaryAsync(w => w.Name, cancel),
            Providers = await db.Providers.ToDictionaryAsync(p => p.Name, cancel),
            Models = await db.Models.Include(m => m.Deployments).Where(m => models.Contains(m.Name)).ToDictionaryAsync(m => m.Name, cancel),
            EmbeddingModels = await db.EmbeddingModels.Where(m => embeddingModels.Contains(m.Name)).ToDictionaryAsync(m => m.Name, cancel),
            Outside = await db.Outside.SingleOrDefaultAsync(cancel),
            Bots = await db.Bots.Where(b => b.WorkspaceId == workspace && bots.Contains(b.Id))
                .ToDictionaryAsync(b => (b.WorkspaceId, b.Id), cancel),
            Secrets = await db.Secrets.Where(s => s.WorkspaceId == workspace && secrets.Contains(s.Name))
                .ToDictionaryAsync(s => (s.WorkspaceId, s.Name), cancel),
            Datasets = await db.Datasets.Where(d => d.WorkspaceId == workspace && datasets.Contains(d.Name))
                .ToDictionaryAsync(d => (d.WorkspaceId, d.Name), cancel),
            Skillsets = await db.Skillsets.Include(s => s.Abilities).Where(s => s.WorkspaceId == workspace && skillsets.Contains(s.Name))
                .ToDictionaryAsync(s => (s.WorkspaceId, s.Name), cancel),
            Files = Array.Empty<DatasetFileRow>().ToLookup(f => f.DatasetId),
            Languages = own?.Datasets.Count > 0 ? await ApplyRows.LanguagesAsync(db, cancel) : [],
        };
    }
}
