using Gateway.Admin;
using Gateway.Data;
using Gateway.Tests.Support;
using Microsoft.EntityFrameworkCore;

namespace Gateway.Tests.Admin;

/// <summary>What <c>--prune</c> takes out of datasets, skillsets, bots and web settings, and what it must not.</summary>
public sealed class ApplyBotsPruneTests(TestPostgres postgres)
{
    private static readonly ApplyOptions Prune = new(Prune: true);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Everything_that_a_file_made_goes_and_leaves_word_of_it()
    {
        await using var installed = await FullFile.InstalledAsync(postgres);
        await installed.ApplyAsync(FullFile.Yaml, environment: FullFile.Variables);
        var workspace = await installed.ReadAsync(db => db.Workspaces.Where(w => w.Name == "acme").Select(w => w.Id).SingleAsync(Cancel));

        var changes = await installed.ApplyAsync("{}", Prune);

        Assert.Equal(
            ["- bot acme/billing", "- bot acme/other", "- bot acme/support", "- dataset acme/handbook", "- dataset acme/plain",
                "- embedding model vectors", "- model m", "- provider p", "- secret acme/crm-token", "- skillset acme/crm",
                "- skillset acme/empty", "- web and egress settings", "- workspace acme"],
            changes.Order(StringComparer.Ordinal));
        Assert.Equal(
            (0, 0, 0, 0, 0),
            await installed.ReadAsync(async db => (await db.Datasets.CountAsync(Cancel), await db.DatasetFiles.CountAsync(Cancel), await db.Jobs.CountAsync(Cancel),
                await db.Abilities.CountAsync(Cancel), await db.Outside.CountAsync(Cancel))));
        Assert.Equal(
            ["bots/billing", "bots/other", "bots/support", "datasets/handbook", "datasets/plain", "embedding_models/vectors", "models/m", "outside/outside",
                "providers/p", "secrets/crm-token", "skillsets/crm", "skillsets/empty", $"workspaces/{workspace}"],
            (await installed.ReadAsync(db => db.Deletions.Select(d => d.Kind + "/" + d.ObjectId).ToListAsync(Cancel))).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task In_a_workspace_that_stays_only_what_is_not_named_goes()
    {
        await using var installed = await FullFile.InstalledAsync(postgres);
        await installed.ApplyAsync(FullFile.Yaml, environment: FullFile.Variables);

        var changes = await installed.ApplyAsync("""
            providers: [ { name: p, baseUrl: "http://127.0.0.1:9/v1" } ]
            models: [ { name: m, deployments: [ { provider: p } ], price: { input: 1 } } ]
            egress: { allow: [searx.internal, 10.1.0.0/16] }
            workspaces:
              - name: acme
                datasets: [ { name: plain } ]
                bots: [ { id: other, model: m } ]
            """, Prune);

        Assert.Equal(
            ["- bot acme/billing", "- bot acme/support", "- dataset acme/handbook", "- embedding model vectors", "- secret acme/crm-token",
                "- skillset acme/crm", "- skillset acme/empty", "- web settings"],
            changes.Order(StringComparer.Ordinal));
        var outside = await installed.ReadAsync(db => db.Outside.SingleAsync(Cancel));
        Assert.Equal((null, null, null, false, 2), (outside.SearchKind, outside.SearchUrl, outside.SearchApiKey, outside.CanFetch, outside.EgressAllow.Length));
    }

    [Fact]
    public async Task Objects_of_the_API_stay_and_keep_what_they_use()
    {
        await using var installed = await FullFile.InstalledAsync(postgres);
        await installed.ApplyAsync(FullFile.Yaml, environment: FullFile.Variables);
        await installed.ReadAsync(db => db.Workspaces.ExecuteUpdateAsync(w => w.SetProperty(r => r.Managed, ManagedBy.Api), Cancel));
        await installed.ReadAsync(db => db.Bots.Where(b => b.Id == "support").ExecuteUpdateAsync(b => b.SetProperty(r => r.Managed, ManagedBy.Api), Cancel));
        await installed.ReadAsync(db => db.Skillsets.Where(s => s.Name == "crm").ExecuteUpdateAsync(s => s.SetProperty(r => r.Managed, ManagedBy.Api), Cancel));
        await installed.ReadAsync(db => db.Datasets.Where(d => d.Name == "handbook").ExecuteUpdateAsync(s => s.SetProperty(r => r.Managed, ManagedBy.Api), Cancel));
        await installed.ReadAsync(db => db.Outside.ExecuteUpdateAsync(s => s.SetProperty(r => r.Managed, ManagedBy.Api), Cancel));

        var errors = await installed.RefusedAsync("{}", Prune);

        Assert.Equal(
            [
                "gateway.yaml: bot 'billing' cannot be removed: it is in the team of bot 'acme/support'",
                "gateway.yaml: bot 'other' cannot be removed: it is in the team of bot 'acme/support'",
                "gateway.yaml: dataset 'plain' cannot be removed: bot 'acme/support' still uses it",
                "gateway.yaml: embedding model 'vectors' cannot be removed: dataset 'acme/handbook' still uses it",
                "gateway.yaml: model 'm' cannot be removed: bot 'acme/support' still uses it",
                "gateway.yaml: secret 'crm-token' cannot be removed: skillset 'acme/crm' still uses it",
                "gateway.yaml: skillset 'empty' cannot be removed: bot 'acme/support' still uses it",
            ],
            errors.Order(StringComparer.Ordinal));
        Assert.Equal((3, 2), await installed.ReadAsync(async db => (await db.Bots.CountAsync(Cancel), await db.Datasets.CountAsync(Cancel))));
    }

    [Fact]
    public async Task A_workspace_is_not_removed_with_datasets_and_skillsets_that_no_file_made()
    {
        await using var installed = await FullFile.InstalledAsync(postgres);
        await installed.ApplyAsync(FullFile.Yaml, environment: FullFile.Variables);
        await installed.ReadAsync(db => db.Skillsets.Where(s => s.Name == "empty").ExecuteUpdateAsync(s => s.SetProperty(r => r.Managed, ManagedBy.Api), Cancel));
        await installed.ReadAsync(db => db.Datasets.Where(s => s.Name == "plain").ExecuteUpdateAsync(s => s.SetProperty(r => r.Managed, ManagedBy.Api), Cancel));

        var errors = await installed.RefusedAsync("{}", Prune);

        Assert.Equal(
            ["gateway.yaml: workspace 'acme' cannot be removed, it has skillsets that no file made: empty; name the workspace in the file, or remove them first",
                "gateway.yaml: workspace 'acme' cannot be removed, it has datasets that no file made: plain; name the workspace in the file, or remove them first"],
            errors);
    }

    [Fact]
    public async Task An_embedding_models_provider_that_is_pruned_is_missed_by_one_of_the_API()
    {
        await using var installed = await Installed.InAsync(postgres);
        await installed.ApplyAsync("providers: [ { name: p, baseUrl: \"http://h\" } ]\nembeddingModels: [ { name: e, provider: p, dimensions: 3 } ]");
        await installed.ReadAsync(db => db.EmbeddingModels.ExecuteUpdateAsync(s => s.SetProperty(r => r.Managed, ManagedBy.Api), Cancel));

        Assert.Equal(
            ["gateway.yaml: provider 'p' cannot be removed: embedding model 'e' still uses it"], await installed.RefusedAsync("{}", Prune));
    }
}
