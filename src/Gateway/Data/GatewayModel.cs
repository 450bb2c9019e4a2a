using System.Linq.Expressions;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Gateway.Data;

/// <summary>
/// Tables and columns. Every tenant table leads its primary key with the workspace, so that the database can be
/// distributed by it.
/// </summary>
internal static class GatewayModel
{
    public static void Build(ModelBuilder model)
    {
        model.Entity<WorkspaceRow>(e =>
        {
            e.ToTable("workspaces").HasKey(r => r.Id);
            e.HasIndex(r => r.Name).IsUnique();
            e.HasIndex(r => r.Version);
            HasLimits(e, r => r.Limits);
        });
        model.Entity<KeyRow>(e =>
        {
            e.ToTable("keys").HasKey(r => new { r.WorkspaceId, r.Id });
            e.HasIndex(r => new { r.WorkspaceId, r.Hash }).IsUnique();
            e.HasIndex(r => r.Version);
            HasLimits(e, r => r.Limits);
            OwnedByWorkspace(e);
        });
        model.Entity<ProviderRow>(e =>
        {
            e.ToTable("providers").HasKey(r => r.Id);
            e.HasIndex(r => r.Name).IsUnique();
        });
        model.Entity<ModelRow>(e =>
        {
            e.ToTable("models").HasKey(r => r.Id);
            e.HasIndex(r => r.Name).IsUnique();
            // The sentinels: values that nobody sets, so that a 0 is written as a 0.
            e.Property(r => r.Fallbacks).HasDefaultValueSql("'{}'");
            e.Property(r => r.Retries).HasDefaultValue(2).HasSentinel(-1);
            e.Property(r => r.BreakerFailureRate).HasDefaultValue(0.5).HasSentinel(-1);
            e.Property(r => r.BreakerMinimum).HasDefaultValue(4).HasSentinel(-1);
            e.Property(r => r.BreakerWindowMs).HasDefaultValue(30_000).HasSentinel(-1);
            e.Property(r => r.BreakerOpenMs).HasDefaultValue(10_000).HasSentinel(-1);
            e.Property(r => r.Rescue).HasDefaultValue(RescueMode.Prefill).HasSentinel((RescueMode)(-1));
            e.HasMany(r => r.Deployments).WithOne().HasForeignKey(d => d.ModelId).OnDelete(DeleteBehavior.Cascade);
        });
        model.Entity<DeploymentRow>(e =>
        {
            e.ToTable("deployments").HasKey(r => new { r.ModelId, r.Position });
            e.Property(r => r.Weight).HasDefaultValue(1).HasSentinel(-1);
            e.HasOne<ProviderRow>().WithMany().HasForeignKey(r => r.ProviderId).OnDelete(DeleteBehavior.Restrict);
        });
        model.Entity<BotRow>(e =>
        {
            e.ToTable("bots").HasKey(r => new { r.WorkspaceId, r.Id });
            e.Property(r => r.Parameters).HasColumnType("jsonb");
            e.Property(r => r.Datasets).HasColumnType("jsonb").HasDefaultValueSql("'[]'");
            e.Property(r => r.Team).HasColumnType("jsonb").HasDefaultValueSql("'[]'");
            e.Property(r => r.ClientTools).HasColumnType("jsonb").HasDefaultValueSql("'[]'");
            e.Property(r => r.Skillsets).HasDefaultValueSql("'{}'");
            e.HasIndex(r => r.Version);
            HasLimits(e, r => r.Limits);
            e.ComplexProperty(r => r.Turn).IsRequired();
            OwnedByWorkspace(e);
        });
        BuildDatasets(model);
        BuildSkillsets(model);
        model.Entity<SecretRow>(e =>
        {
            e.ToTable("secrets").HasKey(r => new { r.WorkspaceId, r.Name });
            OwnedByWorkspace(e);
        });
        model.Entity<DeletionRow>(e =>
            e.ToTable("deletions").HasKey(r => new { r.Version, r.Kind, r.WorkspaceId, r.ObjectId }));
        model.Entity<ConfigVersionRow>(e =>
        {
            e.ToTable("config_version").HasKey(r => r.Id);
            e.HasData(new ConfigVersionRow { Id = ConfigVersionRow.OnlyId, Version = 0 });
        });
        model.Entity<UsageRow>(e =>
        {
            // Its id begins with the time, so the key alone finds what happened between two times.
            e.ToTable("usage").HasKey(r => new { r.WorkspaceId, r.Id });
            e.Property(r => r.Attempts).HasColumnType("jsonb");
            e.Property(r => r.StepList).HasColumnType("jsonb").HasDefaultValueSql("'[]'");
        });
        model.Entity<LimitWindowRow>(e =>
            e.ToTable("limit_windows").HasKey(r => new { r.WorkspaceId, r.Scope, r.Subject, r.Meter, r.StartsAt }));
        model.Entity<LimitLeaseRow>(e =>
            e.ToTable("limit_leases").HasKey(r => new { r.WorkspaceId, r.Scope, r.Subject, r.Meter, r.StartsAt, r.Instance }));
        model.Entity<InstanceRow>(e => e.ToTable("instances").HasKey(r => r.Id));
        model.Entity<SettingRow>(e => e.ToTable("settings").HasKey(r => r.Name));

        BuildChatKit(model);

        UseSnakeCase(model);
        // A bot's other budget has this column's name already.
        model.Entity<BotRow>().ComplexProperty(r => r.Turn).Property(t => t.BudgetUsd).HasColumnName("turn_budget_usd");
    }

    private static void BuildDatasets(ModelBuilder model)
    {
        model.Entity<EmbeddingModelRow>(e =>
        {
            e.ToTable("embedding_models").HasKey(r => r.Id);
            e.HasIndex(r => r.Name).IsUnique();
            e.HasOne<ProviderRow>().WithMany().HasForeignKey(r => r.ProviderId).OnDelete(DeleteBehavior.Restrict);
        });
        model.Entity<DatasetRow>(e =>
        {
            e.ToTable("datasets").HasKey(r => new { r.WorkspaceId, r.Id });
            e.HasIndex(r => new { r.WorkspaceId, r.Name }).IsUnique();
            e.HasIndex(r => r.Version);
            OwnedByWorkspace(e);
        });
        model.Entity<DatasetFileRow>(e =>
        {
            e.ToTable("dataset_files").HasKey(r => new { r.WorkspaceId, r.DatasetId, r.Id });
            e.HasIndex(r => new { r.WorkspaceId, r.DatasetId, r.Name }).IsUnique();
            OwnedByDataset(e);
        });
        model.Entity<RecordRow>(e =>
        {
            e.ToTable("records").HasKey(r => new { r.WorkspaceId, r.DatasetId, r.Id });
            e.Property(r => r.Metadata).HasColumnType("jsonb");
            e.HasIndex(r => new { r.WorkspaceId, r.DatasetId, r.FileId, r.Position });
            OwnedByDataset(e);
        });
        model.Entity<ChunkRow>(e =>
        {
            e.ToTable("chunks").HasKey(r => new { r.WorkspaceId, r.DatasetId, r.Id });
            e.HasIndex(r => new { r.WorkspaceId, r.DatasetId, r.RecordId });
            e.HasIndex(r => r.Lexemes).HasMethod("gin");
            e.HasOne<RecordRow>().WithMany().HasForeignKey(r => new { r.WorkspaceId, r.DatasetId, r.RecordId }).OnDelete(DeleteBehavior.Cascade);
        });
        model.Entity<LexemeRow>(e =>
        {
            e.ToTable("lexemes").HasKey(r => new { r.WorkspaceId, r.DatasetId, r.Lexeme });
            OwnedByDataset(e);
        });
        model.Entity<JobRow>(e =>
        {
            e.ToTable("jobs").HasKey(r => new { r.WorkspaceId, r.Id });
            e.HasIndex(r => new { r.State, r.DueAt });
            e.HasIndex(r => new { r.WorkspaceId, r.DatasetId, r.CreatedAt });
            OwnedByDataset(e);
        });
    }

    private static void BuildSkillsets(ModelBuilder model)
    {
        model.Entity<SkillsetRow>(e =>
        {
            e.ToTable("skillsets").HasKey(r => new { r.WorkspaceId, r.Id });
            e.HasIndex(r => new { r.WorkspaceId, r.Name }).IsUnique();
            e.HasIndex(r => r.Version);
            e.HasMany(r => r.Abilities).WithOne().HasForeignKey(a => new { a.WorkspaceId, a.SkillsetId }).OnDelete(DeleteBehavior.Cascade);
            OwnedByWorkspace(e);
        });
        model.Entity<AbilityRow>(e =>
        {
            e.ToTable("abilities").HasKey(r => new { r.WorkspaceId, r.Id });
            e.HasIndex(r => new { r.WorkspaceId, r.SkillsetId, r.Name }).IsUnique();
            e.Property(r => r.Parameters).HasColumnType("jsonb");
            e.Property(r => r.Settings).HasColumnType("jsonb");
        });
        model.Entity<HiddenStepRow>(e =>
        {
            e.ToTable("hidden_steps").HasKey(r => new { r.WorkspaceId, r.BotId, r.CallId });
            e.HasIndex(r => r.ExpiresAt);
            OwnedByWorkspace(e);
        });
        model.Entity<OutsideRow>(e =>
        {
            e.ToTable("outside").HasKey(r => r.Id);
            e.Property(r => r.Id).ValueGeneratedNever();
        });
        model.Entity<AuditRow>(e =>
        {
            e.ToTable("audit").HasKey(r => new { r.WorkspaceId, r.Id });
            e.HasIndex(r => new { r.WorkspaceId, r.At });
        });
    }

    /// <summary>Documents are <c>json</c>: <c>jsonb</c> refuses U+0000, which people's texts may hold.</summary>
    private static void BuildChatKit(ModelBuilder model)
    {
        model.Entity<ChatKitSessionRow>(e =>
        {
            e.ToTable("chatkit_sessions").HasKey(r => new { r.WorkspaceId, r.Id });
            e.Property(r => r.Options).HasColumnType("json");
            e.HasIndex(r => new { r.WorkspaceId, r.SecretHash }).IsUnique();
            e.HasIndex(r => r.ExpiresAt);
            OwnedByWorkspace(e);
        });
        model.Entity<ChatKitThreadRow>(e =>
        {
            e.ToTable("chatkit_threads").HasKey(r => new { r.WorkspaceId, r.Id });
            e.Property(r => r.Feedback).HasColumnType("jsonb").HasDefaultValueSql("'[]'");
            e.Property(r => r.Sequence).ValueGeneratedOnAdd().UseIdentityAlwaysColumn();
            e.Property(r => r.Document).HasColumnType("json");
            e.HasIndex(r => new { r.WorkspaceId, r.BotId, r.UserId, r.CreatedAt, r.Sequence });
            e.HasIndex(r => new { r.WorkspaceId, r.CreatedAt, r.Sequence });
            OwnedByWorkspace(e);
        });
        model.Entity<ChatKitItemRow>(e =>
        {
            e.ToTable("chatkit_items").HasKey(r => new { r.WorkspaceId, r.ThreadId, r.Id });
            e.Property(r => r.Sequence).ValueGeneratedOnAdd().UseIdentityAlwaysColumn();
            e.Property(r => r.Document).HasColumnType("json");
            e.HasIndex(r => new { r.WorkspaceId, r.ThreadId, r.CreatedAt, r.Sequence });
            e.HasOne<ChatKitThreadRow>().WithMany().HasForeignKey(r => new { r.WorkspaceId, r.ThreadId }).OnDelete(DeleteBehavior.Cascade);
        });
        model.Entity<ChatKitAttachmentRow>(e =>
        {
            e.ToTable("chatkit_attachments").HasKey(r => new { r.WorkspaceId, r.Id });
            e.Property(r => r.Document).HasColumnType("json");
            e.HasIndex(r => new { r.WorkspaceId, r.ThreadId });
            e.HasIndex(r => r.CreatedAt).HasFilter("thread_id IS NULL");
            OwnedByWorkspace(e);
        });
        model.Entity<ChatKitContentRow>(e =>
        {
            e.ToTable("chatkit_contents").HasKey(r => new { r.WorkspaceId, r.AttachmentId });
            e.HasOne<ChatKitAttachmentRow>().WithOne().HasForeignKey<ChatKitContentRow>(r => new { r.WorkspaceId, r.AttachmentId })
                .OnDelete(DeleteBehavior.Cascade);
        });
    }

    private static void OwnedByDataset<T>(EntityTypeBuilder<T> entity) where T : class =>
        entity.HasOne<DatasetRow>().WithMany().HasForeignKey("WorkspaceId", "DatasetId").OnDelete(DeleteBehavior.Cascade);

    private static void OwnedByWorkspace<T>(EntityTypeBuilder<T> entity) where T : class =>
        entity.HasOne<WorkspaceRow>().WithMany().HasForeignKey("WorkspaceId").OnDelete(DeleteBehavior.Cascade);

    private static void HasLimits<T>(EntityTypeBuilder<T> entity, Expression<Func<T, LimitColumns?>> limits) where T : class =>
        entity.ComplexProperty(limits).IsRequired();

    private static void UseSnakeCase(ModelBuilder model)
    {
        var properties = model.Model.GetEntityTypes().SelectMany(
            e => e.GetProperties().Concat(e.GetComplexProperties().SelectMany(c => c.ComplexType.GetProperties())));
        foreach (var property in properties)
        {
            property.SetColumnName(Snake(property.Name));
        }
    }

    private static string Snake(string name) =>
        string.Concat(name.Select((c, i) => char.IsUpper(c) && i > 0 ? $"_{char.ToLowerInvariant(c)}" : $"{char.ToLowerInvariant(c)}"));
}
