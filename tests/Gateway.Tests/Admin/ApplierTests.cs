using Gateway.Admin;
using Gateway.Data;
using Gateway.Tests.Support;
using Microsoft.EntityFrameworkCore;

namespace Gateway.Tests.Admin;

public sealed class ApplierTests(TestPostgres postgres)
{
    private const string Complete = """
        providers:
          - { name: openai, baseUrl: "https://api.openai.com/v1", apiKey: "${KEY}", headers: { x-team: "${TEAM}" } }
        models:
          - { name: gpt-4o, deployments: [ { provider: openai } ], timeouts: { idle: 5s }, dropParams: [logit_bias] }
          - { name: "*", deployments: [ { provider: openai } ], workspaces: [acme] }
        workspaces:
          - name: acme
            secrets: [ { name: token, value: "${TOKEN}" } ]
            bots:
              - { id: support, model: gpt-4o, backstory: "Hello.", parameters: { temperature: 0.20, stop: ["b", "a"], top_p: 1e0 } }
        """;

    private static readonly Dictionary<string, string> Variables = new()
    {
        ["KEY"] = "sk-very-secret",
        ["TEAM"] = "team-very-secret",
        ["TOKEN"] = "token-very-secret",
    };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_file_is_applied_once_and_again_changes_nothing_and_no_version()
    {
        await using var installed = await Installed.InAsync(postgres);

        var first = await installed.ApplyAsync(Complete, environment: Variables);
        var version = await VersionAsync(installed);
        var second = await installed.ApplyAsync(Complete, environment: Variables);

        Assert.Equal(
            ["+ provider openai", "+ model gpt-4o", "+ model *", "+ workspace acme", "+ secret acme/token", "+ bot acme/support"], first);
        Assert.Empty(second);
        Assert.Equal(version, await VersionAsync(installed));
        var provider = await installed.ReadAsync(db => db.Providers.SingleAsync(Cancel));
        Assert.Equal("sk-very-secret", installed.Box.Open(provider.ApiKey!, SecretOwners.ProviderKey("openai")).Reveal());
        Assert.Equal(
            """{"x-team":"team-very-secret"}""", installed.Box.Open(provider.Headers!, SecretOwners.ProviderHeaders("openai")).Reveal());
        var bot = await installed.ReadAsync(db => db.Bots.SingleAsync(Cancel));
        Assert.Equal(("support", "gpt-4o", "Hello.", ManagedBy.File), (bot.Name, bot.Model, bot.Backstory, bot.Managed));
    }

    [Fact]
    public async Task Only_what_differs_is_changed_and_named()
    {
        await using var installed = await Installed.InAsync(postgres);
        await installed.ApplyAsync(Complete, environment: Variables);
        var before = await VersionAsync(installed);
        var other = Complete
            .Replace("idle: 5s", "idle: 6s, total: 1m", StringComparison.Ordinal)
            .Replace("logit_bias", "seed", StringComparison.Ordinal)
            .Replace("0.20", "0.3", StringComparison.Ordinal);

        var changes = await installed.ApplyAsync(
            other, environment: new(Variables) { ["KEY"] = "sk-other-secret", ["TOKEN"] = "another", ["TEAM"] = "b" });

        Assert.Equal(
            ["~ provider openai (apiKey, headers)", "~ model gpt-4o (timeouts, dropParams)", "~ secret acme/token (value)",
                "~ bot acme/support (parameters)"],
            changes);
        Assert.Equal(before + 1, await VersionAsync(installed));
        Assert.Equal(before + 1, await installed.ReadAsync(db => db.Models.Where(m => m.Name == "gpt-4o").Select(m => m.Version).SingleAsync(Cancel)));
        Assert.NotEqual(before + 1, await installed.ReadAsync(db => db.Models.Where(m => m.Name == "*").Select(m => m.Version).SingleAsync(Cancel)));
    }

    [Fact]
    public async Task A_changed_deployment_is_a_new_version_of_its_model()
    {
        await using var installed = await Installed.InAsync(postgres);
        await installed.ApplyAsync(Complete, environment: Variables);
        var before = await VersionAsync(installed);

        var changes = await installed.ApplyAsync(
            Complete.Replace("gpt-4o, deployments: [ { provider: openai", "gpt-4o, deployments: [ { model: other, provider: openai", StringComparison.Ordinal),
            environment: Variables);

        Assert.Equal(["~ model gpt-4o (deployments)"], changes);
        Assert.Equal(before + 1, await installed.ReadAsync(db => db.Models.Where(m => m.Name == "gpt-4o").Select(m => m.Version).SingleAsync(Cancel)));
    }

    [Fact]
    public async Task A_dry_run_says_the_same_and_changes_nothing()
    {
        await using var installed = await Installed.InAsync(postgres);
        var before = await VersionAsync(installed);

        var dry = await installed.ApplyAsync(Complete, new ApplyOptions(DryRun: true), Variables);
        var after = await VersionAsync(installed);
        var providers = await installed.ReadAsync(db => db.Providers.CountAsync(Cancel));
        var real = await installed.ApplyAsync(Complete, environment: Variables);

        Assert.Equal(real, dry);
        Assert.Equal((before, 0), (after, providers));
    }

    [Fact]
    public async Task Objects_of_the_API_are_adopted_and_said_so()
    {
        await using var installed = await Installed.InAsync(postgres);

        var changes = await installed.ApplyAsync("workspaces: [ { name: default } ]");

        Assert.Equal(["~ workspace default (now managed by the file)"], changes);
        Assert.Equal(ManagedBy.File, await installed.ReadAsync(db => db.Workspaces.Select(w => w.Managed).SingleAsync(Cancel)));
    }

    [Fact]
    public async Task Without_prune_what_the_file_leaves_out_stays()
    {
        await using var installed = await Installed.InAsync(postgres);
        await installed.ApplyAsync(Complete, environment: Variables);

        var changes = await installed.ApplyAsync("workspaces: [ { name: acme } ]");

        Assert.Empty(changes);
        Assert.Equal(1, await installed.ReadAsync(db => db.Bots.CountAsync(Cancel)));
    }

    [Fact]
    public async Task Prune_removes_what_a_file_made_with_all_that_a_workspace_owns_and_leaves_word_of_it()
    {
        await using var installed = await Installed.InAsync(postgres);
        await installed.ApplyAsync(Complete, environment: Variables);
        await using (var db = installed.Database.NewContext())
        {
            var (_, _, error) = await new KeyStore(db, TimeProvider.System).CreateAsync(new NewKey("acme", "k1", [], [], null), Actor.CommandLine, Cancel);
            Assert.Null(error);
        }

        var key = await installed.ReadAsync(db => db.Keys.SingleAsync(Cancel));
        var refused = await installed.RefusedAsync("{}", new ApplyOptions(Prune: true));
        await using (var db = installed.Database.NewContext())
        {
            Assert.Null(await new KeyStore(db, TimeProvider.System).RevokeAsync(null, key.Id, Actor.CommandLine, isWanted: null, Cancel));
        }

        var changes = await installed.ApplyAsync("{}", new ApplyOptions(Prune: true));

        Assert.Equal(
            [$"gateway.yaml: workspace 'acme' cannot be removed, it has keys: k1 ({key.Id}); revoke its keys first"], refused);
        Assert.Equal(
            ["- model *", "- model gpt-4o", "- provider openai", "- bot acme/support", "- secret acme/token",
                $"- key acme/k1 ({key.Id})", "- workspace acme"],
            changes);
        Assert.Equal(["default"], await installed.ReadAsync(db => db.Workspaces.Select(w => w.Name).ToListAsync(Cancel)));
        Assert.Equal(0, await installed.ReadAsync(db => db.Deployments.CountAsync(Cancel)));
        Assert.Equal(
            ["bots/support", $"keys/{key.Id}", "models/*", "models/gpt-4o", "providers/openai", "secrets/token", $"workspaces/{key.WorkspaceId}"],
            await installed.ReadAsync(db => db.Deletions.OrderBy(d => d.Kind).ThenBy(d => d.ObjectId).Select(d => d.Kind + "/" + d.ObjectId).ToListAsync(Cancel)));
    }

    [Fact]
    public async Task A_workspace_is_not_pruned_with_what_no_file_made_in_it()
    {
        await using var installed = await Installed.InAsync(postgres);
        await installed.ApplyAsync(Complete, environment: Variables);
        await installed.ReadAsync(db => db.Bots.ExecuteUpdateAsync(b => b.SetProperty(r => r.Managed, ManagedBy.Api), Cancel));
        await installed.ReadAsync(db => db.Secrets.ExecuteUpdateAsync(b => b.SetProperty(r => r.Managed, ManagedBy.Api), Cancel));

        var errors = await installed.RefusedAsync("{}", new ApplyOptions(Prune: true));

        Assert.Equal(
            ["gateway.yaml: workspace 'acme' cannot be removed, it has bots that no file made: support; "
                + "name the workspace in the file, or remove them first",
                "gateway.yaml: workspace 'acme' cannot be removed, it has secrets that no file made: token; "
                + "name the workspace in the file, or remove them first"],
            errors);
        Assert.Equal(1, await installed.ReadAsync(db => db.Workspaces.CountAsync(w => w.Name == "acme", Cancel)));
    }

    [Fact]
    public async Task Prune_leaves_objects_of_the_API_alone()
    {
        await using var installed = await Installed.InAsync(postgres);
        await installed.ApplyAsync(Complete, environment: Variables);
        await installed.ReadAsync(db => db.Bots.ExecuteUpdateAsync(b => b.SetProperty(r => r.Managed, ManagedBy.Api), Cancel));

        var changes = await installed.ApplyAsync(
            Complete[..Complete.IndexOf("    bots:", StringComparison.Ordinal)], new ApplyOptions(Prune: true), Variables);

        Assert.Empty(changes);
        Assert.Equal(1, await installed.ReadAsync(db => db.Bots.CountAsync(Cancel)));
    }

    [Fact]
    public async Task A_model_moves_to_another_provider_while_its_old_one_is_pruned()
    {
        await using var installed = await Installed.InAsync(postgres);
        await installed.ApplyAsync(Complete, environment: Variables);

        var changes = await installed.ApplyAsync(
            Complete.Replace("name: openai", "name: azure", StringComparison.Ordinal).Replace("provider: openai", "provider: azure", StringComparison.Ordinal),
            new ApplyOptions(Prune: true), Variables);

        Assert.Equal(["+ provider azure", "~ model gpt-4o (deployments)", "~ model * (deployments)", "- provider openai"], changes);
        Assert.Equal(2, await installed.ReadAsync(db => db.Deployments.CountAsync(Cancel)));
    }

    [Fact]
    public async Task What_the_API_has_keeps_what_it_uses_from_being_pruned()
    {
        await using var installed = await Installed.InAsync(postgres);
        await installed.ApplyAsync(Complete, environment: Variables);
        await installed.ReadAsync(db => db.Models.ExecuteUpdateAsync(b => b.SetProperty(r => r.Managed, ManagedBy.Api), Cancel));

        var errors = await installed.RefusedAsync("{}", new ApplyOptions(Prune: true));

        Assert.Equal(
            ["gateway.yaml: provider 'openai' cannot be removed: model '*' still uses it",
                "gateway.yaml: provider 'openai' cannot be removed: model 'gpt-4o' still uses it",
                "gateway.yaml: workspace 'acme' cannot be removed: model '*' is limited to it"],
            errors.Order(StringComparer.Ordinal));
        Assert.Equal(1, await installed.ReadAsync(db => db.Bots.CountAsync(Cancel)));
    }

    [Fact]
    public async Task A_bot_of_the_API_keeps_its_model_from_being_pruned()
    {
        await using var installed = await Installed.InAsync(postgres);
        await installed.ApplyAsync(Complete.Replace("name: \"*\"", "name: other", StringComparison.Ordinal), environment: Variables);
        await installed.ReadAsync(db => db.Bots.ExecuteUpdateAsync(b => b.SetProperty(r => r.Managed, ManagedBy.Api), Cancel));

        var errors = await installed.RefusedAsync("workspaces: [ { name: acme } ]", new ApplyOptions(Prune: true));

        Assert.Equal(["gateway.yaml: model 'gpt-4o' cannot be removed: bot 'acme/support' still uses it"], errors);
    }

    [Fact]
    public async Task A_secret_without_a_value_keeps_the_stored_one_and_needs_one_at_first()
    {
        const string Without = "workspaces:\n  - name: acme\n    secrets: [ { name: token } ]\n";
        await using var installed = await Installed.InAsync(postgres);

        var refused = await installed.RefusedAsync(Without);
        await installed.ApplyAsync(Complete, environment: Variables);
        var kept = await installed.ApplyAsync(Without);

        Assert.Equal(
            ["gateway.yaml:3: workspaces[0].secrets[0]: expected a 'value': the database has none to keep for this secret"], refused);
        Assert.Empty(kept);
        var row = await installed.ReadAsync(db => db.Secrets.SingleAsync(Cancel));
        Assert.Equal("token-very-secret", installed.Box.Open(row.Value, SecretOwners.WorkspaceSecret("acme", "token")).Reveal());
    }

    [Fact]
    public async Task Names_that_nobody_has_are_refused_together_with_line_and_path_and_nothing_is_changed()
    {
        await using var installed = await Installed.InAsync(postgres);
        var before = await VersionAsync(installed);

        var errors = await installed.RefusedAsync(
            """
            models:
              - name: gpt-4o
                workspaces: [nowhere]
                deployments: [ { provider: nobody } ]
            workspaces:
              - name: acme
                bots:
                  - { id: support, model: none }
            """);

        Assert.Equal(
            ["gateway.yaml:3: models[0].workspaces[0]: there is no workspace 'nowhere', neither in this file nor in the database",
                "gateway.yaml:4: models[0].deployments[0].provider: there is no provider 'nobody', neither in this file nor in the database",
                "gateway.yaml:8: workspaces[0].bots[0].model: there is no model 'none', neither in this file nor in the database"],
            errors);
        Assert.Equal(before, await VersionAsync(installed));
        Assert.Equal(1, await installed.ReadAsync(db => db.Workspaces.CountAsync(Cancel)));
    }

    [Fact]
    public async Task Names_that_the_database_has_may_be_used_unless_they_are_being_pruned()
    {
        const string OnlyBot = "workspaces: [ { name: acme, bots: [ { id: second, model: anything } ] } ]";
        await using var installed = await Installed.InAsync(postgres);
        await installed.ApplyAsync(Complete, environment: Variables);

        var pruned = await installed.RefusedAsync(OnlyBot, new ApplyOptions(Prune: true));
        var kept = await installed.ApplyAsync(OnlyBot);

        Assert.Contains("there is no model 'anything'", Assert.Single(pruned), StringComparison.Ordinal);
        Assert.Equal(["+ bot acme/second"], kept);
    }

    [Fact]
    public async Task A_bot_may_not_use_a_model_that_its_workspace_does_not_see()
    {
        await using var installed = await Installed.InAsync(postgres);
        await installed.ApplyAsync(Complete, environment: Variables);

        var errors = await installed.RefusedAsync("workspaces: [ { name: other, bots: [ { id: b, model: anything } ] } ]");

        Assert.Equal(
            ["gateway.yaml:1: workspaces[0].bots[0].model: the model 'anything' is not open to the workspace 'other'"], errors);
    }

    [Theory]
    [InlineData("providers: [ { name: p, baseUrl: \"http://x\" } ]\nmodels: [ { name: demo, deployments: [ { provider: p } ] } ]", "gateway.yaml:2: models[0]: ")]
    [InlineData("workspaces: [ { name: default, bots: [ { id: demo, model: demo } ] } ]", "gateway.yaml:1: workspaces[0].bots[0]: ")]
    public async Task The_built_in_names_are_refused_while_the_demo_is_on(string yaml, string place)
    {
        await using var installed = await Installed.InAsync(postgres);

        var error = Assert.Single(await installed.RefusedAsync(yaml));

        Assert.StartsWith(place, error, StringComparison.Ordinal);
        Assert.Contains("Gateway__Demo", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_built_in_names_are_free_without_the_demo_and_for_other_workspaces()
    {
        await using var with = await Installed.InAsync(postgres);
        await using var without = await Installed.InAsync(postgres, demo: false);
        const string Provider = "providers: [ { name: p, baseUrl: \"http://x\" } ]\n";

        await with.ApplyAsync("workspaces: [ { name: default, bots: [ { id: mine, model: demo } ] } ]");
        await with.ApplyAsync(Provider + "models: [ { name: m, deployments: [ { provider: p } ] } ]\nworkspaces: [ { name: acme, bots: [ { id: demo, model: m } ] } ]");
        await without.ApplyAsync(Provider + "models: [ { name: demo, deployments: [ { provider: p } ] } ]");
    }

    [Fact]
    public async Task Two_applies_at_the_same_time_come_one_after_the_other()
    {
        await using var installed = await Installed.InAsync(postgres);

        var all = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => installed.ApplyAsync(Complete, environment: Variables)));

        Assert.Equal(6, Assert.Single(all, changes => changes.Count > 0).Count);
    }

    [Fact]
    public async Task A_file_that_was_applied_last_is_left_alone_by_those_that_watch_until_a_variable_changes()
    {
        await using var installed = await Installed.InAsync(postgres);
        await installed.ApplyAsync(Complete, environment: Variables);
        await installed.ReadAsync(db => db.Bots.ExecuteUpdateAsync(b => b.SetProperty(r => r.Backstory, "By hand."), Cancel));

        var same = await installed.ApplyAsync(Complete, new ApplyOptions(OnlyIfNew: true), Variables);
        var rotated = await installed.ApplyAsync(Complete, new ApplyOptions(OnlyIfNew: true), new(Variables) { ["KEY"] = "sk-new" });

        Assert.Empty(same);
        Assert.Equal(["~ provider openai (apiKey)", "~ bot acme/support (backstory)"], rotated);
    }

    private static Task<long> VersionAsync(Installed installed) =>
        installed.ReadAsync(db => db.ConfigVersions.Select(v => v.Version).SingleAsync(Cancel));
}
