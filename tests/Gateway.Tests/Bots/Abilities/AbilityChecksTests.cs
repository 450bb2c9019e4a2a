using System.Text.Json;
using Gateway.Bots.Abilities;
using Gateway.Data;

namespace Gateway.Tests.Bots.Abilities;

/// <summary>What an owner is told of an ability that is not right.</summary>
public sealed class AbilityChecksTests
{
    private const string Parameters = """{"type":"object","properties":{"id":{"type":"string"},"q":{"type":"string"}}}""";

    [Theory]
    [InlineData("""{"url":"https://a.test/x/{id}?q={q}"}""", null)]
    [InlineData("""{"method":"POST","url":"http://a.test:8080","headers":{"authorization":"Bearer {secret:k}"},"body":{"a":["{id}"]},"timeout":10000,"maxBytes":262144,"pick":"/a"}""", null)]
    [InlineData("""{}""", "http.url: expected an absolute URL")]
    [InlineData("""{"url":5}""", "http.url: expected an absolute URL")]
    [InlineData("""{"url":"/x"}""", "http.url: expected an absolute http or https URL.")]
    [InlineData("""{"url":"ftp://a.test/"}""", "http.url: expected an absolute http or https URL.")]
    [InlineData("""{"url":"https://{id}.a.test/"}""", "http.url: expected a URL that begins with its scheme and host as they are")]
    [InlineData("""{"url":"{id}://a.test/"}""", "http.url: expected a URL that begins with its scheme and host as they are")]
    [InlineData("""{"url":"{id}"}""", "http.url: expected a URL that begins with its scheme and host as they are")]
    [InlineData("""{"url":"https://{secret:host}/"}""", "http.url: expected a URL that begins with its scheme and host as they are")]
    [InlineData("""{"url":"https://a.test:{id}/"}""", "http.url: expected a URL that begins with its scheme and host as they are")]
    [InlineData("""{"url":"https://a.test{id}"}""", "http.url: expected a URL that begins with its scheme and host as they are")]
    [InlineData("""{"url":"https://{id}@a.test/"}""", "http.url: expected a URL that begins with its scheme and host as they are")]
    [InlineData("""{"url":"https://u:p@a.test/"}""", "http.url: expected an absolute http or https URL. This request is not allowed: the URL has a user name in it.")]
    [InlineData("""{"url":"https://a.test:22/"}""", "http.url: expected an absolute http or https URL. This request is not allowed: port 22")]
    [InlineData("""{"url":"https://a.test/#x"}""", "http.url: expected a URL without '#'")]
    [InlineData("""{"url":"https://a.test/{ide}"}""", "http.url: '{ide}' is no parameter; they are: id, q.")]
    [InlineData("""{"url":"https://a.test","headers":{"x":"{nope}"}}""", "http.headers.x: '{nope}' is no parameter")]
    [InlineData("""{"url":"https://a.test","method":"POST","body":{"a":[{"b":"{nope}"}]}}""", "http.body.a[0].b: '{nope}' is no parameter")]
    [InlineData("""{"url":"https://a.test","headers":{"Host":"b.test"}}""", "http.headers.Host: this header is the gateway's own to write.")]
    [InlineData("""{"url":"https://a.test","headers":{"x y":"b"}}""", "http.headers.x y: expected a header's name")]
    [InlineData("""{"url":"https://a.test","headers":{"x":"b\r\nc: d"}}""", "http.headers.x: expected one line")]
    [InlineData("""{"url":"https://a.test","headers":{"x":5}}""", "http.headers.x: expected a string.")]
    [InlineData("""{"url":"https://a.test","headers":[]}""", "http.headers: expected an object")]
    [InlineData("""{"url":"https://a.test","headers":{"content-type":"{id}"}}""", "http.headers.content-type: a content type has no placeholders.")]
    [InlineData("""{"url":"https://a.test","method":"get"}""", "http.method: expected one of: GET")]
    [InlineData("""{"url":"https://a.test","method":"CONNECT"}""", "http.method: expected one of: GET")]
    [InlineData("""{"url":"https://a.test","body":"x"}""", "http.body: a GET request has none.")]
    [InlineData("""{"url":"https://a.test","timeout":0}""", "http.timeout: expected a whole number of milliseconds from 100 to 120000.")]
    [InlineData("""{"url":"https://a.test","timeout":"10s"}""", "http.timeout: expected a whole number of milliseconds")]
    [InlineData("""{"url":"https://a.test","maxBytes":99999999}""", "http.maxBytes: expected a whole number of bytes from 1 to 4194304.")]
    [InlineData("""{"url":"https://a.test","pick":"customer"}""", "http.pick: expected a JSON Pointer")]
    [InlineData("""{"url":"https://a.test","verify":false}""", "http.verify: unknown field; expected one of: method, url")]
    [InlineData("""[]""", "http: expected an object.")]
    public void An_http_ability_is_checked(string settings, string? mistake) => AssertFound(mistake, Check(AbilityKind.Http, settings, Parameters));

    [Theory]
    [InlineData("""{"url":"https://a.test/mcp","headers":{"authorization":"Bearer {secret:k}"},"tools":["search*","get"],"timeout":5000}""", "{}", null)]
    [InlineData("""{"url":"https://a.test/{secret:k}/mcp"}""", "{}", null)]
    [InlineData("""{"url":"https://{secret:k}/mcp"}""", "{}", "mcp.url: expected a URL that begins with its scheme and host as they are")]
    [InlineData("""{"url":"https://a.test/{id}"}""", "{}", "mcp.url: '{id}' is no secret")]
    [InlineData("""{"url":"https://a.test","tools":[]}""", "{}", "mcp.tools: expected names of tools")]
    [InlineData("""{"url":"https://a.test","tools":[1]}""", "{}", "mcp.tools: expected names of tools")]
    [InlineData("""{"url":"https://a.test","body":{}}""", "{}", "mcp.body: unknown field")]
    [InlineData("""{"url":"https://a.test"}""", Parameters, "parameters: an MCP server's tools have their own")]
    public void An_mcp_ability_is_checked(string settings, string parameters, string? mistake) =>
        AssertFound(mistake, Check(AbilityKind.Mcp, settings, parameters));

    [Theory]
    [InlineData("find_customer", true)]
    [InlineData("a-b_C9", true)]
    [InlineData("", false)]
    [InlineData("find customer", false)]
    [InlineData("fünf", false)]
    [InlineData("0123456789012345678901234567890123456789012345678901234567890123", true)]
    [InlineData("01234567890123456789012345678901234567890123456789012345678901234", false)]
    public void A_name_is_one_that_models_can_call(string name, bool isRight)
    {
        Assert.Equal(isRight, AbilityChecks.NameMistake(name) is null);
        Assert.Null(AbilityChecks.NameMistake(AbilityChecks.ToName(name)));
    }

    [Fact]
    public void The_secrets_that_an_ability_needs_are_known() =>
        Assert.Equal(
            ["a", "b.c", "d"],
            AbilityChecks.Secrets(JsonElement.Parse("""{"url":"https://x.test/{secret:a}","headers":{"x":"{secret:b.c}"},"body":["{secret:d} {secret:a}","{secret:}"]}"""))
                .Order(StringComparer.Ordinal));

    [Theory]
    [InlineData("search*", "search_pages", true)]
    [InlineData("search*", "research", false)]
    [InlineData("*", "", true)]
    [InlineData("a*b*c", "axxbyyc", true)]
    [InlineData("a*b*c", "acb", false)]
    [InlineData("a*a", "a", false)]
    [InlineData("get", "get", true)]
    [InlineData("get", "Get", false)]
    public void A_star_in_a_tools_name_stands_for_anything(string pattern, string tool, bool isOffered) =>
        Assert.Equal(isOffered, new McpSettings(Turns.Mcp($$"""{"url":"https://a.test","tools":["{{pattern}}"]}""")).Offers(tool));

    private static string Check(AbilityKind kind, string settings, string parameters) => string.Join(
        '\n', AbilityChecks.Of(kind, "call", JsonElement.Parse(parameters), JsonElement.Parse(settings)).Select(m => $"{m.Path}: {m.Why}"));

    private static void AssertFound(string? mistake, string found)
    {
        Assert.StartsWith(mistake ?? "", found, StringComparison.Ordinal);
        Assert.Equal(mistake is null, found.Length == 0);
        Assert.DoesNotContain('\n', found);
    }
}
