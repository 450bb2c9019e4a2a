using Gateway.Admin.File;

namespace Gateway.Tests.Admin.File;

public sealed class EnvironmentTextTests
{
    [Theory]
    [InlineData("a\"b")]
    [InlineData("a # b")]
    [InlineData("a: { b")]
    [InlineData("12345")]
    [InlineData("true")]
    [InlineData("${OTHER}")]
    public void A_variables_value_is_only_text_whatever_it_holds(string value)
    {
        var plain = Reading.Valid("providers:\n  - name: p\n    baseUrl: http://h\n    apiKey: ${KEY}\n", ("KEY", value));
        var quoted = Reading.Valid("providers: [ { name: p, baseUrl: http://h, apiKey: \"${KEY}\" } ]", ("KEY", value));

        Assert.Equal(value, plain.Providers[0].ApiKey!.Reveal());
        Assert.Equal(value, quoted.Providers[0].ApiKey!.Reveal());
    }

    [Theory]
    [InlineData("a-${A}-${B}-z", "a-1-2-z")]
    [InlineData("$${A}", "${A}")]
    [InlineData("$$${A}", "$${A}")]
    [InlineData("x$${A}${A}", "x${A}1")]
    [InlineData("$A {A} $ {", "$A {A} $ {")]
    [InlineData("${_UNDER_9}", "9")]
    [InlineData("${A:-x}", "1")]
    [InlineData("${EMPTY:-x}", "x")]
    [InlineData("a${EMPTY}", "a")]
    [InlineData("${NONE:-http://h:1/v1}-${NONE:-}", "http://h:1/v1-")]
    public void Variables_are_filled_in_and_doubled_dollars_stay(string source, string expected)
    {
        var bot = Reading.Valid(
            Reading.Bot($"backstory: \"{source}\""), ("A", "1"), ("B", "2"), ("_UNDER_9", "9"), ("EMPTY", "")).Workspaces[0].Bots[0];

        Assert.Equal(expected, bot.Backstory);
    }

    [Fact]
    public void A_variable_that_is_not_set_is_an_error_that_names_it() =>
        Assert.Equal(
            "line 6, workspaces[0].bots[0].backstory: the environment variable 'GONE' is not set",
            Assert.Single(Reading.BotErrors("backstory: \"${GONE}\"")));

    [Theory]
    [InlineData("${}")]
    [InlineData("${A")]
    [InlineData("${A-B}")]
    [InlineData("${A:x}")]
    [InlineData("${1A:-x}")]
    [InlineData("${1A}")]
    public void What_is_no_variable_is_an_error_that_tells_how_to_write_one(string source) =>
        Assert.Equal(
            "line 6, workspaces[0].bots[0].backstory: expected '${NAME}' or '${NAME:-otherwise}' with letters, digits and '_' in the name; write '$${' for a '${' that stays",
            Assert.Single(Reading.BotErrors($"backstory: \"{source}\"")));

    [Fact]
    public void An_empty_variable_is_told_apart_from_an_empty_field() =>
        Assert.Equal(
            "line 1, providers[0].apiKey: expected printable ASCII on one line, not empty (the environment variable is empty)",
            Reading.Error("providers: [ { name: p, baseUrl: http://h, apiKey: \"${KEY}\" } ]", ("KEY", "")));

    [Fact]
    public void An_error_never_shows_what_the_environment_holds()
    {
        var errors = Reading.Errors("""
            providers:
              - { name: "${KEY}", baseUrl: "${KEY}", apiKey: "${KEY}", headers: { a: "${KEY}" } }
            models:
              - { name: m, deployments: [ { provider: p } ], timeouts: { idle: "${KEY}" } }
            workspaces:
              - name: w
                secrets: [ { name: "${KEY}", value: "${KEY}" } ]
                bots: [ { id: "${KEY}", model: "${KEY}", parameters: { a: "${KEY}" } } ]
            """, ("KEY", "hidden value\n"));

        Assert.Equal(8, errors.Length);
        Assert.DoesNotContain(errors, e => e.Contains("hidden", StringComparison.Ordinal));
        Assert.Contains("line 4, models[0].timeouts.idle: expected a duration such as 30s, from 1ms to 24h, got '${KEY}'", errors);
    }

    [Fact]
    public void A_credential_in_the_file_itself_is_not_shown_either()
    {
        var error = Reading.Error("providers: [ { name: p, baseUrl: http://h, apiKey: \"hidden\\nkey\" } ]");

        Assert.Equal("line 1, providers[0].apiKey: expected printable ASCII on one line without control characters and line breaks", error);
    }

    [Fact]
    public void An_unquoted_variable_in_braces_is_told_to_be_quoted()
    {
        var error = Reading.Error("providers:\n  - { name: p, baseUrl: http://h, apiKey: ${KEY} }", ("KEY", "k"));

        Assert.StartsWith("line 2: this is not YAML: ", error, StringComparison.Ordinal);
        Assert.EndsWith("; inside braces or brackets write \"${…}\" in quotes", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Names_of_fields_are_not_filled_in() =>
        Assert.Contains(
            "unknown field '${KEY}'", Reading.Error("\"${KEY}\": 1", ("KEY", "providers")), StringComparison.Ordinal);

    [Fact]
    public void Without_an_environment_nothing_is_filled_in()
    {
        var errors = new List<FileError>();
        var (root, _) = YamlText.Parse("{ id: b, model: m, backstory: \"${HOME} $${x}\", parameters: { stop: \"${HOME}\" } }");

        var bot = new FileWalk(environment: null, errors).Read(root!, GatewayFileShape.Bot, new FilePlace(1, ""))!;

        Assert.Empty(errors);
        Assert.Equal(("${HOME} $${x}", """{"stop":"${HOME}"}"""), (bot.Text("backstory"), bot.Json("parameters")!.Text));
    }
}
