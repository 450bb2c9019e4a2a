using System.Net;
using System.Text.Json.Nodes;
using Gateway.Tests.Support;
using Gateway.Usage;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Gateway.Tests.Usage;

/// <summary><c>GET /admin/v1/usage</c> over rows that a test wrote.</summary>
public sealed class UsageReportTests(SharedUsageGateway shared) : UsageTest(shared)
{
    private const string Range = "start=2026-11-01&end=2026-11-11";

    [Fact]
    public async Task Sums_are_grouped_as_asked_and_each_key_sees_its_own()
    {
        // Arrange
        var acmeAdmin = await Gateway.Process.CreateKeyAsync("acme", scopes: ["admin"], name: "=cmd()", cancel: Cancel);
        var otherAdmin = await Gateway.Process.CreateKeyAsync("other", scopes: ["admin"], name: "b,\"c\"", cancel: Cancel);
        await SeedAsync("acme", acmeAdmin.Id, "2026-11-02T00:00:00Z", "done", bot: null, usd: "0.25");
        await SeedAsync("acme", acmeAdmin.Id, "2026-11-02T23:59:59Z", "rescued", bot: "helper", usd: "0.5");
        await SeedAsync("acme", acmeAdmin.Id, "2026-11-03T00:00:00Z", "rate_limit_exceeded", bot: "helper", usd: "0");
        await SeedAsync("acme", Guid.NewGuid().ToString(), "2026-11-03T12:00:00Z", "caller_left", bot: null, usd: "NULL", estimated: true);
        await SeedAsync("other", otherAdmin.Id, "2026-11-03T12:00:00Z", "done", bot: null, usd: "1.5");
        await SeedAsync("acme", acmeAdmin.Id, "2026-11-11T00:00:00Z", "done", bot: null, usd: "100");
        await SeedAsync("acme", acmeAdmin.Id, "2026-10-31T23:59:59Z", "done", bot: null, usd: "100");
        using var operators = Gateway.Process.Client(GatewayProcess.AdminKey);
        using var acme = Gateway.Process.Client(acmeAdmin.Text);
        using var other = Gateway.Process.Client(otherAdmin.Text);

        // Act
        var days = await LinesAsync(acme, Range);
        var bots = await LinesAsync(acme, $"{Range}&group_by=bot,day&workspace=acme");
        var all = await LinesAsync(operators, $"{Range}&group_by=workspace");
        var one = await LinesAsync(operators, $"{Range}&group_by=model&workspace=other");
        var keys = await LinesAsync(operators, $"{Range}&group_by=key");
        var csv = await operators.GetAsync($"/admin/v1/usage?{Range}&group_by=key,day&format=csv", Cancel);

        // Assert
        Assert.Equal(
            """{"day":"2026-11-02","requests":2,"errors":0,"input_tokens":20,"cached_input_tokens":4,"output_tokens":40,"reasoning_tokens":6,"usd":0.75,"estimated_requests":0,"unpriced_requests":0}""",
            days[0]!.ToJsonString());
        Assert.Equal(
            """{"day":"2026-11-03","requests":2,"errors":1,"input_tokens":20,"cached_input_tokens":4,"output_tokens":40,"reasoning_tokens":6,"usd":0,"estimated_requests":1,"unpriced_requests":1}""",
            days[1]!.ToJsonString());
        Assert.Equal(2, days.Count);
        Assert.Equal([(null, "2026-11-02"), (null, "2026-11-03"), ("helper", "2026-11-02"), ("helper", "2026-11-03")], bots.Select(l => ((string?)l!["bot"], (string?)l["day"])));
        Assert.True(bots[0]!.AsObject().ContainsKey("bot"));
        Assert.Equal([("acme", 4), ("other", 1)], all.Select(l => ((string)l!["workspace"]!, (int)l["requests"]!)).Order());
        Assert.Equal(("m", 1.5m), ((string)one.Single()!["model"]!, (decimal)one.Single()!["usd"]!));
        Assert.Equal(["(none)", "=cmd()", "b,\"c\""], keys.Select(l => (string?)l!["key_name"] ?? "(none)").Order(StringComparer.Ordinal));
        var text = await csv.Content.ReadAsStringAsync(Cancel);
        Assert.Equal("text/csv", csv.Content.Headers.ContentType!.MediaType);
        Assert.StartsWith("key_id,key_name,day,requests,", text, StringComparison.Ordinal);
        Assert.Contains($"{acmeAdmin.Id},\"'=cmd()\",2026-11-02,2,0,20,4,40,6,0.75,0,0\r\n", text, StringComparison.Ordinal);
        Assert.Contains($"{otherAdmin.Id},\"b,\"\"c\"\"\",2026-11-03,1,", text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await other.GetAsync("/admin/v1/usage?workspace=acme", Cancel)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await other.GetAsync("/admin/v1/usage?workspace=nowhere", Cancel)).StatusCode);
        Assert.Single(await LinesAsync(other, $"{Range}&workspace=other"));
        Assert.Equal(HttpStatusCode.Forbidden, (await Gateway.Client.GetAsync("/admin/v1/usage", Cancel)).StatusCode);
    }

    [Fact]
    public async Task What_was_just_used_is_in_the_report_of_the_last_days()
    {
        Assert.Equal(200, await Gateway.AskAsync("now", cancel: Cancel));
        await Gateway.RowsAsync(1, Cancel);
        using var operators = Gateway.Process.Client(GatewayProcess.AdminKey);

        var line = Assert.Single(await LinesAsync(operators, "group_by=model,bot"))!;

        Assert.Equal(("m", null, 1), ((string)line["model"]!, (string?)line["bot"], (int)line["requests"]!));
    }

    [Fact]
    public async Task A_report_may_end_when_time_does()
    {
        await using var source = NpgsqlDataSource.Create(Gateway.ConnectionString);
        var report = new UsageReport(source, new UsageTable(source, NullLogger<UsageTable>.Instance));
        var end = DateTime.SpecifyKind(DateTime.MaxValue, DateTimeKind.Utc);

        var lines = await report.ReadAsync(new UsageQuestion(Guid.NewGuid(), end.AddYears(-1), end, [UsageGroup.Day], 10), Cancel);

        Assert.Empty(lines!.Lines);
    }

    [Fact]
    public async Task A_wrong_parameter_is_named()
    {
        using var operators = Gateway.Process.Client(GatewayProcess.AdminKey);
        foreach (var (query, param) in new[]
        {
            ("group_by=day,hour", "group_by"), ("group_by=", "group_by"), ("group_by=day,day", "group_by"), ("start=yesterday", "start"),
            ("end=2026-13-01", "end"), ("end=-5", "end"), ("end=99999999999999999", "end"), ("start=2026-11-02&end=2026-11-02", "start"),
            ("start=2020-01-01&end=2026-01-01", "start"), ("format=xml", "format"), ("workspace=", "workspace"), ("workspace=%00", "workspace"),
            ("groupby=day", "groupby"), ("start=2026-11-01&start=2026-11-02", "start"), ("end=0001-01-01", "end"),
            ("end=9999-12-31", "end"), ("end=9999-12-31T23:59:59.9999999Z", "end"), ("end=253402300799", "end"), ("end=9999-12-31T23:59:59-10:00", "end"),
        })
        {
            using var reply = await operators.GetAsync($"/admin/v1/usage?{query}", Cancel);
            var body = await reply.Content.ReadAsStringAsync(Cancel);

            Assert.True(reply.StatusCode == HttpStatusCode.BadRequest, $"{query}: {(int)reply.StatusCode} {body}");
            Assert.Equal((query, param), (query, (string?)JsonNode.Parse(body)!["error"]!["param"]));
        }
    }

    private static async Task<JsonArray> LinesAsync(HttpClient client, string query)
    {
        using var reply = await client.GetAsync($"/admin/v1/usage?{query}", Cancel);
        var body = await reply.Content.ReadAsStringAsync(Cancel);
        Assert.True(reply.IsSuccessStatusCode, body);
        var list = JsonNode.Parse(body)!;
        Assert.Equal("list", (string?)list["object"]);
        return list["data"]!.AsArray();
    }

    private Task SeedAsync(
        string workspace, string key, string at, string reason, string? bot, string usd, bool estimated = false) =>
        Gateway.AddRowAsync(workspace, key, at, reason, bot, usd, estimated, Cancel);
}
