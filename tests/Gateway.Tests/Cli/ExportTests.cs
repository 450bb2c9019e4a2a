using Gateway.Tests.Support;

namespace Gateway.Tests.Cli;

/// <summary><c>gateway export</c>: what it prints is the configuration, and applying it changes nothing.</summary>
public sealed class ExportTests(TestPostgres postgres)
{
    private const string Yaml = """
        providers:
          - name: p-1
            baseUrl: http://127.0.0.1:9/v1
            apiKey: "${P_1_API_KEY}"
            headers: { X-Team: "${P_1_X_TEAM}" }
            maxConcurrency: 5
          - { name: p_1, baseUrl: "http://127.0.0.1:9/v1", apiKey: "${P_1_API_KEY_2}" }
        models:
          - name: big
            workspaces: [acme, default]
            deployments:
              - { provider: p-1, model: "vendor/big:2024", weight: 3 }
              - { provider: p_1, supportsPrefill: true }
            fallbacks: [small]
            timeouts: { idle: 5s }
            retries: 0
            breaker: { failureRate: 0.25, open: 1m }
            rescue: "off"
            dropParams: [logit_bias]
            contextTokens: 128000
            defaultOutputTokens: 4096
            price: { input: 2.50, cachedInput: 1.25, output: 10.00 }
          - { name: small, deployments: [ { provider: p-1 } ] }
          - { name: "*", deployments: [ { provider: p-1 } ] }
        workspaces:
          - name: acme
            limits: { rpm: 6000, budget: 100usd/day }
            secrets: [ { name: crm-token, value: "${ACME_CRM_TOKEN}" } ]
            bots:
              - id: support
                name: "Süß \"Support\" 😀: #1"
                description: "true"
                model: big
                backstory: |
                  You are "the" support of ACME: # 1
                    Costs are written $${5}.

                  Bye.
                parameters: { temperature: 0.20, stop: ["$${a}", "b\n"], response_format: { type: json_object }, n2: null }
                lockedParameters: [temperature]
                limits: { tpm: 5, concurrent: 2, budget: 7000tokens/month }
              - { id: spaces, model: big, backstory: "a\n   \nb\n" }
              - { id: open-end, model: big, backstory: "a\n  b" }
              - { id: "7", model: big, backstory: " \ttab\r\nand\u2028so\n\n" }
          - name: default
        """;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_exported_is_what_was_applied_without_its_credentials()
    {
        await using var gateway = await GatewayProcess.StartAsync(
            new GatewayLaunch
            {
                ConnectionString = await postgres.CreateDatabaseAsync(cancel: Cancel),
                Yaml = Yaml,
                Settings = new Dictionary<string, string>
                {
                    ["P_1_API_KEY"] = "hidden-1",
                    ["P_1_X_TEAM"] = "hidden-2",
                    ["P_1_API_KEY_2"] = "hidden-3",
                    ["ACME_CRM_TOKEN"] = "hidden-4",
                },
            },
            Cancel);

        var exported = await gateway.RunCommandAsync(["export"], Cancel);
        await File.WriteAllTextAsync(gateway.YamlFile + ".exported", exported.Output, Cancel);
        var applied = await gateway.RunCommandAsync(
            ["apply", "-f", gateway.YamlFile + ".exported", "--prune"], Cancel,
            ("P_1_API_KEY", "another"), ("P_1_X_TEAM", ""), ("P_1_API_KEY_2", ""), ("ACME_CRM_TOKEN", "another"));

        Assert.True(exported.ExitCode == 0, exported.ToString());
        Assert.DoesNotContain("hidden", exported.Output, StringComparison.Ordinal);
        Assert.True((applied.ExitCode, applied.Output) == (0, "= nothing to do\n"), $"{applied}\n{exported.Output}");
        Assert.Contains(
            "workspaces[0]: there is a budget in USD, under which models without a 'price' are refused: *, small\n", applied.Errors, StringComparison.Ordinal);
        Assert.StartsWith("warning: ", applied.Errors, StringComparison.Ordinal);
        Assert.StartsWith(
            "providers:\n  - name: p-1\n    baseUrl: \"http://127.0.0.1:9/v1\"\n    keepCredentials: true\n    maxConcurrency: 5\n    # its headers are not in an export, and stay while 'keepCredentials' is true: X-Team\n",
            exported.Output, StringComparison.Ordinal);
        Assert.Contains("        backstory: |\n          You are \"the\" support of ACME: # 1\n            Costs are", exported.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("timeouts: { connect", exported.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_export_of_nothing_but_a_first_start_is_its_workspace()
    {
        await using var gateway = await GatewayProcess.StartAsync(
            new GatewayLaunch { ConnectionString = await postgres.CreateDatabaseAsync(cancel: Cancel) }, Cancel);

        var exported = await gateway.RunCommandAsync(["export"], Cancel);

        Assert.Equal((0, "workspaces:\n  - name: default\n    managed: api\n", ""), (exported.ExitCode, exported.Output, exported.Errors));
    }
}
