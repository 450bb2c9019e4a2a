using System.Text.RegularExpressions;
using Gateway.Admin.File;

namespace Gateway.Tests.Admin.File;

/// <summary>The file with every feature that is specified: none of its fields may be called unknown.</summary>
public sealed partial class CompleteFileTests
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
    public void The_complete_file_is_refused_for_nothing_but_what_is_not_built() =>
        Assert.Equal(
        [
            "embeddingModels",
            "web",
            "egress",
            "workspaces[0].datasets",
            "workspaces[0].skillsets",
            "workspaces[0].bots[0].datasets",
            "workspaces[0].bots[0].skillsets",
            "workspaces[0].bots[0].webSearch",
            "workspaces[0].bots[0].clientTools",
            "workspaces[0].bots[0].team",
            "workspaces[0].bots[0].limits.steps",
            "workspaces[0].bots[0].limits.toolCalls",
            "workspaces[0].bots[0].limits.depth",
            "workspaces[0].bots[0].limits.seconds",
            "workspaces[0].bots[0].limits.turnBudget",
            "workspaces[0].bots[0].exposeSteps",
        ], Read().Where(e => e.Message.EndsWith("is not built in this version; remove it", StringComparison.Ordinal)).Select(e => e.Path));

    [Fact]
    public void No_error_of_the_complete_file_is_of_another_kind() =>
        Assert.All(Read(), e => Assert.Matches(NotBuiltMessage(), e.Message));

    private static IReadOnlyList<FileError> Read() => GatewayFileReader.Read(Complete, _ => "from-the-environment").Errors;

    [GeneratedRegex("^'[A-Za-z ]+' is not built in this version; remove it$")]
    private static partial Regex NotBuiltMessage();
}
