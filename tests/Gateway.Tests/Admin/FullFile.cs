namespace Gateway.Tests.Admin;

/// <summary>A file with everything that datasets, skillsets and bots can say, none of it a default.</summary>
internal static class FullFile
{
    public const string Yaml = """
        providers: [ { name: p, baseUrl: "http://127.0.0.1:9/v1" } ]
        models: [ { name: m, deployments: [ { provider: p } ], price: { input: 1 } } ]
        embeddingModels:
          - { name: vectors, provider: p, model: text-embedding-3-small, dimensions: 1536, price: { input: 0.02 } }
        web: { search: { kind: brave, url: "http://searx.internal:8080", apiKey: "${WEB_SEARCH_API_KEY}" }, fetch: true }
        egress: { allow: [searx.internal, 10.1.0.0/16] }
        workspaces:
          - name: acme
            secrets: [ { name: crm-token, value: "${ACME_CRM_TOKEN}" } ]
            datasets:
              - name: handbook
                description: "How: ACME works.\nAnd more."
                enabled: false
                files: ["./handbook/*.md", handbook/**/*.txt]
                language: english
                embeddingModel: vectors
                chunkTokens: 256
                overlapTokens: 32
                searchMaxRecords: 7
                searchMinScore: 0.25
                searchMaxTokens: 3000
                matchInstruction: Cite it.
                mismatchInstruction: Say that you do not know.
              - { name: plain }
            skillsets:
              - name: crm
                description: Customer records.
                enabled: false
                abilities:
                  - name: find_customer
                    description: Finds a customer.
                    parameters: { type: object, properties: { email: { type: string, description: "An $${address}." } }, required: [email] }
                    http:
                      method: POST
                      url: "https://crm.acme.test/customers?email={email}&key={secret:crm-token}"
                      headers: { authorization: "Bearer {secret:crm-token}", Content-Type: application/json }
                      body: |
                        { "email": "{email}",
                          "costs": "$${5}" }
                      timeout: 2500ms
                      maxBytes: 1000
                      pick: /customer/0
                  - { name: docs, description: The documents., mcp: { url: "https://mcp.acme.test/mcp", headers: { x-key: "{secret:crm-token}" }, tools: ["search*"], timeout: 1m } }
              - { name: empty }
            bots:
              - id: support
                model: m
                datasets: [ { name: handbook, mode: always }, { name: plain } ]
                skillsets: [crm, empty]
                webSearch: true
                clientTools: [ { type: function, function: { name: show_page, description: Shows a page., parameters: { type: object, properties: { page: { type: string } } }, strict: true } } ]
                team: [ { bot: billing, description: Questions about invoices., handoff: true }, { bot: other } ]
                limits: { rpm: 5, steps: 4, toolCalls: 16, depth: 2, seconds: 60, budget: 5usd/day, turnBudget: 0.50usd }
                exposeSteps: true
              - { id: billing, model: m, team: [ { bot: support } ] }
              - { id: other, model: m }
        """;

    public static readonly Dictionary<string, string> Variables = new()
    {
        ["WEB_SEARCH_API_KEY"] = "hidden-search",
        ["ACME_CRM_TOKEN"] = "hidden-token",
    };

    /// <summary>A migrated database beside the two files that the handbook names.</summary>
    public static async Task<Installed> InstalledAsync(Support.TestPostgres postgres)
    {
        var installed = await Installed.InAsync(postgres);
        await installed.WriteAsync("handbook/returns.md", "# Returns\n");
        await installed.WriteAsync("handbook/more/deep/shipping.txt", "Shipping.\n");
        return installed;
    }
}
