using Gateway.Admin.File;
using Gateway.Data;
using Gateway.Upstream;

namespace Gateway.Tests.Admin.File;

public sealed class GatewayFileReaderTests
{
    [Fact]
    public void A_provider_has_its_address_without_the_last_slash_its_key_and_its_headers()
    {
        var file = Reading.Valid("""
            providers:
              - name: azure
                baseUrl: "https://acme.openai.azure.com/openai/v1/"
                apiKey: "${AZURE_KEY}"
                headers: { x-team: "42", API-Version: "${VERSION}" }
                maxConcurrency: 500
            """, ("AZURE_KEY", "sk-1"), ("VERSION", "2024-10-21"));

        var provider = Assert.Single(file.Providers);
        Assert.Equal("azure", provider.Name);
        Assert.Equal("https://acme.openai.azure.com/openai/v1", provider.BaseUrl);
        Assert.Equal("sk-1", provider.ApiKey!.Reveal());
        Assert.Equal("42", provider.Headers["X-Team"].Reveal());
        Assert.Equal("2024-10-21", provider.Headers["api-version"].Reveal());
        Assert.Equal(500, provider.MaxConcurrency);
        Assert.Equal(new FilePlace(2, "providers[0]"), provider.At);
    }

    [Fact]
    public void A_provider_without_a_key_has_none()
    {
        var provider = Assert.Single(Reading.Valid(Reading.Provider).Providers);

        Assert.Null(provider.ApiKey);
        Assert.Null(provider.MaxConcurrency);
        Assert.Empty(provider.Headers);
    }

    [Fact]
    public void A_model_has_the_default_clocks_and_the_model_name_of_its_own()
    {
        var model = Assert.Single(Reading.Valid("models: [ { name: meta-llama/Llama-3.1:8b, deployments: [ { provider: p } ] } ]").Models);

        Assert.Equal("meta-llama/Llama-3.1:8b", model.Name);
        Assert.Equal(("p", "meta-llama/Llama-3.1:8b"), (model.Deployments[0].Provider, model.Deployments[0].Model));
        Assert.Equal(
            (TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(60), TimeSpan.FromMinutes(10)),
            (model.Timeouts.Connect, model.Timeouts.Headers, model.Timeouts.FirstContent, model.Timeouts.Idle, model.Timeouts.Total));
        Assert.Null(model.Workspaces);
        Assert.Empty(model.DropParams);
    }

    [Fact]
    public void A_model_has_everything_that_the_file_says()
    {
        var model = Assert.Single(Reading.Valid("""
            models:
              - name: fast
                workspaces: [acme, beta]
                deployments:
                  - provider: p
                    model: gpt-4o-mini
                timeouts: { connect: 500ms, total: 1h }
                dropParams: [logit_bias, user]
            """).Models);

        Assert.Equal(["acme", "beta"], model.Workspaces);
        Assert.Equal("gpt-4o-mini", model.Deployments[0].Model);
        Assert.Equal(TimeSpan.FromMilliseconds(500), model.Timeouts.Connect);
        Assert.Equal(TimeSpan.FromSeconds(60), model.Timeouts.Idle);
        Assert.Equal(TimeSpan.FromHours(1), model.Timeouts.Total);
        Assert.Equal(["logit_bias", "user"], model.DropParams);
    }

    [Fact]
    public void A_model_has_several_deployments_and_everything_that_is_done_when_one_fails()
    {
        var model = Reading.Valid("""
            models:
              - name: fast
                deployments:
                  - { provider: p, weight: 3, supportsPrefill: true }
                  - { provider: p, model: other }
                fallbacks: [slow, slower]
                retries: 0
                breaker: { failureRate: 0.25, minimum: 7, window: 1m, open: 500ms }
                rescue: replay
                contextTokens: 128000
                defaultOutputTokens: 4096
                price: { input: 2.50, cachedInput: 1.25, output: 10.00 }
            """).Models[0];

        Assert.Equal(
            [("p", "fast", 3, true), ("p", "other", 1, false)],
            model.Deployments.Select(d => (d.Provider, d.Model, d.Weight, d.SupportsPrefill)));
        Assert.Equal(["slow", "slower"], model.Fallbacks);
        Assert.Equal(new BreakerOptions(0.25, 7, TimeSpan.FromMinutes(1), TimeSpan.FromMilliseconds(500)), model.Breaker);
        Assert.Equal((0, RescueMode.Replay, 128_000, 4_096), (model.Retries, model.Rescue, model.ContextTokens, model.DefaultOutputTokens));
        Assert.Equal(new ModelPrice(2.5m, 1.25m, 10m), model.Price);
    }

    [Fact]
    public void A_model_is_operated_by_the_documented_defaults()
    {
        var model = Reading.Valid("models: [ { name: m, deployments: [ { provider: p } ], breaker: { minimum: 9 } } ]").Models[0];

        Assert.Empty(model.Fallbacks);
        Assert.Equal(new BreakerOptions(0.5, 9, TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(10)), model.Breaker);
        Assert.Equal((2, RescueMode.Prefill), (model.Retries, model.Rescue));
        Assert.Null(model.ContextTokens);
        Assert.Null(model.DefaultOutputTokens);
        Assert.Null(model.Price);
    }

    [Fact]
    public void A_price_of_input_alone_holds_for_cached_input_and_leaves_output_free() =>
        Assert.Equal(
            new ModelPrice(0.02m, 0.02m, 0),
            Reading.Valid("models: [ { name: m, deployments: [ { provider: p } ], price: { input: 0.02 } } ]").Models[0].Price);

    [Fact]
    public void Workspaces_and_bots_have_limits_and_empty_ones_are_none()
    {
        var workspaces = Reading.Valid("""
            workspaces:
              - name: a
                limits: { rpm: 6000, tpm: 2000000, concurrent: 200, budget: 100usd/day }
                bots: [ { id: b, model: m, limits: { budget: 5000tokens/month } }, { id: c, model: m, limits: {} } ]
              - { name: b, limits: {} }
              - { name: c }
            """).Workspaces;

        Assert.Equal(new LimitValues(6_000, 2_000_000, 200, new Budget(100, null, BudgetPer.Day)), workspaces[0].Limits);
        Assert.Equal(new LimitValues(null, null, null, new Budget(null, 5_000, BudgetPer.Month)), workspaces[0].Bots[0].Limits);
        Assert.All((LimitValues?[])[workspaces[0].Bots[1].Limits, workspaces[1].Limits, workspaces[2].Limits], Assert.Null);
    }

    [Fact]
    public void The_model_star_passes_the_callers_name_through()
    {
        var model = Assert.Single(Reading.Valid("""models: [ { name: "*", deployments: [ { provider: p } ] } ]""").Models);

        Assert.Equal("*", model.Name);
        Assert.Null(model.Deployments[0].Model);
    }

    [Fact]
    public void A_bot_has_everything_that_the_file_says()
    {
        var bot = Assert.Single(Assert.Single(Reading.Valid(Reading.Bot("""
            name: Support
            description: First line.
            backstory: |
              You are "support" # not a comment
              {date}
            parameters: { temperature: 0.2 }
            lockedParameters: [temperature]
            """)).Workspaces).Bots);

        Assert.Equal(("support", "Support", "First line.", "gpt-4o"), (bot.Id, bot.Name, bot.Description, bot.Model));
        Assert.Equal("You are \"support\" # not a comment\n{date}\n", bot.Backstory);
        Assert.Equal("""{"temperature":0.2}""", bot.ParametersJson);
        Assert.Equal(["temperature"], bot.LockedParameters);
        Assert.Equal(new FilePlace(4, "workspaces[0].bots[0]"), bot.At);
    }

    [Fact]
    public void A_bot_with_an_id_and_a_model_is_enough()
    {
        var bot = Reading.Valid("workspaces: [ { name: a, bots: [ { id: b, model: m } ] } ]").Workspaces[0].Bots[0];

        Assert.Equal((null, null, null, "{}"), (bot.Name, bot.Description, bot.Backstory, bot.ParametersJson));
        Assert.Empty(bot.LockedParameters);
    }

    [Fact]
    public void A_secret_without_a_value_keeps_what_the_database_has()
    {
        var secrets = Reading.Valid("""
            workspaces:
              - name: acme
                secrets: [ { name: crm-token, value: "${CRM}" }, { name: kept } ]
            """, ("CRM", "t-1")).Workspaces[0].Secrets;

        Assert.Equal("t-1", secrets[0].Value!.Reveal());
        Assert.Null(secrets[1].Value);
    }

    [Fact]
    public void Records_that_hold_credentials_do_not_print_them()
    {
        var file = Reading.Valid("""
            providers: [ { name: p, baseUrl: "http://h", apiKey: hidden-1, headers: { x-key: hidden-2 } } ]
            workspaces: [ { name: w, secrets: [ { name: s, value: hidden-3 } ] } ]
            """);

        var printed = $"{file} {file.Providers[0]} {file.Providers[0].Headers["x-key"]} {file.Workspaces[0]} {file.Workspaces[0].Secrets[0]}";

        Assert.Contains("[secret]", printed, StringComparison.Ordinal);
        Assert.DoesNotContain("hidden", printed, StringComparison.Ordinal);
        Assert.DoesNotContain("hidden", System.Text.Json.JsonSerializer.Serialize(file.Providers[0].ApiKey), StringComparison.Ordinal);
    }

    [Fact]
    public void References_are_kept_with_line_and_path_for_what_only_the_database_can_tell()
    {
        var file = Reading.Valid("""
            providers: [ { name: here, baseUrl: "http://h" } ]
            models:
              - name: a
                workspaces: [acme, elsewhere]
                deployments: [ { provider: here } ]
              - name: b
                deployments: [ { provider: gone } ]
                fallbacks: [a, d]
            workspaces:
              - name: acme
                bots: [ { id: x, model: a }, { id: y, model: c } ]
            """);

        Assert.Equal(
        [
            "Workspace acme True 4 models[0].workspaces[0]",
            "Workspace elsewhere False 4 models[0].workspaces[1]",
            "Provider here True 5 models[0].deployments[0].provider",
            "Provider gone False 7 models[1].deployments[0].provider",
            "Model a True 8 models[1].fallbacks[0]",
            "Model d False 8 models[1].fallbacks[1]",
            "Model a True 11 workspaces[0].bots[0].model",
            "Model c False 11 workspaces[0].bots[1].model",
        ], file.References.Select(r => $"{r.Kind} {r.Name} {r.IsInFile} {r.At.Line} {r.At.Path}"));
        Assert.Equal(
            "line 7, models[1].deployments[0].provider: there is no provider 'gone', neither in this file nor in the database",
            file.References[3].ToError().ToString());
    }

    [Fact]
    public void With_a_model_star_in_the_file_any_model_of_a_bot_is_in_the_file()
    {
        var file = Reading.Valid("""
            models: [ { name: "*", deployments: [ { provider: p } ] } ]
            workspaces: [ { name: w, bots: [ { id: b, model: anything } ] } ]
            """);

        Assert.True(Assert.Single(file.References, r => r.Kind == FileReferenceKind.Model).IsInFile);
    }

    [Fact]
    public void Bytes_are_read_with_and_without_a_byte_order_mark()
    {
        byte[] yaml = [.. "workspaces: [ { name: w, bots: [ { id: b, model: m, name: Grüße } ] } ]"u8];

        var plain = GatewayFileReader.Read(yaml, _ => null);
        var marked = GatewayFileReader.Read([0xEF, 0xBB, 0xBF, .. yaml], _ => null);

        Assert.Equal("Grüße", plain.File!.Workspaces[0].Bots[0].Name);
        Assert.Equal("Grüße", marked.File!.Workspaces[0].Bots[0].Name);
    }

    [Fact]
    public void An_alias_stands_for_what_its_anchor_holds()
    {
        var file = Reading.Valid("""
            models:
              - { name: a, deployments: &where [ { provider: p, model: m } ], timeouts: &slow { total: 1h } }
              - { name: b, deployments: *where, timeouts: *slow }
            """);

        Assert.Equal(("p", "m"), (file.Models[1].Deployments[0].Provider, file.Models[1].Deployments[0].Model));
        Assert.Equal(TimeSpan.FromHours(1), file.Models[1].Timeouts.Total);
    }

    [Fact]
    public void Empty_braces_define_nothing()
    {
        var file = Reading.Valid("{}");

        Assert.Empty(file.Providers);
        Assert.Empty(file.Models);
        Assert.Empty(file.Workspaces);
    }
}
