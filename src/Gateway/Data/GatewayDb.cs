using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;

namespace Gateway.Data;

/// <summary>
/// The database. Every save that touches a configuration row takes the next configuration version under the lock of
/// one row, so versions grow in commit order, and notifies the other gateways when it commits; one with a job that is to be
/// done notifies them too.
/// </summary>
internal sealed class GatewayDb(DbContextOptions<GatewayDb> options) : DbContext(options)
{
    /// <summary>Postgres channel on which a committed configuration version is announced.</summary>
    public const string NotifyChannel = "gateway_config";

    /// <summary>Postgres channel on which a saved job is announced.</summary>
    public const string JobsChannel = "gateway_jobs";

    public DbSet<WorkspaceRow> Workspaces => Set<WorkspaceRow>();
    public DbSet<KeyRow> Keys => Set<KeyRow>();
    public DbSet<ProviderRow> Providers => Set<ProviderRow>();
    public DbSet<ModelRow> Models => Set<ModelRow>();
    public DbSet<DeploymentRow> Deployments => Set<DeploymentRow>();
    public DbSet<BotRow> Bots => Set<BotRow>();
    public DbSet<SecretRow> Secrets => Set<SecretRow>();
    public DbSet<DeletionRow> Deletions => Set<DeletionRow>();
    public DbSet<ConfigVersionRow> ConfigVersions => Set<ConfigVersionRow>();
    public DbSet<SettingRow> Settings => Set<SettingRow>();
    public DbSet<UsageRow> Usage => Set<UsageRow>();
    public DbSet<DatasetRow> Datasets => Set<DatasetRow>();
    public DbSet<DatasetFileRow> DatasetFiles => Set<DatasetFileRow>();
    public DbSet<RecordRow> Records => Set<RecordRow>();
    public DbSet<ChunkRow> Chunks => Set<ChunkRow>();
    public DbSet<LexemeRow> Lexemes => Set<LexemeRow>();
    public DbSet<JobRow> Jobs => Set<JobRow>();
    public DbSet<SkillsetRow> Skillsets => Set<SkillsetRow>();
    public DbSet<AbilityRow> Abilities => Set<AbilityRow>();
    public DbSet<HiddenStepRow> HiddenSteps => Set<HiddenStepRow>();
    public DbSet<EmbeddingModelRow> EmbeddingModels => Set<EmbeddingModelRow>();
    public DbSet<OutsideRow> Outside => Set<OutsideRow>();
    public DbSet<AuditRow> Audit => Set<AuditRow>();
    public DbSet<ChatKitSessionRow> ChatKitSessions => Set<ChatKitSessionRow>();
    public DbSet<ChatKitThreadRow> ChatKitThreads => Set<ChatKitThreadRow>();
    public DbSet<ChatKitItemRow> ChatKitItems => Set<ChatKitItemRow>();
    public DbSet<ChatKitAttachmentRow> ChatKitAttachments => Set<ChatKitAttachmentRow>();
    public DbSet<ChatKitContentRow> ChatKitContents => Set<ChatKitContentRow>();

    protected override void OnModelCreating(ModelBuilder modelBuilder) => GatewayModel.Build(modelBuilder);

    public override int SaveChanges(bool acceptAllChangesOnSuccess) =>
        throw new NotSupportedException("Save with SaveChangesAsync: it numbers configuration changes.");

    public override async Task<int> SaveChangesAsync(
        bool acceptAllChangesOnSuccess, CancellationToken cancellationToken = default)
    {
        ChangeTracker.DetectChanges();
        var changed = Changed();
        var hasJobs = ChangedParts<JobRow>().Any(job => job.State == JobState.Queued);
        if (changed.Count == 0 && !hasJobs)
        {
            return await base.SaveChangesAsync(acceptAllChangesOnSuccess, cancellationToken);
        }

        await using var own = Database.CurrentTransaction is null
            ? await Database.BeginTransactionAsync(cancellationToken)
            : null;

        var version = changed.Count > 0 ? await NumberAsync(changed, cancellationToken) : 0;
        var written = await base.SaveChangesAsync(acceptAllChangesOnSuccess, cancellationToken);
        if (changed.Count > 0)
        {
            await Database.ExecuteSqlAsync($"SELECT pg_notify({NotifyChannel}, {version.ToString(null, null)})", cancellationToken);
        }

        if (hasJobs)
        {
            await Database.ExecuteSqlAsync($"SELECT pg_notify({JobsChannel}, '')", cancellationToken);
        }

        if (own is not null)
        {
            await own.CommitAsync(cancellationToken);
        }

        return written;
    }

    /// <summary>Gives the next version to all that changed.</summary>
    private async Task<long> NumberAsync(List<EntityEntry<IConfigRow>> changed, CancellationToken cancel)
    {
        var version = await NextVersionAsync(cancel);
        foreach (var entry in changed)
        {
            if (entry.State == EntityState.Deleted)
            {
                Deletions.Add(Deletion(entry.Entity, version, entry.Metadata.GetTableName()!));
            }
            else
            {
                entry.Entity.Version = version;
            }
        }

        return version;
    }

    private List<EntityEntry<IConfigRow>> Changed()
    {
        // A deployment has no version of its own: a change of it is a change of its model. So with abilities.
        var models = ChangedParts<DeploymentRow>().Select(d => d.ModelId).ToHashSet();
        var skillsets = ChangedParts<AbilityRow>().Select(a => a.SkillsetId).ToHashSet();
        return
        [
            .. ChangeTracker.Entries<IConfigRow>().Where(e =>
                IsChanged(e)
                || (e.Entity is ModelRow model && models.Contains(model.Id))
                || (e.Entity is SkillsetRow skillset && skillsets.Contains(skillset.Id))),
        ];
    }

    private IEnumerable<T> ChangedParts<T>() where T : class => ChangeTracker.Entries<T>().Where(IsChanged).Select(e => e.Entity);

    private static bool IsChanged(EntityEntry entry) => entry.State is EntityState.Added or EntityState.Modified or EntityState.Deleted;

    /// <summary>Takes the next version; the row stays locked until the transaction ends, so the next waits for us.</summary>
    private async Task<long> NextVersionAsync(CancellationToken cancel)
    {
        var next = await Database
            .SqlQuery<long>($"UPDATE config_version SET version = version + 1 WHERE id = 1 RETURNING version AS \"Value\"")
            .ToListAsync(cancel);
        return next[0];
    }

    private static DeletionRow Deletion(IConfigRow row, long version, string kind)
    {
        var (workspace, id) = row.Identity;
        return new DeletionRow
        {
            Version = version,
            Kind = kind,
            WorkspaceId = workspace ?? Guid.Empty,
            ObjectId = id,
            At = TimeProvider.System.GetUtcNow().UtcDateTime,
        };
    }
}
