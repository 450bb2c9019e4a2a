using Gateway.Admin.File;
using Gateway.Data;
using Microsoft.EntityFrameworkCore;

namespace Gateway.Admin;

/// <summary>
/// The rows that an apply may touch, by name, tracked. While it runs they become what the database will be: rows that
/// are added come in, rows that are removed go out.
/// </summary>
internal sealed class ApplyRows
{
    public required Dictionary<string, ProviderRow> Providers { get; init; }
    public required Dictionary<string, ModelRow> Models { get; init; }
    public required Dictionary<string, EmbeddingModelRow> EmbeddingModels { get; init; }

    /// <summary>Null: bots search nothing and reach nothing that is private.</summary>
    public OutsideRow? Outside { get; set; }

    public required Dictionary<string, WorkspaceRow> Workspaces { get; init; }

    /// <summary>Of the file's workspaces; when pruning also of all in which a file made something.</summary>
    public required Dictionary<(Guid Workspace, string Id), BotRow> Bots { get; init; }

    /// <inheritdoc cref="Bots"/>
    public required Dictionary<(Guid Workspace, string Name), SecretRow> Secrets { get; init; }

    /// <inheritdoc cref="Bots"/>
    public required Dictionary<(Guid Workspace, string Name), DatasetRow> Datasets { get; init; }

    /// <inheritdoc cref="Bots"/>
    public required Dictionary<(Guid Workspace, string Name), SkillsetRow> Skillsets { get; init; }

    /// <summary>The files of datasets whose files the YAML names, by dataset, without their contents and not tracked.</summary>
    public required ILookup<Guid, DatasetFileRow> Files { get; init; }

    /// <summary>The text search configurations that the database has.</summary>
    public required HashSet<string> Languages { get; init; }

    /// <summary>What is to be deleted when the whole turns out right.</summary>
    public List<object> Removed { get; } = [];

    public static async Task<ApplyRows> LoadAsync(GatewayDb db, GatewayFile file, bool isPruning, CancellationToken cancel)
    {
        var workspaces = await db.Workspaces.ToDictionaryAsync(w => w.Name, cancel);
        var named = file.Workspaces.Select(w => w.Name).ToHashSet();
        var ofFile = isPruning ? await OfFileAsync(db, cancel) : [];
        var touched = workspaces.Values.Where(w => named.Contains(w.Name) || ofFile.Contains(w.Id)).Select(w => w.Id).ToArray();
        var datasets = await db.Datasets.Where(d => touched.Contains(d.WorkspaceId)).ToDictionaryAsync(d => (d.WorkspaceId, d.Name), cancel);
        var withFiles = file.Workspaces.SelectMany(w => w.Datasets.Where(d => d.Files is not null).Select(d => (w.Name, d.Name))).ToHashSet();
        var datasetsWithFiles = workspaces.Values
            .SelectMany(w => datasets.Values.Where(d => d.WorkspaceId == w.Id && withFiles.Contains((w.Name, d.Name)))).Select(d => d.Id).ToArray();
        return new ApplyRows
        {
            Workspaces = workspaces,
            Providers = await db.Providers.ToDictionaryAsync(p => p.Name, cancel),
            Models = await db.Models.Include(m => m.Deployments).ToDictionaryAsync(m => m.Name, cancel),
            EmbeddingModels = await db.EmbeddingModels.ToDictionaryAsync(m => m.Name, cancel),
            Outside = await db.Outside.SingleOrDefaultAsync(cancel),
            Bots = await db.Bots.Where(b => touched.Contains(b.WorkspaceId)).ToDictionaryAsync(b => (b.WorkspaceId, b.Id), cancel),
            Secrets = await db.Secrets.Where(s => touched.Contains(s.WorkspaceId)).ToDictionaryAsync(s => (s.WorkspaceId, s.Name), cancel),
            Datasets = datasets,
            Skillsets = await db.Skillsets.Include(s => s.Abilities)
                .Where(s => touched.Contains(s.WorkspaceId)).ToDictionaryAsync(s => (s.WorkspaceId, s.Name), cancel),
            Files = (await FilesAsync(db, [.. touched], datasetsWithFiles, cancel)).ToLookup(f => f.DatasetId),
            Languages = await LanguagesAsync(db, cancel),
        };
    }

    /// <summary>The text search configurations that the database has.</summary>
    public static async Task<HashSet<string>> LanguagesAsync(GatewayDb db, CancellationToken cancel) =>
    [
        .. await db.Database
            .SqlQuery<string>($"SELECT cfgname::text AS \"Value\" FROM pg_ts_config WHERE pg_ts_config_is_visible(oid)").ToListAsync(cancel),
    ];

    public string NameOf(Guid workspace) => Workspaces.Values.First(w => w.Id == workspace).Name;

    /// <summary>The workspaces that a file made, or in which it made something.</summary>
    private static async Task<HashSet<Guid>> OfFileAsync(GatewayDb db, CancellationToken cancel) =>
    [
        .. await db.Workspaces.Where(r => r.Managed == ManagedBy.File).Select(r => r.Id)
            .Union(db.Bots.Where(r => r.Managed == ManagedBy.File).Select(r => r.WorkspaceId))
            .Union(db.Secrets.Where(r => r.Managed == ManagedBy.File).Select(r => r.WorkspaceId))
            .Union(db.Datasets.Where(r => r.Managed == ManagedBy.File).Select(r => r.WorkspaceId))
            .Union(db.Skillsets.Where(r => r.Managed == ManagedBy.File).Select(r => r.WorkspaceId))
            .ToListAsync(cancel),
    ];

    private static Task<List<DatasetFileRow>> FilesAsync(GatewayDb db, Guid[] workspaces, Guid[] datasets, CancellationToken cancel) =>
        db.DatasetFiles.AsNoTracking().Where(f => workspaces.Contains(f.WorkspaceId) && datasets.Contains(f.DatasetId))
            .Select(f => new DatasetFileRow
            {
                WorkspaceId = f.WorkspaceId,
                DatasetId = f.DatasetId,
                Id = f.Id,
                Name = f.Name,
                Content = Array.Empty<byte>(),
                Hash = f.Hash,
                Managed = f.Managed,
                CreatedAt = f.CreatedAt,
            }).ToListAsync(cancel);
}
