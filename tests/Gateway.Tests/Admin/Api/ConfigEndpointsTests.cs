using System.Text.Json.Nodes;
using Gateway.Data;
using Microsoft.EntityFrameworkCore;

namespace Gateway.Tests.Admin.Api;

/// <summary>Objects of the file through the API: made, shown, changed in part, and deleted by the file's own rules.</summary>
public sealed class ConfigEndpointsTests(ApiSetup setup) : IClassFixture<ApiSetup>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Objects_of_every_kind_are_made_shown_changed_in_part_and_deleted()
    {
        await setup.MakeAsync("/workspaces", """{"name":"whole","limits":{"rpm":60,"budget":{"usd":5,"per":"day"}}}""");
        var samples = ApiSample.All("whole", "whole");
        foreach (var sample in samples)
        {
            var made = await setup.MakeAsync(sample.Path, sample.Body);
            Assert.Equal((sample.Kind, "api"), ((string?)made.Json["object"], (string?)made.Json["managed"]));
            Assert.DoesNotContain("hidden", made.Text, StringComparison.Ordinal);

            // What was read can be sent back, and is no change.
            var again = await setup.SendAsync("PATCH", sample.Item, made.Text);
            Assert.True((again.Status, again.Version) == (200, made.Version), $"{sample.Item}: {again.Status} {again.Text}\n{made.Text}");
            AssertSame(made, again);

            var changed = await setup.SendAsync("PATCH", sample.Item, sample.Change);
            Assert.True(changed.Status == 200, $"{sample.Item}: {changed.Text}");
            Assert.NotEqual(made.Version, changed.Version);
            Assert.Equal(sample.Changed, changed.Json[sample.Field]?.ToJsonString() ?? "null");
            var shown = await setup.SendAsync("GET", sample.Item);
            Assert.Equal(changed.Version, shown.Version);
            AssertSame(changed, shown);
        }

        await AssertExportedAsync();
        foreach (var sample in samples.Reverse())
        {
            var listed = await setup.SendAsync("GET", sample.Path);
            Assert.Contains($"\"{sample.Id}\"", listed.Text, StringComparison.Ordinal);
            Assert.Equal(200, (await setup.SendAsync("DELETE", sample.Item)).Status);
            Assert.Equal((404, "not_found"), ((await setup.SendAsync("GET", sample.Item)) is var gone ? gone.Status : 0, gone.Code));
        }

        Assert.Equal(200, (await setup.SendAsync("DELETE", "/workspaces/whole")).Status);
    }

    [Fact]
    public async Task A_credential_is_never_shown_and_stays_when_the_rest_changes()
    {
        await setup.MakeAsync("/providers", """{"name":"sealed","base_url":"http://127.0.0.1:9/v1","api_key":"hidden-1","headers":{"X-A":"hidden-2","X-B":"hidden-3"}}""");

        var changed = await setup.SendAsync("PATCH", "/providers/sealed", """{"max_concurrency":3,"headers":{"x-b":null,"X-C":"hidden-4"}}""");
        var cleared = await setup.SendAsync("PATCH", "/providers/sealed", """{"api_key":null}""");

        Assert.Equal((true, "[\"X-A\",\"X-C\"]"), ((bool)changed.Json["has_api_key"]!, changed.Json["header_names"]!.ToJsonString()));
        Assert.False((bool)cleared.Json["has_api_key"]!);
        using var box = new SecretBox(Convert.FromBase64String(Support.Seed.EncryptionKey));
        var row = await setup.ReadAsync(db => db.Providers.SingleAsync(p => p.Name == "sealed", Cancel));
        Assert.Equal("""{"X-A":"hidden-2","X-C":"hidden-4"}""", box.Open(row.Headers!, SecretOwners.ProviderHeaders("sealed")).Reveal());
    }

    [Fact]
    public async Task What_is_wrong_is_named_as_the_caller_spells_it()
    {
        (string Path, string Body, string? Param, string Code)[] cases =
        [
            ("/providers", """{"name":"x","base_url":"ftp://x"}""", "base_url", "invalid_value"),
            ("/providers", """{"name":"x","baseUrl":"http://x"}""", "baseUrl", "invalid_value"),
            ("/providers", """{"name":"x"}""", "base_url", "missing_required_parameter"),
            ("/providers", """{"name":"x","base_url":"http://x","headers":{"Host Name":"a"}}""", "headers['Host Name']", "invalid_value"),
            ("/models", """{"name":"x","deployments":[]}""", "deployments", "invalid_value"),
            ("/models", """{"name":"x","deployments":[{"provider":"none"}]}""", "deployments[0].provider", "invalid_value"),
            ("/models", """{"name":"x","deployments":[{"provider":"filed","supports_prefill":"yes"}]}""", "deployments[0].supports_prefill", "invalid_value"),
            ("/models", """{"name":"x","deployments":[{"provider":"filed"}],"timeouts":{"first_content":5}}""", "timeouts.first_content", "invalid_value"),
            ("/bots?workspace=alpha", """{"id":"x","model":"none"}""", "model", "invalid_value"),
            ("/bots?workspace=alpha", """{"id":"X","model":"filed"}""", "id", "invalid_value"),
            ("/bots?workspace=alpha", """{"id":"x","model":"filed","locked_parameters":["top_p"]}""", "locked_parameters[0]", "invalid_value"),
            ("/bots?workspace=alpha", """{"id":"x","model":"filed","limits":{"tool_calls":0}}""", "limits.tool_calls", "invalid_value"),
            ("/bots?workspace=alpha", """{"id":"x","model":"filed","limits":{"budget":{"usd":5}}}""", "limits.budget", "invalid_value"),
            ("/bots?workspace=alpha", """{"id":"x","model":"filed","parameters":{"messages":[]}}""", "parameters.messages", "invalid_value"),
            ("/bots?workspace=alpha", """{"id":"x","model":"filed","skillsets":["none"]}""", "skillsets[0]", "invalid_value"),
            ("/datasets?workspace=alpha", """{"name":"x","files":["./a.md"]}""", "files", "invalid_value"),
            ("/datasets?workspace=alpha", """{"name":"x","language":"klingon"}""", "language", "invalid_value"),
            ("/skillsets?workspace=alpha", """{"name":"x","abilities":[{"name":"a","http":{"url":"https://a.test","max_bytes":0}}]}""", "abilities[0].http.max_bytes", "invalid_value"),
            ("/secrets?workspace=alpha", """{"name":"x"}""", null, "invalid_value"),
            ("/secrets?workspace=alpha", """{"name":"x","value":"\u0000"}""", null, ""),
            ("/secrets?workspace=alpha", """{"name":"x","value":"\ud800"}""", null, ""),
            ("/secrets?workspace=alpha", """{"name":"x","name":"y","value":"a"}""", "name", "duplicate_parameter"),
            ("/secrets", """{"name":"x","value":"a"}""", "workspace", "missing_required_parameter"),
        ];

        foreach (var (path, body, param, code) in cases)
        {
            var reply = await setup.SendAsync("POST", path, body);

            Assert.True((reply.Status, reply.Param, reply.Code ?? "") == (400, param, code), $"{path} {body}\n{reply.Status} {reply.Text}");
            Assert.DoesNotContain("line 1", reply.Text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task What_the_file_manages_and_what_is_used_stays()
    {
        foreach (var path in new[] { "/providers/filed", "/models/filed", "/workspaces/filed", "/bots/helper?workspace=filed" })
        {
            Assert.Equal((409, "managed_by_file"), ((await setup.SendAsync("PATCH", path, "{}")) is var changed ? changed.Status : 0, changed.Code));
            Assert.Equal((409, "managed_by_file"), ((await setup.SendAsync("DELETE", path)) is var deleted ? deleted.Status : 0, deleted.Code));
        }

        await setup.MakeAsync("/workspaces", """{"name":"used"}""");
        foreach (var sample in ApiSample.All("used", "used"))
        {
            await setup.MakeAsync(sample.Path, sample.Body);
        }

        (string Path, string User)[] users =
        [
            ("/providers/used-p", "model 'used/big:1'"), ("/models/used%2Fbig:1", "bot 'used/"), ("/embedding_models/used-e", "dataset 'used/handbook'"),
            ("/workspaces/used", "bot '"), ("/secrets/token?workspace=used", "ability 'find'"), ("/datasets/handbook?workspace=used", "bot 'support'"),
            ("/skillsets/crm?workspace=used", "bot 'support'"), ("/bots/billing?workspace=used", "bot 'support'"),
        ];
        foreach (var (path, user) in users)
        {
            var reply = await setup.SendAsync("DELETE", path);
            Assert.True((reply.Status, reply.Code) == (409, "in_use"), $"{path}: {reply.Text}");
            Assert.Contains(user, reply.Message, StringComparison.Ordinal);
        }

        Assert.Equal((409, "already_exists"), ((await setup.SendAsync("POST", "/bots?workspace=filed", """{"id":"helper","model":"filed"}""")) is var twin ? twin.Status : 0, twin.Code));
        Assert.Equal((400, "read_only_parameter"), ((await setup.SendAsync("PATCH", "/providers/used-p", """{"name":"other"}""")) is var renamed ? renamed.Status : 0, renamed.Code));
        Assert.Equal((400, "read_only_parameter"), ((await setup.SendAsync("PATCH", "/providers/used-p", """{"managed":"file"}""")) is var taken ? taken.Status : 0, taken.Code));
    }

    [Fact]
    public async Task Of_changes_at_the_same_time_from_the_same_version_one_goes_through()
    {
        var made = await setup.MakeAsync("/providers", """{"name":"raced","base_url":"http://127.0.0.1:9/v1"}""");

        var replies = await Task.WhenAll(Enumerable.Range(1, 8).Select(i =>
            setup.SendAsync("PATCH", "/providers/raced", $$"""{"max_concurrency":{{i}}}""", ifMatch: made.Version)));
        var stale = await setup.SendAsync("DELETE", "/providers/raced", ifMatch: made.Version);
        var unasked = await setup.SendAsync("PATCH", "/providers/raced", """{"max_concurrency":99}""");
        var gone = await setup.SendAsync("DELETE", "/providers/raced", ifMatch: $"\"0\", {unasked.Version}");

        var winner = Assert.Single(replies, r => r.Status == 200);
        Assert.All(replies.Where(r => r != winner), r => Assert.Equal((412, "version_mismatch"), (r.Status, r.Code)));
        Assert.Equal((412, 200, 200), (stale.Status, unasked.Status, gone.Status));
    }

    [Fact]
    public async Task Lists_come_in_pages_by_name()
    {
        await setup.MakeAsync("/workspaces", """{"name":"paged"}""");
        foreach (var name in new[] { "b", "B", "a-1", "a_1", "a.1" })
        {
            await setup.MakeAsync("/secrets", $$"""{"workspace":"paged","name":"{{name}}","value":"v"}""");
        }

        var first = await setup.SendAsync("GET", "/secrets?workspace=paged&limit=3");
        var second = await setup.SendAsync("GET", "/secrets?workspace=paged&limit=3&after=a.1");

        Assert.Equal(("B a-1 a.1", true), Names(first));
        Assert.Equal(("a_1 b", false), Names(second));
        Assert.Equal("limit", (await setup.SendAsync("GET", "/secrets?workspace=paged&limit=0")).Param);
    }

    [Fact]
    public async Task The_settings_of_web_and_egress_are_changed_each_for_itself()
    {
        var none = await setup.SendAsync("GET", "/web");
        var web = await setup.SendAsync("PATCH", "/web", """{"search":{"kind":"brave","api_key":"hidden-brave"},"fetch":true}""", none.Version);
        var egress = await setup.SendAsync("PATCH", "/egress", """{"allow":["10.1.0.0/16","searx.internal"]}""");
        var both = await setup.SendAsync("GET", "/web");
        var kept = await setup.SendAsync("PATCH", "/web", """{"fetch":false}""");
        var wrong = await setup.SendAsync("PATCH", "/egress", """{"allow":["10.1.0.1/16"]}""");

        Assert.Equal(("null", "\"0\""), (none.Json["search"]?.ToJsonString() ?? "null", none.Version));
        Assert.True(web.Status == 200, web.Text);
        Assert.Equal("""{"kind":"brave","url":null,"has_api_key":true}""", kept.Json["search"]!.ToJsonString());
        Assert.Equal((true, 200, egress.Version), ((bool)both.Json["fetch"]!, egress.Status, both.Version));
        Assert.Equal((400, "allow[0]"), (wrong.Status, wrong.Param));
    }

    [Fact]
    public async Task An_ability_is_made_changed_and_taken_out_by_its_id()
    {
        await setup.MakeAsync("/skillsets", """{"workspace":"alpha","name":"tools"}""");
        var made = await setup.MakeAsync("/skillsets/tools/abilities?workspace=alpha", """{"name":"get","http":{"url":"https://a.test/x"}}""");
        var second = await setup.MakeAsync("/skillsets/tools/abilities?workspace=alpha", """{"name":"docs","mcp":{"url":"https://a.test/mcp"}}""");
        var path = $"/abilities/{made.Json["id"]}?workspace=alpha";

        var same = await setup.SendAsync("PATCH", path, (await setup.SendAsync("GET", path)).Text);
        var changed = await setup.SendAsync("PATCH", path, """{"description":"Gets.","http":{"timeout":"3s"}}""", second.Version);
        var wrong = await setup.SendAsync("PATCH", path, """{"http":{"url":"https://{host}/"}}""");
        var stale = await setup.SendAsync("DELETE", path, ifMatch: second.Version);
        var deleted = await setup.SendAsync("DELETE", path, ifMatch: changed.Version);
        var listed = await setup.SendAsync("GET", "/skillsets/tools/abilities?workspace=alpha");

        Assert.Equal(second.Version, same.Version);
        Assert.Equal(("Gets.", "3s", "https://a.test/x"), ((string?)changed.Json["description"], (string?)changed.Json["http"]!["timeout"], (string?)changed.Json["http"]!["url"]));
        Assert.Equal((400, "http.url"), (wrong.Status, wrong.Param));
        Assert.Equal((412, 200), (stale.Status, deleted.Status));
        Assert.Equal((string?)second.Json["id"], (string?)Assert.Single(listed.Json["data"]!.AsArray())!["id"]);
        Assert.Equal(404, (await setup.SendAsync("GET", path)).Status);
    }

    [Fact]
    public async Task A_bot_of_the_api_answers_and_a_workspace_admin_makes_its_own()
    {
        var admin = await setup.Gateway.CreateKeyAsync("default", scopes: ["admin", "chat"], cancel: Cancel);
        using var client = setup.Gateway.Client(admin.Text);

        var made = await ApiSetup.SendAsync(client, "POST", "/bots", """{"id":"mine","model":"demo","backstory":"You help."}""");
        var foreign = await ApiSetup.SendAsync(client, "POST", "/bots?workspace=alpha", """{"id":"mine","model":"filed"}""");
        var limits = await ApiSetup.SendAsync(client, "PATCH", "/workspaces/default", """{"limits":null}""");
        var own = await ApiSetup.SendAsync(client, "GET", "/workspaces");
        var reply = await ApiSetup.SendAsync(client, "POST", "/v1/chat/completions", """{"model":"bot/id=mine","messages":[{"role":"user","content":"Hello"}]}""");

        Assert.Equal((200, "default"), (made.Status, (string?)made.Json["workspace"]));
        Assert.Equal((404, 403), (foreign.Status, limits.Status));
        Assert.Equal("default", (string?)Assert.Single(own.Json["data"]!.AsArray())!["name"]);
        Assert.True(reply.Status == 200, reply.Text);
    }

    /// <summary>As the command exports it.</summary>
    private async Task AssertExportedAsync()
    {
        var exported = await setup.SendAsync("GET", "/export");

        Assert.DoesNotContain("hidden", exported.Text, StringComparison.Ordinal);
        Assert.Contains("handbook", exported.Text, StringComparison.Ordinal);
        Assert.Equal(exported.Text, (await setup.Gateway.RunCommandAsync(["export"], Cancel)).Output);
    }

    /// <summary>The database keeps JSON in an order of its own.</summary>
    private static void AssertSame(ApiReply expected, ApiReply actual) =>
        Assert.True(JsonNode.DeepEquals(expected.Json, actual.Json), $"{expected.Text}\n{actual.Text}");

    private static (string Names, bool HasMore) Names(ApiReply page) =>
        (string.Join(' ', page.Json["data"]!.AsArray().Select(o => (string?)o!["name"])), (bool)page.Json["has_more"]!);
}
