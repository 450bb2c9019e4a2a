using Gateway.Admin;
using Gateway.Data;
using Gateway.Tests.Support;
using Microsoft.EntityFrameworkCore;

namespace Gateway.Tests.Admin;

/// <summary>Deployments, fallbacks, prices and limits on their way from the file into the database and out again.</summary>
public sealed class ApplyOperationTests(TestPostgres postgres)
{
    private const string Bare = """
        providers:
          - { name: a, baseUrl: "http://a" }
          - { name: b, baseUrl: "http://b" }
        models:
          - { name: big, deployments: [ { provider: a } ] }
          - { name: small, deployments: [ { provider: b } ] }
        workspaces:
          - name: acme
            bots: [ { id: support, model: big } ]
        """;

    private const string Full = """
        providers:
          - { name: a, baseUrl: "http://a", maxConcurrency: 5 }
          - { name: b, baseUrl: "http://b" }
        models:
          - name: big
            deployments:
              - { provider: a, weight: 3 }
              - { provider: b, model: big-eu, supportsPrefill: true }
            fallbacks: [small]
            retries: 0
            breaker: { failureRate: 0.1, minimum: 9, window: 1m, open: 1s }
            rescue: replay
            contextTokens: 128000
            defaultOutputTokens: 4096
            price: { input: 2.50, cachedInput: 1.25, output: 10.00 }
          - { name: small, deployments: [ { provider: b } ], price: { input: 0.02 } }
        workspaces:
          - name: acme
            limits: { rpm: 6000, tpm: 2000000, concurrent: 200, budget: 100usd/day }
            bots: [ { id: support, model: big, limits: { rpm: 5, budget: 7000tokens/month } } ]
        """;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_the_file_says_is_stored_and_again_changes_nothing()
    {
        await using var installed = await Installed.InAsync(postgres);

        await installed.ApplyAsync(Full);
        var version = await VersionAsync(installed);
        var again = await installed.ApplyAsync(Full.Replace("2.50", "2.5", StringComparison.Ordinal).Replace("100usd", "100.00usd", StringComparison.Ordinal));

        Assert.Empty(again);
        Assert.Equal(version, await VersionAsync(installed));
        var model = await ModelAsync(installed, "big");
        Assert.Equal(
            [("big", 3, false), ("big-eu", 1, true)],
            model.Deployments.OrderBy(d => d.Position).Select(d => (d.UpstreamModel, d.Weight, d.SupportsPrefill)));
        Assert.Equal(["small"], model.Fallbacks);
        Assert.Equal(
            (0, 0.1, 9, 60_000, 1_000, RescueMode.Replay),
            (model.Retries, model.BreakerFailureRate, model.BreakerMinimum, model.BreakerWindowMs, model.BreakerOpenMs, model.Rescue));
        Assert.Equal(
            (128_000, 4_096, 2.5m, 1.25m, 10m),
            (model.ContextTokens, model.DefaultOutputTokens, model.PriceInput, model.PriceCachedInput, model.PriceOutput));
        var small = await ModelAsync(installed, "small");
        Assert.Equal((0.02m, 0.02m, 0m), (small.PriceInput, small.PriceCachedInput, small.PriceOutput));
        Assert.Equal([5, null], await installed.ReadAsync(db => db.Providers.OrderBy(p => p.Name).Select(p => p.MaxConcurrency).ToListAsync(Cancel)));
        Assert.Equal(new LimitValues(6_000, 2_000_000, 200, new Budget(100, null, BudgetPer.Day)), await WorkspaceLimitsAsync(installed));
        Assert.Equal(new LimitValues(5, null, null, new Budget(null, 7_000, BudgetPer.Month)), await BotLimitsAsync(installed));
    }

    [Fact]
    public async Task What_the_file_no_longer_says_goes_back_to_the_default_and_is_said()
    {
        await using var fresh = await Installed.InAsync(postgres);
        await using var installed = await Installed.InAsync(postgres);
        await fresh.ApplyAsync(Bare);

        await installed.ApplyAsync(Bare);
        var filled = await installed.ApplyAsync(Full);
        var emptied = await installed.ApplyAsync(Bare);
        var again = await installed.ApplyAsync(Bare);

        const string Fields = "deployments, fallbacks, retries, breaker, rescue, contextTokens, defaultOutputTokens, price";
        string[] changes =
        [
            "~ provider a (maxConcurrency)", $"~ model big ({Fields})", "~ model small (price)", "~ workspace acme (limits)",
            "~ bot acme/support (limits)",
        ];
        Assert.Equal(changes, filled);
        Assert.Equal(changes, emptied);
        Assert.Empty(again);
        Assert.Null(await WorkspaceLimitsAsync(installed));
        Assert.Null(await BotLimitsAsync(installed));
        Assert.Equal(await OperationOfAsync(fresh), await OperationOfAsync(installed));
    }

    [Fact]
    public async Task A_single_limit_that_changes_is_a_new_version_of_its_owner()
    {
        await using var installed = await Installed.InAsync(postgres);
        await installed.ApplyAsync(Full);
        var before = await VersionAsync(installed);

        var changes = await installed.ApplyAsync(Full.Replace("100usd/day", "100usd/month", StringComparison.Ordinal));

        Assert.Equal(["~ workspace acme (limits)"], changes);
        Assert.Equal(before + 1, await installed.ReadAsync(db => db.Workspaces.Where(w => w.Name == "acme").Select(w => w.Version).SingleAsync(Cancel)));
    }

    [Fact]
    public async Task A_fallback_is_a_model_of_the_file_or_the_database_or_served_by_the_model_star()
    {
        const string Alone = "providers: [ { name: a, baseUrl: \"http://a\" } ]\nmodels:\n  - { name: x, deployments: [ { provider: a } ], fallbacks: [small, none] }\n";
        await using var installed = await Installed.InAsync(postgres);
        await installed.ApplyAsync(Bare);

        var refused = await installed.RefusedAsync(Alone);
        var withStar = await installed.ApplyAsync(Alone + "  - { name: \"*\", deployments: [ { provider: a } ] }\n");

        Assert.Equal(
            ["gateway.yaml:3: models[0].fallbacks[1]: there is no model 'none', neither in this file nor in the database"], refused);
        Assert.Equal(["+ model x", "+ model *"], withStar);
    }

    [Fact]
    public async Task A_fallback_must_be_open_to_somebody_who_sees_the_model()
    {
        await using var installed = await Installed.InAsync(postgres);
        string Yaml(string seenBy, string open) => $$"""
            providers: [ { name: a, baseUrl: "http://a" } ]
            models:
              - { name: x, workspaces: {{seenBy}}, deployments: [ { provider: a } ], fallbacks: [y] }
              - { name: y, workspaces: {{open}}, deployments: [ { provider: a } ] }
            workspaces: [ { name: one }, { name: two }, { name: three } ]
            """;

        var refused = await installed.RefusedAsync(Yaml("[one, two]", "[three]"));
        await installed.ApplyAsync(Yaml("[one, two]", "[two]"));
        await installed.ApplyAsync(Yaml("[one, two]", "[two]").Replace("workspaces: [one, two], ", "", StringComparison.Ordinal));

        Assert.Equal(["gateway.yaml:3: models[0].fallbacks[0]: the model 'y' is open to no workspace that sees 'x'"], refused);
    }

    [Fact]
    public async Task A_fallback_that_is_being_pruned_is_missed_by_the_file_and_by_models_of_the_API()
    {
        const string OnlyBig = """
            providers: [ { name: a, baseUrl: "http://a" }, { name: b, baseUrl: "http://b" } ]
            models:
              - { name: big, deployments: [ { provider: a } ], fallbacks: [small] }
            workspaces: [ { name: acme } ]
            """;
        await using var installed = await Installed.InAsync(postgres);
        await installed.ApplyAsync(Full);

        var inFile = await installed.RefusedAsync(OnlyBig, new ApplyOptions(Prune: true));
        await installed.ReadAsync(db => db.Models.Where(m => m.Name == "big").ExecuteUpdateAsync(m => m.SetProperty(r => r.Managed, ManagedBy.Api), Cancel));
        var withoutBig = OnlyBig.Replace(
            "  - { name: big, deployments: [ { provider: a } ], fallbacks: [small] }", "  - { name: other, deployments: [ { provider: a } ] }", StringComparison.Ordinal);
        var ofTheApi = await installed.RefusedAsync(withoutBig, new ApplyOptions(Prune: true));
        var served = await installed.ApplyAsync(withoutBig.Replace("name: other", "name: \"*\"", StringComparison.Ordinal), new ApplyOptions(Prune: true));

        Assert.Equal(["gateway.yaml:3: models[0].fallbacks[0]: there is no model 'small', neither in this file nor in the database"], inFile);
        Assert.Equal(["gateway.yaml: model 'small' cannot be removed: model 'big' falls back to it"], ofTheApi);
        Assert.Contains("- model small", served);
    }

    private static Task<ModelRow> ModelAsync(Installed installed, string name) =>
        installed.ReadAsync(db => db.Models.Include(m => m.Deployments).SingleAsync(m => m.Name == name, Cancel));

    private static async Task<object> OperationOfAsync(Installed installed)
    {
        var model = await ModelAsync(installed, "big");
        var deployment = Assert.Single(model.Deployments);
        return (deployment.UpstreamModel, deployment.Weight, deployment.SupportsPrefill, string.Join(',', model.Fallbacks), model.Retries,
            model.BreakerFailureRate, model.BreakerMinimum, model.BreakerWindowMs, model.BreakerOpenMs, model.Rescue,
            model.ContextTokens, model.DefaultOutputTokens, model.PriceInput, model.PriceCachedInput, model.PriceOutput);
    }

    private static Task<LimitValues?> WorkspaceLimitsAsync(Installed installed) =>
        installed.ReadAsync(async db => LimitValues.From((await db.Workspaces.SingleAsync(w => w.Name == "acme", Cancel)).Limits));

    private static Task<LimitValues?> BotLimitsAsync(Installed installed) =>
        installed.ReadAsync(async db => LimitValues.From((await db.Bots.SingleAsync(Cancel)).Limits));

    private static Task<long> VersionAsync(Installed installed) =>
        installed.ReadAsync(db => db.ConfigVersions.Select(v => v.Version).SingleAsync(Cancel));
}
