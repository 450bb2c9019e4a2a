using System.Text.Json.Nodes;
using Gateway.Admin.File;
using Gateway.Data;
using Microsoft.EntityFrameworkCore;

namespace Gateway.Admin.Api;

/// <summary>All kinds, each once.</summary>
internal static class ConfigKinds
{
    public static readonly SkillsetKind Skillset = new();
    public static readonly WorkspaceKind Workspace = new();

    public static readonly IReadOnlyList<ConfigKind> All =
    [
        Workspace, new ProviderKind(), new ModelKind(), new EmbeddingModelKind(), new WebKind(), new EgressKind(),
        new SecretKind(), new DatasetKind(), Skillset, new BotKind(),
    ];
}

/// <summary>The tenant itself, without what it owns. Its own keys may look at it; only the operator's changes it.</summary>
internal sealed class WorkspaceKind() : ConfigKind<WorkspaceRow>("workspace", "workspaces", Alone)
{
    private static FileShape.Object Alone { get; } =
        new([.. GatewayFileShape.Workspace.Fields.Where(f => f.Name is "name" or "limits")]);

    public override bool IsGlobal => true;

    public override IConfigRow? Find(ApplyRows rows, Guid workspace, string id) => rows.Workspaces.GetValueOrDefault(id);

    public override Task MatchAsync(Matching m, WorkspaceRow? owner, GatewayFile file, CancellationToken cancel)
    {
        new ApplyWorkspaces(m.Db, m.Box, m.Rows, m.Changes, m.Errors, m.Clock, ManagedBy.Api).Match(file.Workspaces[0]);
        return Task.CompletedTask;
    }

    /// <param name="workspace">The only one that may be seen; all zeros: any.</param>
    protected override IQueryable<WorkspaceRow> Rows(GatewayDb db, Guid workspace) =>
        db.Workspaces.Where(w => workspace == Guid.Empty || w.Id == workspace);

    protected override JsonObject Show(WorkspaceRow row, Surroundings around) => ShownWorkspace.Of(row);

    protected override ManagedBy ManagedOf(WorkspaceRow row) => row.Managed;
}

internal sealed class SecretKind() : ConfigKind<SecretRow>("secret", "secrets", GatewayFileShape.Secret)
{
    public override IConfigRow? Find(ApplyRows rows, Guid workspace, string id) => rows.Secrets.GetValueOrDefault((workspace, id));

    public override Task MatchAsync(Matching m, WorkspaceRow? owner, GatewayFile file, CancellationToken cancel)
    {
        new ApplyWorkspaces(m.Db, m.Box, m.Rows, m.Changes, m.Errors, m.Clock, ManagedBy.Api).Match(owner!, file.Workspaces[0].Secrets[0]);
        return Task.CompletedTask;
    }

    protected override IQueryable<SecretRow> Rows(GatewayDb db, Guid workspace) => db.Secrets.Where(s => s.WorkspaceId == workspace);

    protected override JsonObject Show(SecretRow row, Surroundings around) => ShownWorkspace.Of(row, around);

    protected override ManagedBy ManagedOf(SecretRow row) => row.Managed;
}

internal sealed class DatasetKind() : ConfigKind<DatasetRow>("dataset", "datasets", GatewayFileShape.Dataset)
{
    public override IConfigRow? Find(ApplyRows rows, Guid workspace, string id) => rows.Datasets.GetValueOrDefault((workspace, id));

    public override Task MatchAsync(Matching m, WorkspaceRow? owner, GatewayFile file, CancellationToken cancel) =>
        new ApplyDatasets(m.Db, m.Rows, m.Changes, m.Errors, m.Clock, ManagedBy.Api)
            .MatchAsync(owner!, file.Workspaces[0].Datasets[0], files: null, cancel);

    protected override IQueryable<DatasetRow> Rows(GatewayDb db, Guid workspace) => db.Datasets.Where(d => d.WorkspaceId == workspace);

    protected override JsonObject Show(DatasetRow row, Surroundings around) => ShownWorkspace.Of(row, around);

    protected override ManagedBy ManagedOf(DatasetRow row) => row.Managed;
}

internal sealed class SkillsetKind() : ConfigKind<SkillsetRow>("skillset", "skillsets", GatewayFileShape.Skillset)
{
    /// <summary>What an ability shows that is not its own to set.</summary>
    private static readonly string[] ShownOfAbility = ["object", "id", "workspace", "skillset", "managed"];

    public override YamlMap Tidy(YamlMap body) => body.With(
        "abilities", abilities => abilities is YamlList list ? list with { Items = [.. list.Items.Select(TidyAbility)] } : abilities);

    public static YamlNode TidyAbility(YamlNode ability) =>
        ability is YamlMap map ? map.Without(e => ShownOfAbility.Contains(e.Key)) : ability;

    public override IConfigRow? Find(ApplyRows rows, Guid workspace, string id) => rows.Skillsets.GetValueOrDefault((workspace, id));

    public override Task MatchAsync(Matching m, WorkspaceRow? owner, GatewayFile file, CancellationToken cancel)
    {
        new ApplyBots(m.Db, m.Rows, m.Changes, m.Clock, ManagedBy.Api).Match(owner!, file.Workspaces[0].Skillsets[0]);
        return Task.CompletedTask;
    }

    protected override IQueryable<SkillsetRow> Rows(GatewayDb db, Guid workspace) =>
        db.Skillsets.Include(s => s.Abilities).Where(s => s.WorkspaceId == workspace);

    protected override JsonObject Show(SkillsetRow row, Surroundings around) => ShownWorkspace.Of(row, around);

    protected override ManagedBy ManagedOf(SkillsetRow row) => row.Managed;
}

internal sealed class BotKind() : ConfigKind<BotRow>("bot", "bots", GatewayFileShape.Bot)
{
    public override string IdField => "id";

    protected override string IdProperty => "Id";

    public override IConfigRow? Find(ApplyRows rows, Guid workspace, string id) => rows.Bots.GetValueOrDefault((workspace, id));

    public override Task MatchAsync(Matching m, WorkspaceRow? owner, GatewayFile file, CancellationToken cancel)
    {
        new ApplyBots(m.Db, m.Rows, m.Changes, m.Clock, ManagedBy.Api).Match(owner!, file.Workspaces[0].Bots[0]);
        return Task.CompletedTask;
    }

    protected override IQueryable<BotRow> Rows(GatewayDb db, Guid workspace) => db.Bots.Where(b => b.WorkspaceId == workspace);

    protected override JsonObject Show(BotRow row, Surroundings around) => ShownWorkspace.Of(row, around);

    protected override ManagedBy ManagedOf(BotRow row) => row.Managed;
}
