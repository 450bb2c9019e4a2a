namespace Gateway.Tests.Admin.File;

public sealed class FileErrorTests
{
    [Fact]
    public void All_errors_are_reported_in_the_order_of_the_lines()
    {
        var errors = Reading.Errors("""
            workspaces:
              - name: Acme!
                bots:
                  - { id: a, modle: gpt-4o }
            providers:
              - { name: p, baseUrl: ftp://example.com }
            models:
              - name: m
                fallbacks: x
                deployments: [ { provider: p } ]
                timeouts: { connect: abc }
            web: { fetch: yes }
            """);

        Assert.Equal(
        [
            "line 2, workspaces[0].name: expected a workspace's name: lower-case letters, digits, '_' and '-', got 'Acme!'",
            "line 4, workspaces[0].bots[0].modle: unknown field 'modle'; expected one of: id, name, description, model, backstory, parameters, lockedParameters, datasets, skillsets, webSearch, clientTools, team, limits, exposeSteps, managed (did you mean 'model'?)",
            "line 4, workspaces[0].bots[0]: the field 'model' is missing: The name of the model that it speaks with.",
            "line 6, providers[0].baseUrl: expected an address such as https://api.openai.com/v1, without a query or credentials, got 'ftp://example.com'",
            "line 9, models[0].fallbacks: expected a list, got 'x'",
            "line 11, models[0].timeouts.connect: expected a duration such as 30s, from 1ms to 24h, got 'abc'",
            "line 12, web.fetch: expected true or false, got 'yes'",
        ], errors);
    }

    [Theory]
    [InlineData("provider: []", "unknown field 'provider'; expected one of: providers, models, embeddingModels, web, egress, workspaces (did you mean 'providers'?)")]
    [InlineData("wrokspaces: []", "unknown field 'wrokspaces'; expected one of: providers, models, embeddingModels, web, egress, workspaces (did you mean 'workspaces'?)")]
    [InlineData("zebra: []", "unknown field 'zebra'; expected one of: providers, models, embeddingModels, web, egress, workspaces")]
    public void An_unknown_field_names_what_is_known_and_the_nearest(string yaml, string message) =>
        Assert.Equal($"line 1, {yaml[..yaml.IndexOf(':')]}: {message}", Reading.Error(yaml));

    [Fact]
    public void A_field_in_the_wrong_case_suggests_the_right_one() =>
        Assert.Contains(
            Reading.Errors("providers: [ { name: p, baseURL: http://h } ]"),
            e => e.EndsWith("(did you mean 'baseUrl'?)", StringComparison.Ordinal));

    [Fact]
    public void A_path_shows_free_names_so_that_they_cannot_be_mistaken_for_fields() =>
        Assert.Equal(
            "line 6, workspaces[0].bots[0].parameters['a.b'].c: expected a number that JSON can hold, got the number .inf",
            Assert.Single(Reading.BotErrors("parameters: { a.b: { c: .inf } }")));
}
