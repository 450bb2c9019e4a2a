using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Gateway.Tests.Support;

namespace Gateway.Tests.Admin;

public sealed class KeyGateway(TestPostgres postgres)
    : SharedGateway(postgres, "workspaces: [ { name: acme }, { name: reached }, { name: foreign }, { name: listed }, { name: unlisted } ]");

/// <summary><c>/admin/v1/keys</c>: who reaches what, and what a key may make.</summary>
public sealed class KeyEndpointsTests(KeyGateway shared) : IClassFixture<KeyGateway>
{
    private readonly GatewayProcess _gateway = shared.Gateway;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_workspace_admin_key_reaches_its_own_workspace_alone()
    {
        var admin = await _gateway.CreateKeyAsync("reached", scopes: ["admin"], name: "admin", cancel: Cancel);
        var foreign = await _gateway.CreateKeyAsync("foreign", name: "foreign", cancel: Cancel);
        var own = await _gateway.CreateKeyAsync("reached", name: "own", cancel: Cancel);
        using var client = _gateway.Client(admin.Text);

        var listed = (await client.GetFromJsonAsync<JsonNode>("/admin/v1/keys", Cancel))!["data"]!.AsArray();
        var others = (await client.GetFromJsonAsync<JsonNode>("/admin/v1/keys?workspace=foreign", Cancel))!["data"]!.AsArray();
        var made = await PostAsync(client, new JsonObject { ["name"] = "made" });
        var madeElsewhere = await PostAsync(client, new JsonObject { ["name"] = "made", ["workspace"] = "foreign" });
        var madeNowhere = await PostAsync(client, new JsonObject { ["name"] = "made", ["workspace"] = "nowhere" });

        Assert.Equal(["admin", "own"], listed.Select(k => k!["name"]!.GetValue<string>()));
        Assert.Empty(others);
        Assert.Equal((HttpStatusCode.OK, "reached"), (made.Status, made.Body["workspace"]!.GetValue<string>()));
        Assert.Equal(HttpStatusCode.NotFound, madeElsewhere.Status);
        Assert.Equal(HttpStatusCode.NotFound, madeNowhere.Status);
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(client, HttpMethod.Get, $"/admin/v1/keys/{foreign.Id}"));
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(client, HttpMethod.Delete, $"/admin/v1/keys/{foreign.Id}"));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(client, HttpMethod.Delete, $"/admin/v1/keys/{own.Id}"));
        Assert.Equal(HttpStatusCode.OK, await ModelsAsync(_gateway, foreign.Text));
    }

    [Fact]
    public async Task No_key_makes_one_that_may_do_more_than_itself()
    {
        var end = DateTimeOffset.UtcNow.AddHours(1);
        var bound = await _gateway.CreateKeyAsync("acme", ["bot/id=a*"], ["admin"], end, cancel: Cancel);
        using var client = _gateway.Client(bound.Text);
        JsonObject Wanted(string selector, DateTimeOffset expires) => new()
        {
            ["name"] = "n",
            ["selectors"] = new JsonArray(selector),
            ["expires_at"] = expires.ToUnixTimeSeconds(),
        };

        var less = await PostAsync(client, Wanted("bot/id=abc", end.AddMinutes(-1)));
        var otherBot = await PostAsync(client, Wanted("bot/id=b", end.AddMinutes(-1)));
        var wider = await PostAsync(client, Wanted("bot/id=*", end.AddMinutes(-1)));
        var longer = await PostAsync(client, Wanted("bot/id=a", end.AddMinutes(1)));
        var unbound = await PostAsync(client, new JsonObject { ["name"] = "n", ["expires_at"] = end.AddMinutes(-1).ToUnixTimeSeconds() });

        Assert.Equal(HttpStatusCode.OK, less.Status);
        Assert.Equal(["selectors", "selectors", "expires_at", "selectors"], new[] { otherBot, wider, longer, unbound }.Select(ParamOf));
    }

    [Fact]
    public async Task A_chat_key_has_no_business_there()
    {
        var chat = await _gateway.CreateKeyAsync("acme", cancel: Cancel);
        using var client = _gateway.Client(chat.Text);

        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(client, HttpMethod.Get, "/admin/v1/keys"));
    }

    [Fact]
    public async Task What_no_database_can_hold_and_no_list_should_mean_is_refused()
    {
        (string Body, string Param)[] cases =
        [
            ("""{"workspace":"acme","name":"n","scopes":["\ud800"]}""", "scopes"),
            ("""{"workspace":"acme","name":"n","scopes":["chat",5]}""", "scopes"),
            ("""{"workspace":"acme","name":"n","selectors":["model/name=\ud800"]}""", "selectors"),
            ("""{"workspace":"acme","name":"n","selectors":["model/name=a\u0000*"]}""", "selectors"),
            ("""{"workspace":"acme","name":"n","selectors":["model/name=a\u0000"]}""", "selectors"),
            ("""{"workspace":"a\u0000b","name":"n"}""", "workspace"),
            ("""{"workspace":"\ud800","name":"n"}""", "workspace"),
            ("""{"workspace":"acme","name":"a\u0000"}""", "name"),
            ("""{"workspace":"acme","name":"n","selectors":[]}""", "selectors"),
            ("""{"workspace":"acme","name":"n","scopes":[]}""", "scopes"),
        ];
        using var client = _gateway.Client(GatewayProcess.AdminKey);

        foreach (var (body, param) in cases)
        {
            using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
            using var reply = await client.PostAsync("/admin/v1/keys", content, Cancel);

            Assert.Equal(param, ParamOf((reply.StatusCode, JsonNode.Parse(await reply.Content.ReadAsStringAsync(Cancel))!)));
        }
    }

    [Fact]
    public async Task A_selector_is_kept_up_to_its_limit()
    {
        using var client = _gateway.Client(GatewayProcess.AdminKey);
        JsonObject Wanted(string selector) => new() { ["workspace"] = "acme", ["name"] = "n", ["selectors"] = new JsonArray(selector) };

        Assert.Equal(HttpStatusCode.OK, (await PostAsync(client, Wanted("bot/id=".PadRight(511, 'a') + "*"))).Status);
        Assert.Equal("selectors", ParamOf(await PostAsync(client, Wanted("bot/id=".PadRight(512, 'a') + "*"))));
        Assert.Equal("selectors", ParamOf(await PostAsync(client, Wanted("bot/id=".PadRight(513, 'a')))));
    }

    [Fact]
    public async Task Keys_are_listed_in_pages_and_found_one_by_one()
    {
        var made = new List<GatewayKey>();
        foreach (var (workspace, name) in new[] { ("listed", "a"), ("unlisted", "b"), ("listed", "c"), ("listed", "d"), ("listed", "e") })
        {
            made.Add(await _gateway.CreateKeyAsync(workspace, name: name, cancel: Cancel));
        }

        using var client = _gateway.Client(GatewayProcess.AdminKey);

        Assert.Equal(("a c", true), await PageAsync(client, "workspace=listed&limit=2"));
        Assert.Equal(("d e", false), await PageAsync(client, $"workspace=listed&limit=2&after={made[2].Id}"));
        Assert.Equal(("c", true), await PageAsync(client, $"limit=1&after={made[1].Id}"));
        Assert.Equal(("", false), await PageAsync(client, $"after={made[4].Id}"));
        Assert.Equal(("a c d e", false), await PageAsync(client, "workspace=listed"));
        Assert.Equal("b", (await client.GetFromJsonAsync<JsonNode>($"/admin/v1/keys/{made[1].Id}", Cancel))!["name"]!.GetValue<string>());
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(client, HttpMethod.Get, $"/admin/v1/keys/{Guid.NewGuid()}"));
        foreach (var wrong in new[] { "limit=0", "limit=1001", "limit=x", "limit=-1", "after=x", $"after={Guid.NewGuid()}", "workspace=a%00b" })
        {
            Assert.Equal((wrong, HttpStatusCode.BadRequest), (wrong, await StatusAsync(client, HttpMethod.Get, $"/admin/v1/keys?{wrong}")));
        }
    }

    private static async Task<(string Names, bool HasMore)> PageAsync(HttpClient client, string query)
    {
        var page = (await client.GetFromJsonAsync<JsonNode>($"/admin/v1/keys?{query}", Cancel))!;
        return (string.Join(' ', page["data"]!.AsArray().Select(k => k!["name"]!.GetValue<string>())), page["has_more"]!.GetValue<bool>());
    }

    private static string? ParamOf((HttpStatusCode Status, JsonNode Body) reply) =>
        reply.Status == HttpStatusCode.BadRequest ? reply.Body["error"]!["param"]!.GetValue<string>() : reply.Body.ToJsonString();

    private static async Task<(HttpStatusCode Status, JsonNode Body)> PostAsync(HttpClient client, JsonObject body)
    {
        using var reply = await client.PostAsJsonAsync("/admin/v1/keys", body, Cancel);
        return (reply.StatusCode, JsonNode.Parse(await reply.Content.ReadAsStringAsync(Cancel))!);
    }

    private static async Task<HttpStatusCode> StatusAsync(HttpClient client, HttpMethod method, string path)
    {
        using var request = new HttpRequestMessage(method, path);
        using var reply = await client.SendAsync(request, Cancel);
        return reply.StatusCode;
    }

    private static async Task<HttpStatusCode> ModelsAsync(GatewayProcess gateway, string key)
    {
        using var client = gateway.Client(key);
        return await StatusAsync(client, HttpMethod.Get, "/v1/models");
    }
}
