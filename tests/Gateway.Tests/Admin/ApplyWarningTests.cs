using Gateway.Admin;
using Gateway.Data;
using Gateway.Tests.Support;

namespace Gateway.Tests.Admin;

/// <summary>What is applied as it stands, with a word on what it will do.</summary>
public sealed class ApplyWarningTests(TestPostgres postgres)
{
    private const string Models = """
        providers: [ { name: p, baseUrl: "http://h" } ]
        models:
          - { name: gpt-4o, deployments: [ { provider: p } ], price: { input: 1 }, fallbacks: [gpt-4o-mni, other] }
          - { name: gpt-4o-mini, deployments: [ { provider: p } ] }
          - { name: "*", deployments: [ { provider: p } ], price: { input: 1 } }

        """;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_fallback_that_only_the_model_star_answers_is_said()
    {
        await using var installed = await Installed.InAsync(postgres);

        Assert.Equal(
            ["gateway.yaml:3: models[0].fallbacks[0]: 'gpt-4o-mni' is not configured by name; the '*' model answers it (did you mean 'gpt-4o-mini'?)",
                "gateway.yaml:3: models[0].fallbacks[1]: 'other' is not configured by name; the '*' model answers it"],
            await installed.WarningsAsync(Models));
    }

    [Fact]
    public async Task Vectors_too_long_for_an_index_are_said()
    {
        await using var installed = await Installed.InAsync(postgres);

        var said = await installed.WarningsAsync(Models + """
            embeddingModels:
              - { name: fits, provider: p, dimensions: 4000 }
              - { name: long, provider: p, dimensions: 4001 }

            """);

        var warning = Assert.Single(said, w => w.Contains("dimensions", StringComparison.Ordinal));
        Assert.StartsWith("gateway.yaml:8: embeddingModels[1].dimensions: there is no index for vectors of more than 4000 dimensions", warning, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Models_without_a_price_are_said_where_a_budget_in_USD_refuses_them()
    {
        await using var installed = await Installed.InAsync(postgres);
        const string Names = "under which models without a 'price' are refused: ";
        var models = Models.Replace("gpt-4o-mni, other", "gpt-4o-mini", StringComparison.Ordinal);

        var said = await installed.WarningsAsync(models + """
            workspaces:
              - { name: a, limits: { budget: 5usd/day }, bots: [ { id: b, model: gpt-4o-mini, limits: { budget: 1usd/day } } ] }
              - { name: c, limits: { budget: 5tokens/day }, bots: [ { id: b, model: gpt-4o-mini, limits: { budget: 1usd/day } }, { id: c, model: x, limits: { budget: 1usd/day } } ] }
              - { name: d }
            """);
        await using (var db = installed.Database.NewContext())
        {
            var key = new NewKey("d", "k", [], [], null) { Limits = new LimitValues(null, null, null, new Budget(1, null, BudgetPer.Day)) };
            Assert.Null((await new KeyStore(db, TimeProvider.System).CreateAsync(key, Actor.CommandLine, Cancel)).Error);
        }

        var withKey = await installed.WarningsAsync(models + "workspaces: [ { name: d } ]");

        Assert.Equal(
            [$"gateway.yaml:7: workspaces[0]: there is a budget in USD, {Names}gpt-4o-mini",
                $"gateway.yaml:8: workspaces[1].bots[0]: there is a budget in USD, {Names}'gpt-4o-mini'"],
            said);
        Assert.Equal([$"gateway.yaml:6: workspaces[0]: keys have a budget in USD, {Names}gpt-4o-mini"], withKey);
    }

    [Fact]
    public async Task Web_search_without_an_engine_and_abilities_of_one_name_are_said()
    {
        await using var installed = await Installed.InAsync(postgres);

        Assert.Equal(
            ["gateway.yaml:12: workspaces[0].bots[0]: 'webSearch' does nothing until 'web' names a search engine",
                "gateway.yaml:12: workspaces[0].bots[0]: several skillsets have an ability 'find': one, two; all but the first get a number behind the name"],
            await installed.WarningsAsync(Models.Replace(", fallbacks: [gpt-4o-mni, other]", "", StringComparison.Ordinal) + """
                workspaces:
                  - name: a
                    skillsets:
                      - { name: one, abilities: [ { name: find, http: { url: "http://h/" } } ] }
                      - { name: two, abilities: [ { name: find, http: { url: "http://h/" } } ] }
                    bots:
                      - { id: b, model: x, webSearch: true, skillsets: [one, two] }
                """));
    }
}
