namespace Gateway.Tests.Admin.File;

public sealed class FileRulesTests
{
    [Fact]
    public void Names_are_there_once_in_their_scope()
    {
        var errors = Reading.Errors("""
            providers:
              - { name: p, baseUrl: http://h }
              - { name: p, baseUrl: http://i }
            models:
              - { name: m, deployments: [ { provider: p } ], dropParams: [user, user] }
              - { name: m, deployments: [ { provider: p } ], workspaces: [a, a] }
            workspaces:
              - name: a
                secrets: [ { name: s }, { name: s } ]
                bots:
                  - { id: b, model: m }
                  - { id: b, model: m }
              - name: a
            """);

        Assert.Equal(
        [
            "line 3, providers[1].name: 'p' is here already, on line 2",
            "line 5, models[0].dropParams[1]: 'user' is here already, on line 5",
            "line 6, models[1].workspaces[1]: 'a' is here already, on line 6",
            "line 6, models[1].name: 'm' is here already, on line 5",
            "line 9, workspaces[0].secrets[1].name: 's' is here already, on line 9",
            "line 12, workspaces[0].bots[1].id: 'b' is here already, on line 11",
            "line 13, workspaces[1].name: 'a' is here already, on line 8",
        ], errors);
    }

    [Fact]
    public void The_same_bot_and_secret_may_be_in_two_workspaces()
    {
        var file = Reading.Valid("""
            workspaces:
              - { name: a, secrets: [ { name: s } ], bots: [ { id: b, model: m } ] }
              - { name: c, secrets: [ { name: s } ], bots: [ { id: b, model: m } ] }
            """);

        Assert.Equal(2, file.Workspaces.Count);
    }

    [Theory]
    [InlineData("providers: [ { name: 'a b', baseUrl: http://h } ]", "providers[0].name")]
    [InlineData("providers: [ { name: '-a', baseUrl: http://h } ]", "providers[0].name")]
    [InlineData("models: [ { name: 'a b', deployments: [ { provider: p } ] } ]", "models[0].name")]
    [InlineData("models: [ { name: 'gpt-*', deployments: [ { provider: p } ] } ]", "models[0].name")]
    [InlineData("models: [ { name: m, deployments: [ { provider: p, model: '*' } ] } ]", "models[0].deployments[0].model")]
    [InlineData("models: [ { name: \"a\\e\", deployments: [ { provider: p } ] } ]", "models[0].name")]
    [InlineData("workspaces: [ { name: Acme } ]", "workspaces[0].name")]
    [InlineData("workspaces: [ { name: \"acme\\n\" } ]", "workspaces[0].name")]
    [InlineData("workspaces: [ { name: a, bots: [ { id: 'Ä', model: m } ] } ]", "workspaces[0].bots[0].id")]
    [InlineData("workspaces: [ { name: a, bots: [ { id: b, model: m, name: \"x\\ny\" } ] } ]", "workspaces[0].bots[0].name")]
    [InlineData("workspaces: [ { name: a, secrets: [ { name: 's}' } ] } ]", "workspaces[0].secrets[0].name")]
    public void A_name_that_could_not_be_used_is_refused(string yaml, string path) =>
        Assert.StartsWith($"line 1, {path}: expected ", Reading.Error(yaml), StringComparison.Ordinal);

    [Fact]
    public void A_name_has_at_most_200_characters()
    {
        Assert.Equal(200, Reading.Valid($"workspaces: [ {{ name: {new string('a', 200)} }} ]").Workspaces[0].Name.Length);
        Assert.Contains(
            "of at most 200 characters, got 'aaaa",
            Reading.Error($"workspaces: [ {{ name: {new string('a', 201)} }} ]"), StringComparison.Ordinal);
    }

    [Fact]
    public void The_model_star_cannot_have_another_name_upstream() =>
        Assert.Equal(
            "line 1, models[0].deployments[0].model: the model \"*\" passes the caller's name through; remove this field",
            Reading.Error("models: [ { name: \"*\", deployments: [ { provider: p, model: gpt-4o } ] } ]"));

    [Fact]
    public void The_model_star_may_be_at_several_providers_and_has_its_own_name_at_none() =>
        Assert.Equal(
            "line 1, models[0].deployments[1].model: the model \"*\" passes the caller's name through; remove this field",
            Reading.Error("models: [ { name: \"*\", deployments: [ { provider: p }, { provider: q, model: gpt-4o } ] } ]"));

    [Theory]
    [InlineData("m", "{ provider: p }", "{ provider: p }")]
    [InlineData("m", "{ provider: p }", "{ provider: p, model: m, weight: 3 }")]
    [InlineData("m", "{ provider: p, model: x }", "{ provider: p, model: x }")]
    [InlineData("\"*\"", "{ provider: p }", "{ provider: p }")]
    public void A_deployment_is_there_once(string name, string first, string second) =>
        Assert.Equal(
            "line 6, models[0].deployments[2]: the same model at the same provider is here already, on line 4; 'weight' gives it more of the traffic",
            Reading.Error($"models:\n  - name: {name}\n    deployments:\n      - {first}\n      - {{ provider: q }}\n      - {second}\n"));

    [Fact]
    public void A_model_falls_back_to_others_each_once() =>
        Assert.Equal(
        [
            "line 4, models[0].fallbacks[0]: a model cannot fall back to itself",
            "line 6, models[0].fallbacks[2]: 'n' is here already, on line 5",
            "line 7, models[0].fallbacks[3]: expected a model's name without spaces or '*', got '*'",
        ], Reading.Errors("""
            models:
              - name: m
                fallbacks:
                  - m
                  - n
                  - n
                  - "*"
                deployments: [ { provider: p } ]
            """));

    [Theory]
    [InlineData("retries: 6", "retries: expected a whole number from 0 to 5, got the number 6")]
    [InlineData("breaker: { failureRate: 0 }", "breaker.failureRate: expected a number above 0, up to 1, got the number 0")]
    [InlineData("breaker: { minimum: 0 }", "breaker.minimum: expected a whole number from 1 to 1000000000, got the number 0")]
    [InlineData("breaker: { open: 0s }", "breaker.open: expected a duration such as 30s, from 1ms to 24h, got '0s'")]
    [InlineData("rescue: on", "rescue: expected one of: off, prefill, replay, got 'on'")]
    [InlineData("contextTokens: 128k", "contextTokens: expected a whole number from 1 to 1000000000, got '128k'")]
    [InlineData("price: { output: 1 }", "price: the field 'input' is missing: Of a request's tokens.")]
    [InlineData("price: { input: -1 }", "price.input: expected a number from 0 to 1000000, got the number -1")]
    [InlineData("price: 2.50", "price: expected a map of fields, got the number 2.50")]
    public void How_a_model_is_operated_is_checked(string field, string error) =>
        Assert.Equal($"line 1, models[0].{error}", Reading.Error($"models: [ {{ name: m, deployments: [ {{ provider: p }} ], {field} }} ]"));

    [Theory]
    [InlineData("rpm: 0", "rpm: expected a whole number from 1 to 1000000000, got the number 0")]
    [InlineData("budget: 5usd", "budget: expected a budget such as 5usd/day or 2000000tokens/month, got '5usd'")]
    public void Limits_are_checked(string field, string error)
    {
        Assert.Equal($"line 1, workspaces[0].limits.{error}", Reading.Error($"workspaces: [ {{ name: w, limits: {{ {field} }} }} ]"));
        Assert.Equal($"line 6, workspaces[0].bots[0].limits.{error}", Assert.Single(Reading.BotErrors($"limits: {{ {field} }}")));
    }

    [Fact]
    public void Limits_of_a_turn_are_a_bots_alone()
    {
        Assert.Equal(
            "line 1, workspaces[0].limits.steps: unknown field 'steps'; expected one of: rpm, tpm, concurrent, budget",
            Reading.Error("workspaces: [ { name: w, limits: { steps: 5 } } ]"));
        Assert.Equal(
            "line 6, workspaces[0].bots[0].limits.rps: unknown field 'rps'; expected one of: rpm, tpm, concurrent, budget, steps, toolCalls, depth, seconds, turnBudget (did you mean 'rpm'?)",
            Assert.Single(Reading.BotErrors("limits: { rps: 5 }")));
    }

    [Theory]
    [InlineData("deployments: []", "deployments: expected at least one item; name the provider that serves the model")]
    [InlineData("deployments: [ { provider: p } ], workspaces: []", "workspaces: expected at least one item; leave the field out to show the model to all workspaces")]
    [InlineData("deployments: [ { provider: p } ], dropParams: [messages]", "dropParams[0]: 'messages' cannot be left out of a request")]
    public void A_model_that_could_not_answer_is_refused(string fields, string error) =>
        Assert.Equal($"line 1, models[0].{error}", Reading.Error($"models: [ {{ name: m, {fields} }} ]"));

    [Fact]
    public void Required_fields_that_are_missing_are_named_at_their_object() =>
        Assert.Equal(
        [
            "line 1, models[0]: the field 'deployments' is missing: Where the model runs.",
            "line 2, providers[0]: the field 'name' is missing: What models call this provider. Its identity.",
            "line 2, providers[0]: the field 'baseUrl' is missing: Where its OpenAI-compatible API is, such as https://api.openai.com/v1.",
        ], Reading.Errors("models: [ { name: m } ]\nproviders: [ {} ]"));

    [Theory]
    [InlineData("Content-Length: \"5\"", "headers.Content-Length: 'Content-Length' cannot be set here: the gateway sets it itself")]
    [InlineData("content-language: de", "headers.content-language: 'content-language' cannot be set here: it describes one body and cannot be sent with every request")]
    [InlineData("Content-Disposition: a", "headers.Content-Disposition: 'Content-Disposition' cannot be set here: it describes one body and cannot be sent with every request")]
    [InlineData("Content-Location: a", "headers.Content-Location: 'Content-Location' cannot be set here: it describes one body and cannot be sent with every request")]
    [InlineData("Content-Range: a", "headers.Content-Range: 'Content-Range' cannot be set here: it describes one body and cannot be sent with every request")]
    [InlineData("Content-MD5: a", "headers.Content-MD5: 'Content-MD5' cannot be set here: it describes one body and cannot be sent with every request")]
    [InlineData("ALLOW: a", "headers.ALLOW: 'ALLOW' cannot be set here: it describes one body and cannot be sent with every request")]
    [InlineData("Expires: a", "headers.Expires: 'Expires' cannot be set here: it describes one body and cannot be sent with every request")]
    [InlineData("Last-Modified: a", "headers.Last-Modified: 'Last-Modified' cannot be set here: it describes one body and cannot be sent with every request")]
    [InlineData("Content-Encoding: br", "headers.Content-Encoding: 'Content-Encoding' cannot be set here: the gateway sets it itself")]
    [InlineData("\"a b\": x", "headers['a b']: expected a header's name, got 'a b'")]
    [InlineData("a: x, A: y", "headers.A: 'A' is here already, on line 1")]
    [InlineData("a: Grüße", "headers.a: expected printable ASCII on one line")]
    [InlineData("a: [x]", "headers.a: expected printable ASCII on one line, got a list")]
    public void A_header_that_could_not_be_sent_is_refused(string header, string error) =>
        Assert.Equal($"line 1, providers[0].{error}", Reading.Error($"providers: [ {{ name: p, baseUrl: http://h, headers: {{ {header} }} }} ]"));

    [Fact]
    public void A_key_and_an_authorization_header_exclude_each_other() =>
        Assert.Equal(
            "line 1, providers[0].headers.Authorization: 'apiKey' is sent as this header; keep one of the two",
            Reading.Error("providers: [ { name: p, baseUrl: http://h, apiKey: k, headers: { Authorization: x } } ]"));

    [Fact]
    public void A_selector_in_place_of_a_models_name_shows_the_name() =>
        Assert.Equal(
            "line 1, workspaces[0].bots[0].model: expected the model's name alone, 'gpt-4o'",
            Reading.Error("workspaces: [ { name: w, bots: [ { id: b, model: model/name=gpt-4o } ] } ]"));

    [Fact]
    public void A_bot_cannot_use_a_model_that_its_workspace_does_not_see() =>
        Assert.Equal(
            "line 3, workspaces[0].bots[0].model: the model 'm' is not open to the workspace 'w'; see line 1",
            Reading.Error("models: [ { name: m, workspaces: [other], deployments: [ { provider: p } ] } ]\nworkspaces:\n  - { name: w, bots: [ { id: b, model: m } ] }"));
}
