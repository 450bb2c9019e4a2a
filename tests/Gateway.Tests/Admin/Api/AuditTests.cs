namespace Gateway.Tests.Admin.Api;

/// <summary><c>/admin/v1/audit</c>: who changed what, whether by the API, a file or a command.</summary>
public sealed class AuditTests(ApiSetup setup) : IClassFixture<ApiSetup>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_change_is_told_with_its_fields_and_never_a_value()
    {
        var since = DateTimeOffset.UtcNow.AddSeconds(-1).ToString("yyyy-MM-ddTHH:mm:ss.fffZ", null);
        await setup.MakeAsync("/workspaces", """{"name":"audited"}""");
        var key = await setup.Gateway.CreateKeyAsync("audited", scopes: ["admin"], name: "boss", cancel: Cancel);
        using var boss = setup.Gateway.Client(key.Text);
        await ApiSetup.SendAsync(boss, "POST", "/secrets", """{"name":"crm","value":"hidden-1"}""");
        await ApiSetup.SendAsync(boss, "PATCH", "/secrets/crm", """{"value":"hidden-2"}""");
        await ApiSetup.SendAsync(boss, "PATCH", "/secrets/crm", """{"value":"hidden-2"}""");
        await ApiSetup.SendAsync(boss, "POST", "/datasets", """{"name":"d"}""");
        await ApiSetup.SendAsync(boss, "PATCH", "/datasets/d", """{"search_max_records":7,"match_instruction":"hidden-3"}""");
        var record = (string)(await ApiSetup.SendAsync(boss, "POST", "/datasets/d/records", """{"text":"hidden-4"}""")).Json["id"]!;
        await ApiSetup.SendAsync(boss, "DELETE", $"/datasets/d/records/{record}");
        await ApiSetup.SendAsync(boss, "DELETE", "/datasets/d");
        await ApiSetup.SendAsync(boss, "POST", "/secrets", """{"name":"","value":"hidden-1"}""");
        await setup.Gateway.RunCommandAsync(["keys", "revoke", key.Id], Cancel);

        var all = await setup.SendAsync("GET", $"/audit?workspace=audited&since={since}");

        Assert.Equal(
            [
                $"command line revoked key boss ({key.Id}) ", "boss deleted dataset d ", $"boss deleted dataset_record d/{record} ",
                $"boss created dataset_record d/{record} ", "boss updated dataset d search_max_records match_instruction",
                "boss created dataset d ", "boss updated secret crm value", "boss created secret crm ", $"global admin created key boss ({key.Id}) ",
                "global admin created workspace audited ",
            ],
            Lines(all));
        Assert.DoesNotContain("hidden", all.Text, StringComparison.Ordinal);
        Assert.All(all.Json["data"]!.AsArray().Where(e => (string?)e!["actor"] == "boss"), e => Assert.Equal(key.Id, (string?)e!["key_id"]));

        var page = await setup.SendAsync("GET", $"/audit?workspace=audited&since={since}&kind=secret&limit=1");
        var rest = await setup.SendAsync("GET", $"/audit?workspace=audited&since={since}&kind=secret&after={page.Json["data"]![0]!["id"]}");
        Assert.True((bool)page.Json["has_more"]!);
        Assert.Equal(["boss updated secret crm value"], Lines(page));
        Assert.Equal(["boss created secret crm "], Lines(rest));
        Assert.Equal(["boss created dataset d "], Lines(await setup.SendAsync("GET", $"/audit?workspace=audited&subject=d&limit=1&after={all.Json["data"]![4]!["id"]}")));
    }

    [Fact]
    public async Task An_apply_is_told_by_who_applied_it_and_a_workspaces_key_sees_its_own()
    {
        var file = setup.Gateway.YamlFile + ".more";
        await System.IO.File.WriteAllTextAsync(file, "workspaces: [ { name: applied, limits: { rpm: 5 }, secrets: [ { name: s, value: hidden } ] } ]", Cancel);
        Assert.Equal(0, (await setup.Gateway.RunCommandAsync(["apply", "-f", file], Cancel)).ExitCode);
        var key = await setup.Gateway.CreateKeyAsync("applied", scopes: ["admin"], cancel: Cancel);
        using var client = setup.Gateway.Client(key.Text);

        var own = await ApiSetup.SendAsync(client, "GET", "/audit");
        var started = await setup.SendAsync("GET", "/audit?kind=provider&subject=filed");

        Assert.Equal(["command line created secret s ", "command line created workspace applied "], Lines(own).Skip(1).Order(StringComparer.Ordinal));
        Assert.All(own.Json["data"]!.AsArray(), e => Assert.Equal("applied", (string?)e!["workspace"]));
        Assert.Equal(["file created provider filed "], Lines(started));
        Assert.Equal("since", (await setup.SendAsync("GET", "/audit?since=yesterday")).Param);
    }

    [Fact]
    public async Task An_export_that_is_applied_changes_nothing_and_leaves_what_the_api_made_to_the_api()
    {
        await setup.MakeAsync("/workspaces", """{"name":"exported","limits":{"rpm":60,"budget":{"usd":5,"per":"day"}}}""");
        foreach (var sample in ApiSample.All("exported", "exported"))
        {
            await setup.MakeAsync(sample.Path, sample.Body);
        }

        await setup.SendAsync("PATCH", "/web", """{"fetch":true}""");
        await setup.SendAsync("PATCH", "/egress", """{"allow":["10.1.0.0/16"]}""");
        var file = setup.Gateway.YamlFile + ".exported";
        var exported = (await setup.SendAsync("GET", "/export")).Text;
        await System.IO.File.WriteAllTextAsync(file, exported, Cancel);
        var before = (await setup.SendAsync("GET", "/bots/support?workspace=exported")).Version;

        var applied = await setup.Gateway.RunCommandAsync(["apply", "-f", file, "--prune"], Cancel);

        Assert.True((applied.ExitCode, applied.Output) == (0, "= nothing to do\n"), $"{applied}\n{exported}");
        Assert.Equal(exported, (await setup.SendAsync("GET", "/export")).Text);
        Assert.Equal(before, (await setup.SendAsync("GET", "/bots/support?workspace=exported")).Version);
        Assert.Equal(200, (await setup.SendAsync("PATCH", "/bots/support?workspace=exported", """{"description":"Mine still."}""", before)).Status);
    }

    private static List<string> Lines(ApiReply page) => page.Json["data"]!.AsArray().Select(e =>
        $"{e!["actor"]} {e["action"]} {e["kind"]} {e["subject"]} {string.Join(' ', e["fields"]!.AsArray().Select(f => (string?)f))}").ToList();
}
