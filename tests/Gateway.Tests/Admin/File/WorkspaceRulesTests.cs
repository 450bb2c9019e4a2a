namespace Gateway.Tests.Admin.File;

/// <summary>What is refused of web settings, datasets, skillsets and bots by the file alone.</summary>
public sealed class WorkspaceRulesTests
{
    [Theory]
    [InlineData("embeddingModels: [ { name: e, provider: p } ]", "embeddingModels[0]: the field 'dimensions' is missing: How many numbers a vector has.")]
    [InlineData("embeddingModels: [ { name: e, provider: p, dimensions: 0 } ]", "embeddingModels[0].dimensions: expected a whole number from 1 to 16000, got the number 0")]
    [InlineData("embeddingModels: [ { name: e, provider: p, dimensions: 3, price: { output: 1, input: 1 } } ]", "embeddingModels[0].price.output: unknown field 'output'; expected one of: input")]
    [InlineData("web: { search: { kind: google, url: \"http://h\" } }", "web.search.kind: expected one of: searxng, brave, tavily, got 'google'")]
    [InlineData("web: { search: { kind: searxng } }", "web.search: the field 'url' is missing: where the SearXNG is, such as http://searx.internal:8080")]
    [InlineData("web: { search: { kind: searxng, url: \"http://h\", apiKey: k } }", "web.search.apiKey: a SearXNG takes no key; remove this field")]
    [InlineData("web: { search: { kind: tavily } }", "web.search: the field 'apiKey' is missing: tavily answers nobody without one")]
    [InlineData("web: { search: { kind: brave, apiKey: \"a\\nb\" } }", "web.search.apiKey: expected printable ASCII on one line without control characters and line breaks")]
    [InlineData("egress: { allow: [\"a b\"] }", "egress.allow[0]: expected a host's name, an address or a network such as 10.1.0.0/16, got 'a b'")]
    [InlineData("egress: { allow: [10.1.2.3/16] }", "egress.allow[0]: expected a host's name, an address or a network without bits behind its prefix, such as 10.1.0.0/16, got '10.1.2.3/16'")]
    public void Settings_of_everybody_are_checked(string yaml, string error) => Assert.Equal($"line 1, {error}", Reading.Error(yaml));

    [Fact]
    public void Private_places_are_names_addresses_and_networks() =>
        Assert.Equal(
            ["searx.internal", "localhost", "10.1.2.3", "fd00::1", "10.1.0.0/16", "fd00::/8"],
            Reading.Valid("egress: { allow: [searx.internal, localhost, 10.1.2.3, \"fd00::1\", 10.1.0.0/16, \"fd00::/8\"] }").Egress!.Allow);

    [Theory]
    [InlineData("name: a b", "name: expected a dataset's name: letters, digits, '.', '_' and '-', a letter or digit first, got 'a b'")]
    [InlineData("chunkTokens: 10", "chunkTokens: expected a whole number from 32 to 8192, got the number 10")]
    [InlineData("chunkTokens: 64, overlapTokens: 64", "overlapTokens: expected less than the 64 of 'chunkTokens'")]
    [InlineData("overlapTokens: 512", "overlapTokens: expected less than the 512 of 'chunkTokens'")]
    [InlineData("searchMinScore: 2", "searchMinScore: expected a number from 0 to 1, got the number 2")]
    [InlineData("language: English", "language: expected a text search configuration of Postgres, such as english, got 'English'")]
    [InlineData("files: a.md", "files: expected a list, got 'a.md'")]
    [InlineData("files: [/etc/passwd]", "files[0]: expected a path relative to this file, such as ./handbook/*.md")]
    [InlineData("files: [a.md, a.md]", "files[1]: 'a.md' is here already, on line 1")]
    [InlineData("matchInstruction:", "matchInstruction: expected text; leave the field out if there is none, got nothing")]
    public void A_dataset_is_checked(string fields, string error)
    {
        var name = fields.StartsWith("name", StringComparison.Ordinal) ? "" : "name: d, ";
        Assert.Equal($"line 1, workspaces[0].datasets[0].{error}", Reading.Error($"workspaces: [ {{ name: w, datasets: [ {{ {name}{fields} }} ] }} ]"));
    }

    [Theory]
    [InlineData("", ": expected 'http' or 'mcp': what the ability does")]
    [InlineData("http: { url: \"http://h/\" }, mcp: { url: \"http://h/\" }", ".mcp: an ability is 'http' or 'mcp', not both; make two of it")]
    [InlineData("mcp: { url: \"http://h/\" }, parameters: { type: object }", ".parameters: the tools of an MCP server have parameters of their own; remove this field")]
    [InlineData("mcp: { url: \"http://h/\", tools: [] }", ".mcp.tools: expected at least one item; leave the field out to offer all of the server's tools")]
    [InlineData("mcp: { url: \"http://h/\", headers: { Accept: x } }", ".mcp.headers.Accept: 'Accept' cannot be set here: the gateway sets it itself")]
    [InlineData("http: { url: \"http://h/\", headers: { host: x } }", ".http.headers.host: 'host' cannot be set here: the gateway sets it itself")]
    [InlineData("http: { url: \"http://h/\", headers: { x: \"sk-secret\\n\" } }", ".http.headers.x: expected printable ASCII on one line without control characters and line breaks")]
    [InlineData("http: { url: \"http://h/\", method: get }", ".http.method: expected one of: GET, POST, PUT, PATCH, DELETE, HEAD, got 'get'")]
    [InlineData("http: { url: \"http://h/\", timeout: 11m }", ".http.timeout: expected a duration such as 30s, from 1ms to 10m, got '11m'")]
    [InlineData("http: { url: \"http://h/\", pick: customer }", ".http.pick: expected a JSON Pointer such as /customer, got 'customer'")]
    [InlineData("http: { url: \"http://h/\" }, parameters: { email: { type: string } }", ".parameters: expected the JSON Schema of an object: 'type: object' and 'properties'")]
    [InlineData("http: { url: \"http://h/\" }, parameters: { type: object, properties: [email] }", ".parameters.properties: expected a map of the arguments, each with its schema")]
    [InlineData("http: { }", ".http: the field 'url' is missing: Where it is; {parameter} and {secret:name} are filled in behind the host.")]
    public void An_ability_is_checked(string fields, string error) =>
        Assert.Equal(
            $"line 1, workspaces[0].skillsets[0].abilities[0]{error}",
            Reading.Error($"workspaces: [ {{ name: w, skillsets: [ {{ name: s, abilities: [ {{ name: a, {fields} }} ] }} ] }} ]"));

    [Theory]
    [InlineData("ftp://h/")]
    [InlineData("http://{host}/")]
    [InlineData("{scheme}://h/")]
    [InlineData("http://user:password@h/")]
    [InlineData("http://h{secret:x}/")]
    [InlineData("http://h\\\\@x/")]
    [InlineData("http://h/a b")]
    [InlineData("//h/")]
    public void An_ability_whose_host_is_not_its_owners_is_refused(string url) =>
        Assert.StartsWith(
            "line 1, workspaces[0].skillsets[0].abilities[0].http.url: expected an address such as ",
            Reading.Error($"workspaces: [ {{ name: w, skillsets: [ {{ name: s, abilities: [ {{ name: a, http: {{ url: \"{url}\" }} }} ] }} ] }} ]"),
            StringComparison.Ordinal);

    [Theory]
    [InlineData("http://h")]
    [InlineData("https://h.test:8443/a/{b}?c={d}&e={secret:f}#g")]
    [InlineData("http://[::1]:80/")]
    [InlineData("http://h?q={q}")]
    public void An_abilitys_address_may_have_placeholders_behind_its_host(string url) =>
        Assert.Contains(url.Replace("&", "\\u0026", StringComparison.Ordinal), Reading.Valid(
            $"workspaces: [ {{ name: w, skillsets: [ {{ name: s, abilities: [ {{ name: a, http: {{ url: \"{url}\" }} }} ] }} ] }} ]")
            .Workspaces[0].Skillsets[0].Abilities[0].SettingsJson, StringComparison.Ordinal);

    [Theory]
    [InlineData("datasets: [handbook]", "datasets[0]: expected a map of fields, got 'handbook'")]
    [InlineData("datasets: [ { name: d, mode: often } ]", "datasets[0].mode: expected one of: tool, always, got 'often'")]
    [InlineData("datasets: [ { name: d }, { name: d, mode: always } ]", "datasets[1].name: 'd' is here already, on line 6")]
    [InlineData("skillsets: [s, s]", "skillsets[1]: 's' is here already, on line 6")]
    [InlineData("team: [ { bot: x }, { bot: x } ]", "team[1].bot: 'x' is here already, on line 6")]
    [InlineData("team: [ { bot: support } ]", "team[0].bot: a bot cannot be a member of its own team")]
    [InlineData("clientTools: [ { name: f } ]", "clientTools[0].name: unknown field 'name'; expected one of: type, function", "clientTools[0]: the field 'function' is missing: OpenAI's definition of a function.")]
    [InlineData("clientTools: [ { type: web_search, function: { name: f } } ]", "clientTools[0].type: expected one of: function, got 'web_search'")]
    [InlineData("clientTools: [ { function: { name: f } }, { function: { name: f } } ]", "clientTools[1].function.name: 'f' is here already, on line 6")]
    [InlineData("clientTools: [ { function: { name: f, parameters: { a: 1 } } } ]", "clientTools[0].function.parameters: expected the JSON Schema of an object: 'type: object' and 'properties'")]
    [InlineData("limits: { steps: 0 }", "limits.steps: expected a whole number from 1 to 100, got the number 0")]
    [InlineData("limits: { turnBudget: 5usd/day }", "limits.turnBudget: expected an amount such as 0.50usd, got '5usd/day'")]
    [InlineData("limits: { turnBudget: 0usd }", "limits.turnBudget: expected an amount such as 0.50usd, got '0usd'")]
    public void A_bot_is_checked(string fields, params string[] errors) =>
        Assert.Equal(errors.Select(e => $"line 6, workspaces[0].bots[0].{e}"), Reading.BotErrors(fields));

    [Fact]
    public void Bots_may_be_in_each_others_teams() =>
        Assert.Equal(2, Reading.Valid(
            "workspaces: [ { name: w, bots: [ { id: a, model: m, team: [ { bot: b } ] }, { id: b, model: m, team: [ { bot: a } ] } ] } ]").Workspaces[0].Bots.Count);
}
