using System.Text;
using Gateway.Admin;
using Gateway.Bots;
using Gateway.Data;
using Gateway.Tests.Support;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Tests.Admin;

/// <summary>Bots with all that they are made of, from the file into the database, to those who read them, and out again.</summary>
public sealed class ApplyBotsTests(TestPostgres postgres)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_full_file_is_applied_once_and_again_changes_nothing_and_no_version()
    {
        await using var installed = await FullFile.InstalledAsync(postgres);

        var first = await installed.ApplyAsync(FullFile.Yaml, environment: FullFile.Variables);
        var version = await VersionAsync(installed);
        var jobs = await installed.ReadAsync(db => db.Jobs.CountAsync(Cancel));
        var second = await installed.ApplyAsync(FullFile.Yaml, new ApplyOptions(Prune: true), FullFile.Variables);

        Assert.Equal(
            ["+ provider p", "+ model m", "+ embedding model vectors", "+ web settings", "+ egress settings", "+ workspace acme", "+ secret acme/crm-token",
                "+ dataset acme/handbook", "+ dataset acme/plain", "+ skillset acme/crm", "+ skillset acme/empty", "+ bot acme/support",
                "+ bot acme/billing", "+ bot acme/other"],
            first);
        Assert.Empty(second);
        Assert.Equal((version, jobs), (await VersionAsync(installed), await installed.ReadAsync(db => db.Jobs.CountAsync(Cancel))));
        var outside = await installed.ReadAsync(db => db.Outside.SingleAsync(Cancel));
        Assert.Equal(("brave", "http://searx.internal:8080", true), (outside.SearchKind, outside.SearchUrl, outside.CanFetch));
        Assert.Equal("hidden-search", installed.Box.Open(outside.SearchApiKey!, SecretOwners.OutsideSearch).Reveal());
        Assert.Equal(["searx.internal", "10.1.0.0/16"], outside.EgressAllow);
    }

    [Fact]
    public async Task A_bot_is_read_as_it_was_written()
    {
        await using var installed = await FullFile.InstalledAsync(postgres);
        await installed.ApplyAsync(FullFile.Yaml.Replace("enabled: false", "enabled: true", StringComparison.Ordinal), environment: FullFile.Variables);

        var workspace = await installed.ReadAsync(db => db.Workspaces.Where(w => w.Name == "acme").Select(w => w.Id).SingleAsync(Cancel));
        var bot = (await installed.ReadAsync(db => new BotReader(installed.Box, NullLogger<BotReader>.Instance).ReadAsync(db, workspace, "support")))!;

        Assert.Equal([("handbook", true), ("plain", false)], bot.Datasets.Select(d => (d.Dataset.Name, d.IsAlways)));
        Assert.Equal(("english", "vectors", 7, 0.25, 3_000), bot.Datasets.Select(d => d.Dataset)
            .Select(d => (d.Language, d.EmbeddingModel, d.SearchMaxRecords, d.SearchMinScore, d.SearchMaxTokens)).First());
        Assert.Equal(["crm", "empty"], bot.Skillsets.Select(s => s.Name));
        Assert.Equal([("find_customer", AbilityKind.Http), ("docs", AbilityKind.Mcp)], bot.Skillsets[0].Abilities.Select(a => (a.Name, a.Kind)));
        Assert.Contains("\"timeout\": 2500", Encoding.UTF8.GetString(bot.Skillsets[0].Abilities[0].Settings), StringComparison.Ordinal);
        Assert.Equal("hidden-token", bot.Secrets["crm-token"].Reveal());
        Assert.Equal([new TeamMember("billing", "Questions about invoices.", true), new TeamMember("other", "", false)], bot.Team);
        Assert.Equal(new TurnLimits(4, 16, 2, TimeSpan.FromSeconds(60), 0.50m), bot.Turn);
        Assert.Equal(new LimitValues(5, null, null, new Budget(5, null, BudgetPer.Day)), bot.Limits);
        Assert.True(bot is { WebSearch: true, ExposeSteps: true });
        Assert.Contains("\"name\": \"show_page\"", Encoding.UTF8.GetString(bot.ClientTools), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_differs_is_changed_and_named_and_goes_back_to_the_default_when_left_out()
    {
        await using var installed = await FullFile.InstalledAsync(postgres);
        await installed.ApplyAsync(FullFile.Yaml, environment: FullFile.Variables);
        const string Bare = """
            embeddingModels: [ { name: vectors, provider: p, model: text-embedding-3-small, dimensions: 1536 } ]
            web: { }
            egress: { }
            workspaces:
              - name: acme
                datasets: [ { name: handbook } ]
                skillsets: [ { name: crm, abilities: [ { name: docs, mcp: { url: "https://mcp.acme.test/mcp" } } ] } ]
                bots: [ { id: support, model: m } ]
            """;

        var abilities = await installed.ReadAsync(db => db.Abilities.ToDictionaryAsync(a => a.Name, a => a.Id, Cancel));
        var changes = await installed.ApplyAsync(Bare);
        var again = await installed.ApplyAsync(Bare);

        Assert.Equal(
            ["~ embedding model vectors (price)", "~ web settings (search, fetch)", "~ egress settings (allow)",
                "~ dataset acme/handbook (language, embeddingModel, chunkTokens, overlapTokens, description, enabled, searchMaxRecords, searchMinScore, searchMaxTokens, matchInstruction, mismatchInstruction)",
                "~ skillset acme/crm (description, enabled, abilities)",
                "~ bot acme/support (datasets, skillsets, webSearch, clientTools, team, limits, exposeSteps)"],
            changes);
        Assert.Empty(again);
        Assert.Equal(abilities["docs"], await installed.ReadAsync(db => db.Abilities.Select(a => a.Id).SingleAsync(Cancel)));
        Assert.Equal(2, await installed.ReadAsync(db => db.DatasetFiles.CountAsync(Cancel)));
    }

    [Fact]
    public async Task A_changed_ability_is_a_new_version_of_its_skillset_alone()
    {
        await using var installed = await FullFile.InstalledAsync(postgres);
        await installed.ApplyAsync(FullFile.Yaml, environment: FullFile.Variables);
        var before = await VersionAsync(installed);

        var changes = await installed.ApplyAsync(
            FullFile.Yaml.Replace("maxBytes: 1000", "maxBytes: 1001", StringComparison.Ordinal), environment: FullFile.Variables);

        Assert.Equal(["~ skillset acme/crm (abilities)"], changes);
        Assert.Equal(
            [("crm", before + 1), ("empty", before)],
            (await installed.ReadAsync(db => db.Skillsets.OrderBy(s => s.Name).ToListAsync(Cancel))).Select(s => (s.Name, s.Version)));
    }

    [Fact]
    public async Task An_export_of_everything_changes_nothing_and_holds_no_credential()
    {
        await using var installed = await FullFile.InstalledAsync(postgres);
        await installed.ApplyAsync("workspaces: [ { name: default } ]");
        await installed.ApplyAsync(FullFile.Yaml, environment: FullFile.Variables);

        var exported = await installed.ExportAsync();
        var version = await VersionAsync(installed);
        var changes = await installed.ApplyAsync(exported, new ApplyOptions(Prune: true));

        Assert.True(changes.Count == 0, $"{string.Join('\n', changes)}\n{exported}");
        Assert.Equal(version, await VersionAsync(installed));
        Assert.Equal(2, await installed.ReadAsync(db => db.DatasetFiles.CountAsync(Cancel)));
        Assert.DoesNotContain("hidden", exported, StringComparison.Ordinal);
        Assert.Contains(
            "        # its files are not in an export, and stay while 'files' is left out: handbook/more/deep/shipping.txt, handbook/returns.md\n",
            exported, StringComparison.Ordinal);
        Assert.Contains("web: { search: { kind: brave, url: \"http://searx.internal:8080\", keepCredentials: true }, fetch: true }\n", exported, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_export_of_one_database_with_its_credentials_is_the_whole_configuration_of_another()
    {
        await using var installed = await FullFile.InstalledAsync(postgres);
        await using var other = await Installed.InAsync(postgres);
        await installed.ApplyAsync(FullFile.Yaml, environment: FullFile.Variables);

        var exported = await installed.ExportAsync();
        Assert.Equal(
            ["expected a 'value': the database has none to keep for this secret", "expected 'apiKey' in place of 'keepCredentials': the database has none to keep"],
            (await other.RefusedAsync(exported)).Where(e => e.EndsWith("none to keep", StringComparison.Ordinal) || e.EndsWith("for this secret", StringComparison.Ordinal)).Select(e => e[(e.IndexOf(": expected", StringComparison.Ordinal) + 2)..]).Order(StringComparer.Ordinal).Reverse());
        await other.ApplyAsync(
            exported.Replace("keepCredentials: true", "apiKey: \"${WEB_SEARCH_API_KEY}\"", StringComparison.Ordinal)
                .Replace("      - name: crm-token\n", "      - name: crm-token\n        value: \"${ACME_CRM_TOKEN}\"\n", StringComparison.Ordinal),
            environment: FullFile.Variables);

        Assert.Equal(
            (await installed.ExportAsync()).Split('\n').Where(line => !line.Contains("# its files", StringComparison.Ordinal)),
            (await other.ExportAsync()).Split('\n'));
    }

    [Fact]
    public async Task What_is_left_to_the_api_is_made_once_and_handed_over_both_ways()
    {
        await using var installed = await Installed.InAsync(postgres);
        const string Yaml = """
            providers: [ { name: p, baseUrl: "http://127.0.0.1:9/v1", apiKey: hidden, managed: api } ]
            models: [ { name: m, deployments: [ { provider: p } ], managed: api } ]
            embeddingModels: [ { name: e, provider: p, dimensions: 3, managed: api } ]
            web: { fetch: true, managed: api }
            egress: { allow: [10.1.0.0/16], managed: api }
            workspaces:
              - name: w
                managed: api
                secrets: [ { name: s, value: hidden, managed: api } ]
                datasets: [ { name: d, managed: api } ]
                skillsets: [ { name: k, managed: api } ]
                bots: [ { id: b, model: m, managed: api } ]
            """;
        Assert.Equal(9 + 1, (await installed.ApplyAsync(Yaml)).Count);
        var version = await VersionAsync(installed);

        var again = await installed.ApplyAsync(
            Yaml.Replace("hidden", "other", StringComparison.Ordinal).Replace("id: b,", "id: b, name: Other,", StringComparison.Ordinal), new ApplyOptions(Prune: true));
        Assert.Equal([], again);
        Assert.Equal(version, await VersionAsync(installed));

        var adopted = await installed.ApplyAsync(Yaml.Replace(", managed: api", "", StringComparison.Ordinal).Replace("    managed: api\n", "", StringComparison.Ordinal));
        Assert.All(adopted, line => Assert.EndsWith(" (now managed by the file)", line, StringComparison.Ordinal));
        var back = await installed.ApplyAsync(Yaml);
        Assert.All(back, line => Assert.EndsWith(" (now managed by the API)", line, StringComparison.Ordinal));
        Assert.Equal((9, 9), (adopted.Count, back.Count));
    }

    [Theory]
    [InlineData("providers: [ { name: p, baseUrl: \"http://p.test\", apiKey: hidden, keepCredentials: true } ]", "'keepCredentials' keeps the 'apiKey' of the database; remove one of the two")]
    [InlineData("providers: [ { name: p, baseUrl: \"http://p.test\", keepCredentials: true } ]", "expected 'apiKey' or 'headers' in place of 'keepCredentials': the database has no such provider")]
    [InlineData("web: { managed: api }\negress: { allow: [] }", "'web' and 'egress' are managed together: write 'managed: api' in both or in neither")]
    [InlineData("workspaces: [ { name: w, datasets: [ { name: d, managed: api, files: [] } ] } ]", "a dataset with 'managed: api' has its files from the API; remove one of the two")]
    public async Task What_keeps_and_leaves_must_not_say_two_things(string yaml, string why)
    {
        await using var installed = await Installed.InAsync(postgres);

        Assert.EndsWith(why, Assert.Single(await installed.RefusedAsync(yaml)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_named_must_be_there_in_the_same_workspace()
    {
        await using var installed = await FullFile.InstalledAsync(postgres);
        await installed.ApplyAsync(FullFile.Yaml, environment: FullFile.Variables);

        var errors = await installed.RefusedAsync("""
            embeddingModels: [ { name: e, provider: none, dimensions: 3 } ]
            workspaces:
              - name: other
                datasets: [ { name: d, embeddingModel: none } ]
                skillsets: [ { name: s, abilities: [ { name: a, http: { url: "http://h/{secret:crm-token}", headers: { x: "{secret:more}" } } } ] } ]
                bots:
                  - id: b
                    model: m
                    datasets: [ { name: handbook } ]
                    skillsets: [crm]
                    team: [ { bot: support } ]
              - name: acme
                bots: [ { id: c, model: m, datasets: [ { name: handbook } ], skillsets: [crm], team: [ { bot: support } ] } ]
            """);

        Assert.Equal(
            [
                "gateway.yaml:1: embeddingModels[0].provider: there is no provider 'none', neither in this file nor in the database",
                "gateway.yaml:4: workspaces[0].datasets[0].embeddingModel: there is no embedding model 'none', neither in this file nor in the database",
                "gateway.yaml:5: workspaces[0].skillsets[0].abilities[0].http.url: there is no secret 'crm-token' in the workspace 'other', neither in this file nor in the database",
                "gateway.yaml:5: workspaces[0].skillsets[0].abilities[0].http.headers.x: there is no secret 'more' in the workspace 'other', neither in this file nor in the database",
                "gateway.yaml:9: workspaces[0].bots[0].datasets[0].name: there is no dataset 'handbook' in the workspace 'other', neither in this file nor in the database",
                "gateway.yaml:10: workspaces[0].bots[0].skillsets[0]: there is no skillset 'crm' in the workspace 'other', neither in this file nor in the database",
                "gateway.yaml:11: workspaces[0].bots[0].team[0].bot: there is no bot 'support' in the workspace 'other', neither in this file nor in the database",
            ],
            errors);
    }

    private static Task<long> VersionAsync(Installed installed) =>
        installed.ReadAsync(db => db.ConfigVersions.Select(v => v.Version).SingleAsync(Cancel));
}
