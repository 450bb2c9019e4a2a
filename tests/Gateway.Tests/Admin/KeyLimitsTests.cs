using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.Admin;
using Gateway.Admin.File;
using Gateway.Data;
using Gateway.Tests.Support;

namespace Gateway.Tests.Admin;

public sealed class KeyLimitsGateway(TestPostgres postgres) : SharedGateway(postgres);

/// <summary>Limits of keys in <c>/admin/v1/keys</c>: kept, shown, checked, and never handed on for more.</summary>
public sealed class KeyLimitsTests(KeyLimitsGateway shared) : IClassFixture<KeyLimitsGateway>
{
    private readonly GatewayProcess _gateway = shared.Gateway;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_key_is_made_and_shown_with_its_limits()
    {
        using var client = _gateway.Client(GatewayProcess.AdminKey);

        var made = await PostAsync(client, """
            {"workspace":"default","name":"n","rpm":60,"tpm":90000,"concurrent":5,"budget":{"per":"day","usd":5.50}}
            """);
        var tokens = await PostAsync(client, """{"workspace":"default","name":"t","budget":{"tokens":2e6,"per":"month"}}""");
        var free = await PostAsync(client, """{"workspace":"default","name":"f","rpm":null,"budget":null}""");
        var read = (await client.GetFromJsonAsync<JsonNode>($"/admin/v1/keys/{made.Body["id"]}", Cancel))!;
        var listed = (await client.GetFromJsonAsync<JsonNode>("/admin/v1/keys", Cancel))!["data"]!.AsArray();

        const string Limits = """{"rpm":60,"tpm":90000,"concurrent":5,"budget":{"usd":5.5,"per":"day"}}""";
        Assert.Equal((HttpStatusCode.OK, Limits), (made.Status, LimitsOf(made.Body)));
        Assert.Equal("""{"budget":{"tokens":2000000,"per":"month"}}""", LimitsOf(tokens.Body));
        Assert.Equal("{}", LimitsOf(free.Body));
        Assert.Equal(Limits, LimitsOf(read));
        Assert.Equal([Limits, """{"budget":{"tokens":2000000,"per":"month"}}""", "{}"], listed.Skip(listed.Count - 3).Select(k => LimitsOf(k!)));
    }

    [Fact]
    public async Task Limits_that_mean_nothing_are_refused_by_name()
    {
        (string Field, string Param)[] cases =
        [
            ("\"rpm\":0", "rpm"),
            ("\"rpm\":-5", "rpm"),
            ("\"rpm\":1.5", "rpm"),
            ("\"rpm\":\"5\"", "rpm"),
            ("\"tpm\":1000000001", "tpm"),
            ("\"tpm\":99999999999999999999", "tpm"),
            ("\"concurrent\":true", "concurrent"),
            ("\"budget\":5", "budget"),
            ("\"budget\":\"5usd/day\"", "budget"),
            ("\"budget\":{}", "budget"),
            ("\"budget\":{\"usd\":5}", "budget"),
            ("\"budget\":{\"per\":\"day\"}", "budget"),
            ("\"budget\":{\"usd\":0,\"per\":\"day\"}", "budget"),
            ("\"budget\":{\"usd\":-1,\"per\":\"day\"}", "budget"),
            ("\"budget\":{\"usd\":5,\"per\":\"week\"}", "budget"),
            ("\"budget\":{\"usd\":\"5\",\"per\":\"day\"}", "budget"),
            ("\"budget\":{\"usd\":5,\"tokens\":5,\"per\":\"day\"}", "budget"),
            ("\"budget\":{\"usd\":5,\"per\":\"day\",\"more\":1}", "budget"),
            ("\"budget\":{\"usd\":1e400,\"per\":\"day\"}", "budget"),
            ("\"budget\":{\"tokens\":1.5,\"per\":\"day\"}", "budget"),
            ("\"rps\":5", "rps"),
        ];
        using var client = _gateway.Client(GatewayProcess.AdminKey);

        foreach (var (field, param) in cases)
        {
            var (status, body) = await PostAsync(client, $$"""{"workspace":"default","name":"n",{{field}}}""");

            Assert.Equal((field, HttpStatusCode.BadRequest, param), (field, status, body["error"]?["param"]?.GetValue<string>()));
        }
    }

    [Fact]
    public async Task A_limited_key_makes_keys_with_its_own_limits_or_lower_ones_alone()
    {
        using var global = _gateway.Client(GatewayProcess.AdminKey);
        var admin = await PostAsync(
            global, """{"workspace":"default","name":"admin","scopes":["admin"],"rpm":60,"budget":{"usd":5,"per":"day"}}""");
        using var client = _gateway.Client(admin.Body["key"]!.GetValue<string>());

        var same = await PostAsync(client, """{"name":"n","rpm":60,"budget":{"usd":5,"per":"day"}}""");
        var less = await PostAsync(client, """{"name":"n","rpm":1,"tpm":9,"budget":{"usd":4,"per":"month"}}""");
        var more = await PostAsync(client, """{"name":"n","rpm":61,"budget":{"usd":5,"per":"day"}}""");
        var none = await PostAsync(client, """{"name":"n"}""");
        var noBudget = await PostAsync(client, """{"name":"n","rpm":60}""");
        var otherUnit = await PostAsync(client, """{"name":"n","rpm":60,"budget":{"tokens":5,"per":"day"}}""");

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (same.Status, less.Status));
        Assert.Equal(
            ["Invalid value for 'rpm': expected a number from 1 to 60, which is this key's own.",
                "Invalid value for 'rpm': expected a number from 1 to 60, which is this key's own.",
                "Invalid value for 'budget': expected at most 5usd/day, which is this key's own.",
                "Invalid value for 'budget': expected at most 5usd/day, which is this key's own."],
            new[] { more, none, noBudget, otherUnit }.Select(r => r.Body["error"]?["message"]?.GetValue<string>()));
    }

    [Theory]
    [InlineData("5usd/day", "5usd/day", true)]
    [InlineData("5usd/day", "5.01usd/day", false)]
    [InlineData("5usd/day", "5usd/month", true)]
    [InlineData("5usd/day", "6usd/month", false)]
    [InlineData("31usd/month", "1usd/day", true)]
    [InlineData("30usd/month", "1usd/day", false)]
    [InlineData("5usd/day", "1tokens/day", false)]
    [InlineData("100tokens/day", "100tokens/month", true)]
    [InlineData("100tokens/day", "101tokens/day", false)]
    [InlineData("5usd/day", null, false)]
    public void A_budget_is_within_another_when_no_day_and_no_month_takes_more(string own, string? wanted, bool isWithin)
    {
        static LimitValues Of(string budget) => new(null, null, null, FileBudget.Parse(budget)!);

        Assert.Equal(isWithin, KeyLimits.Beyond(Of(own), wanted is null ? null : Of(wanted)) is null);
    }

    private static string LimitsOf(JsonNode key) => new JsonObject(
        new[] { "rpm", "tpm", "concurrent", "budget" }.Where(name => key[name] is not null)
            .Select(name => KeyValuePair.Create(name, key[name]?.DeepClone()))).ToJsonString();

    private static async Task<(HttpStatusCode Status, JsonNode Body)> PostAsync(HttpClient client, string json)
    {
        using var content = new StringContent(json, Encoding.UTF8, "application/json");
        using var reply = await client.PostAsync("/admin/v1/keys", content, Cancel);
        return (reply.StatusCode, JsonNode.Parse(await reply.Content.ReadAsStringAsync(Cancel))!);
    }
}
