using System.Text.Json.Nodes;
using Gateway.Admin.File;
using Gateway.Data;
using Microsoft.EntityFrameworkCore;

namespace Gateway.Admin.Api;

internal sealed class ProviderKind() : ConfigKind<ProviderRow>("provider", "providers", GatewayFileShape.Provider)
{
    public override bool IsGlobal => true;

    public override void AddSecrets(IConfigRow row, SecretBox box, JsonObject shown) =>
        ShownCatalog.AddSecrets((ProviderRow)row, box, shown);

    public override IConfigRow? Find(ApplyRows rows, Guid workspace, string id) => rows.Providers.GetValueOrDefault(id);

    public override Task MatchAsync(Matching m, WorkspaceRow? owner, GatewayFile file, CancellationToken cancel)
    {
        new ApplyCatalog(m.Db, m.Box, m.Rows, m.Changes, m.Errors, m.Clock, ManagedBy.Api).Match(file.Providers[0]);
        return Task.CompletedTask;
    }

    protected override IQueryable<ProviderRow> Rows(GatewayDb db, Guid workspace) => db.Providers;

    protected override JsonObject Show(ProviderRow row, Surroundings around) => ShownCatalog.Of(row, around);

    protected override ManagedBy ManagedOf(ProviderRow row) => row.Managed;
}

internal sealed class ModelKind() : ConfigKind<ModelRow>("model", "models", GatewayFileShape.Model)
{
    public override bool IsGlobal => true;

    public override bool HasFreeNames => true;

    public override IConfigRow? Find(ApplyRows rows, Guid workspace, string id) => rows.Models.GetValueOrDefault(id);

    public override Task MatchAsync(Matching m, WorkspaceRow? owner, GatewayFile file, CancellationToken cancel)
    {
        new ApplyCatalog(m.Db, m.Box, m.Rows, m.Changes, m.Errors, m.Clock, ManagedBy.Api).Match(file.Models[0]);
        return Task.CompletedTask;
    }

    protected override IQueryable<ModelRow> Rows(GatewayDb db, Guid workspace) => db.Models.Include(m => m.Deployments);

    protected override JsonObject Show(ModelRow row, Surroundings around) => ShownCatalog.Of(row, around);

    protected override ManagedBy ManagedOf(ModelRow row) => row.Managed;
}

internal sealed class EmbeddingModelKind()
    : ConfigKind<EmbeddingModelRow>("embedding_model", "embeddingModels", GatewayFileShape.EmbeddingModel)
{
    public override bool IsGlobal => true;

    public override bool HasFreeNames => true;

    public override IConfigRow? Find(ApplyRows rows, Guid workspace, string id) => rows.EmbeddingModels.GetValueOrDefault(id);

    public override Task MatchAsync(Matching m, WorkspaceRow? owner, GatewayFile file, CancellationToken cancel)
    {
        new ApplyOutside(m.Db, m.Box, m.Rows, m.Changes, m.Errors, m.Clock, ManagedBy.Api).Match(file.EmbeddingModels[0]);
        return Task.CompletedTask;
    }

    protected override IQueryable<EmbeddingModelRow> Rows(GatewayDb db, Guid workspace) => db.EmbeddingModels;

    protected override JsonObject Show(EmbeddingModelRow row, Surroundings around) => ShownCatalog.Of(row, around);

    protected override ManagedBy ManagedOf(EmbeddingModelRow row) => row.Managed;
}

/// <summary>The settings for all bots' searches, and for what they may reach: two sections of the file, one row.</summary>
internal abstract class OutsideKind(string name, FileShape.Object shape) : ConfigKind<OutsideRow>(name, name, shape)
{
    public override bool IsGlobal => true;

    public override bool IsSingle => true;

    public override async Task<IConfigRow?> FindAsync(GatewayDb db, Guid workspace, string id, bool isTracked, CancellationToken cancel) =>
        await (isTracked ? db.Outside : db.Outside.AsNoTracking()).SingleOrDefaultAsync(cancel) ?? new OutsideRow();

    public override IConfigRow? Find(ApplyRows rows, Guid workspace, string id) => rows.Outside;

    protected override IQueryable<OutsideRow> Rows(GatewayDb db, Guid workspace) => db.Outside;

    protected override ManagedBy ManagedOf(OutsideRow row) => row.Managed;
}

internal sealed class WebKind() : OutsideKind("web", GatewayFileShape.Web)
{
    public override void AddSecrets(IConfigRow row, SecretBox box, JsonObject shown) => ShownCatalog.AddSecrets((OutsideRow)row, box, shown);

    public override YamlMap Tidy(YamlMap body) => body.With(
        "search", search => search is YamlMap map ? map.Without(e => e.Key == "has_api_key") : search);

    public override Task MatchAsync(Matching m, WorkspaceRow? owner, GatewayFile file, CancellationToken cancel)
    {
        new ApplyOutside(m.Db, m.Box, m.Rows, m.Changes, m.Errors, m.Clock, ManagedBy.Api).Match(file.Web!);
        return Task.CompletedTask;
    }

    protected override JsonObject Show(OutsideRow row, Surroundings around) => ShownCatalog.Web(row);
}

internal sealed class EgressKind() : OutsideKind("egress", GatewayFileShape.Egress)
{
    public override Task MatchAsync(Matching m, WorkspaceRow? owner, GatewayFile file, CancellationToken cancel)
    {
        new ApplyOutside(m.Db, m.Box, m.Rows, m.Changes, m.Errors, m.Clock, ManagedBy.Api).Match(file.Egress!);
        return Task.CompletedTask;
    }

    protected override JsonObject Show(OutsideRow row, Surroundings around) => ShownCatalog.Egress(row);
}
