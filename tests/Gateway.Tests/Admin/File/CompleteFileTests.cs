using Gateway.Admin.File;
using Gateway.Data;

namespace Gateway.Tests.Admin.File;

/// <summary>The file with every feature that is specified: none of its fields may be called unknown.</summary>
public sealed class CompleteFileTests
{
    private const string Complete = """
        providers:                                  # global
          - { name: openai, baseUrl: https://api.openai.com/v1, apiKey: "${OPENAI_API_KEY}", maxConcurrency: 500, headers: { } }
        models:                                     # global; workspaces: [acme] restricts who sees one
          - name: gpt-4o
            deployments:
              - { provider: openai, model: gpt-4o-2024-11-20, weight: 3, supportsPrefill: false }   # model defaults to the name
              - { provider: azure, model: gpt4o-eu, weight: 1 }
            fallbacks: [gpt-4o-mini]                # models, in order, when every deployment has failed
            timeouts: { connect: 3s, headers: 60s, firstContent: 60s, idle: 60s, total: 10m }        # these are the defaults
            retries: 2                              # on the same deployment
            breaker: { failureRate: 0.5, minimum: 4, window: 30s, open: 10s }
            rescue: prefill                         # off | prefill | replay
            dropParams: [logit_bias]                # never sent to this model
            contextTokens: 128000
            defaultOutputTokens: 4096               # what a budget reserves when the caller gives no limit
            price: { input: 2.50, cachedInput: 1.25, output: 10.00 }       # USD per million tokens; absent = unknown
          - { name: "*", deployments: [ { provider: openai } ] }          # any other name, passed through
        embeddingModels: [ { name: text-embedding-3-small, provider: openai, dimensions: 1536, price: { input: 0.02 } } ]
        web: { search: { kind: searxng, url: "http://searx.internal:8080" }, fetch: true }           # kind: searxng | brave | tavily (apiKey)
        egress: { allow: [ "searx.internal", "10.1.0.0/16" ] }            # private places that bots may reach
        workspaces:
          - name: acme
            limits: { rpm: 6000, tpm: 2000000, concurrent: 200, budget: 100usd/day }    # also on keys and bots
            secrets:  [ { name: crm-token, value: "${CRM_TOKEN}" } ]
            datasets:
              - { name: handbook, description: How ACME works., files: ["./handbook/*.md"], language: english,
                  embeddingModel: text-embedding-3-small, chunkTokens: 512, overlapTokens: 64,
                  searchMaxRecords: 5, searchMinScore: 0, searchMaxTokens: 4000, matchInstruction: "", mismatchInstruction: "" }
            skillsets:
              - name: crm
                description: Customer records.
                enabled: true
                abilities:
                  - name: find_customer
                    description: Finds a customer by e-mail address.
                    parameters: { type: object, properties: { email: { type: string } }, required: [email] }
                    http: { method: GET, url: "https://crm.acme.test/customers?email={email}", headers: { authorization: "Bearer {secret:crm-token}" },
                            timeout: 10s, maxBytes: 262144, pick: /customer }
                  - { name: docs, mcp: { url: "https://mcp.acme.test/mcp", headers: { authorization: "Bearer {secret:crm-token}" }, tools: ["search*"] } }
            bots:
              - id: support                          # [a-z0-9_-], unique in the workspace
                name: Support
                description: First line of support.
                model: gpt-4o
                backstory: |
                  You are the support assistant of ACME. Today is {date}.
                parameters: { temperature: 0.2, max_tokens: 800 }
                lockedParameters: [temperature]      # a caller's own value is dropped and named in the header
                datasets:  [ { name: handbook, mode: tool } ]      # tool | always
                skillsets: [ crm ]
                webSearch: true
                clientTools: []                      # tools of the chat page (ChatKit)
                team:      [ { bot: billing, description: Questions about invoices., handoff: false } ]
                limits:    { steps: 8, toolCalls: 32, depth: 3, seconds: 120, budget: 5usd/day, turnBudget: 0.50usd }
                exposeSteps: false
        """;

    [Fact]
    public void The_complete_file_has_no_error() => Assert.Empty(Read().Errors.Select(e => e.ToString()));

    [Fact]
    public void The_complete_file_becomes_what_the_database_keeps()
    {
        var file = Read().File!;

        Assert.Equal(("text-embedding-3-small", "openai", "text-embedding-3-small", 1_536, 0.02m), file.EmbeddingModels.Select(m => (m.Name, m.Provider, m.Model, m.Dimensions, m.PriceInput)).Single());
        Assert.Equal((new FileSearch("searxng", "http://searx.internal:8080", null), true), (file.Web!.Search, file.Web.CanFetch));
        Assert.Equal(["searx.internal", "10.1.0.0/16"], file.Egress!.Allow);
        var workspace = Assert.Single(file.Workspaces);
        var dataset = Assert.Single(workspace.Datasets);
        Assert.Equal(
            ("handbook", "How ACME works.", true, "english", "text-embedding-3-small", 512, 64),
            (dataset.Name, dataset.Description, dataset.IsEnabled, dataset.Language, dataset.EmbeddingModel, dataset.ChunkTokens, dataset.OverlapTokens));
        Assert.Equal(
            (5, 0.0, 4_000, "", ""),
            (dataset.SearchMaxRecords, dataset.SearchMinScore, dataset.SearchMaxTokens, dataset.MatchInstruction, dataset.MismatchInstruction));
        Assert.Equal(["./handbook/*.md"], dataset.Files!.Select(f => f.Text));
        var abilities = Assert.Single(workspace.Skillsets).Abilities;
        Assert.Equal(
            [
                """{"method":"GET","url":"https://crm.acme.test/customers?email={email}","timeout":10000,"maxBytes":262144,"headers":{"authorization":"Bearer {secret:crm-token}"},"pick":"/customer"}""",
                """{"url":"https://mcp.acme.test/mcp","timeout":30000,"headers":{"authorization":"Bearer {secret:crm-token}"},"tools":["search*"]}""",
            ],
            abilities.Select(a => a.SettingsJson));
        Assert.Equal([AbilityKind.Http, AbilityKind.Mcp], abilities.Select(a => a.Kind));
        Assert.Equal(["""{"type":"object","properties":{"email":{"type":"string"}},"required":["email"]}""", "{}"], abilities.Select(a => a.ParametersJson));
        var bot = Assert.Single(workspace.Bots);
        Assert.Equal(
            ("""[{"name":"handbook","mode":"tool"}]""", """[{"bot":"billing","description":"Questions about invoices.","handoff":false}]""", "[]", true, false),
            (bot.DatasetsJson, bot.TeamJson, bot.ClientToolsJson, bot.WebSearch, bot.ExposeSteps));
        Assert.Equal(["crm"], bot.Skillsets);
        Assert.Equal(new FileTurn(8, 32, 3, 120, 0.50m), bot.Turn);
    }

    [Fact]
    public void What_a_dataset_a_skillset_and_a_bot_leave_out_is_as_documented()
    {
        var workspace = Reading.Valid("""
            workspaces:
              - name: a
                datasets: [ { name: d }, { name: small, chunkTokens: 100 } ]
                skillsets: [ { name: s, abilities: [ { name: h, http: { url: "http://h/" } } ] } ]
                bots: [ { id: b, model: m, datasets: [ { name: d } ], team: [ { bot: c } ], clientTools: [ { function: { name: f } } ] }, { id: c, model: m } ]
            """).Workspaces[0];

        var dataset = workspace.Datasets[0];
        Assert.Equal(("simple", null, 512, 64, 5, 4_000, true), (dataset.Language, dataset.EmbeddingModel, dataset.ChunkTokens, dataset.OverlapTokens, dataset.SearchMaxRecords, dataset.SearchMaxTokens, dataset.IsEnabled));
        Assert.Null(dataset.Files);
        Assert.Equal(50, workspace.Datasets[1].OverlapTokens);
        Assert.Equal("""{"method":"GET","url":"http://h/","timeout":10000,"maxBytes":262144}""", workspace.Skillsets[0].Abilities[0].SettingsJson);
        var bot = workspace.Bots[0];
        Assert.Equal(
            ("""[{"name":"d","mode":"tool"}]""", """[{"bot":"c","description":"","handoff":false}]""", """[{"type":"function","function":{"name":"f"}}]""", false, new FileTurn(null, null, null, null, null)),
            (bot.DatasetsJson, bot.TeamJson, bot.ClientToolsJson, bot.WebSearch, bot.Turn));
    }

    private static GatewayFileResult Read() => GatewayFileReader.Read(Complete, _ => "from-the-environment");
}
