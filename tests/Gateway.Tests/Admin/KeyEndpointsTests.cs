using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Gateway.Tests.Support;

namespace Gateway.Tests.Admin;

/// <summary><c>/admin/v1/keys</c>: who reaches what, and what a key may make.</summary>
public sealed class KeyEndpointsTests(TestPostgres postgres)
{
    private const string Yaml = "workspaces: [ { name: acme }, { name: other } ]";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_workspace_admin_key_reaches_its_own_workspace_alone()
    {
        await using var gateway = await StartAsync();
        var admin = await gateway.CreateKeyAsync("acme", scopes: ["admin"], name: "admin", cancel: Cancel);
        var foreign = await gateway.CreateKeyAsync("other", name: "foreign", cancel: Cancel);
        var own = await gateway.CreateKeyAsync("acme", name: "own", cancel: Cancel);
        using var client = gateway.Client(admin.Text);

        var listed = (await client.GetFromJsonAsync<JsonNode>("/admin/v1/keys", Cancel))!["data"]!.AsArray();
        var others = (await client.GetFromJsonAsync<JsonNode>("/admin/v1/keys?workspace=other", Cancel))!["data"]!.AsArray();
        var made = await PostAsync(client, new JsonObject { ["name"] = "made" });
        var madeElsewhere = await PostAsync(client, new JsonObject { ["name"] = "made", ["workspace"] = "other" });
        var madeNowhere = await PostAsync(client, new JsonObject { ["name"] = "made", ["workspace"] = "nowhere" });

        Assert.Equal(["admin", "own"], listed.Select(k => k!["name"]!.GetValue<string>()));
        Assert.Empty(others);
        Assert.Equal((HttpStatusCode.OK, "acme"), (made.Status, made.Body["workspace"]!.GetValue<string>()));
        Assert.Equal(HttpStatusCode.NotFound, madeElsewhere.Status);
        Assert.Equal(HttpStatusCode.NotFound, madeNowhere.Status);
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(client, HttpMethod.Get, $"/admin/v1/keys/{foreign.Id}"));
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(client, HttpMethod.Delete, $"/admin/v1/keys/{foreign.Id}"));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(client, HttpMethod.Delete, $"/admin/v1/keys/{own.Id}"));
        Assert.Equal(HttpStatusCode.OK, await ModelsAsync(gateway, foreign.Text));
    }

    [Fact]
    public async Task No_key_makes_one_that_may_do_more_than_itself()
    {
        await using var gateway = await StartAsync();
        var end = DateTimeOffset.UtcNow.AddHours(1);
        var bound = await gateway.CreateKeyAsync("acme", ["bot/id=a*"], ["admin"], end, cancel: Cancel);
        using var client = gateway.Client(bound.Text);
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
        await using var gateway = await StartAsync();
        var chat = await gateway.CreateKeyAsync("acme", cancel: Cancel);
        using var client = gateway.Client(chat.Text);

        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(client, HttpMethod.Get, "/admin/v1/keys"));
    }

    [Fact]
    public async Task A_key_ends_when_it_expires()
    {
        await using var gateway = await StartAsync();
        var key = await gateway.CreateKeyAsync("acme", expiresAt: DateTimeOffset.UtcNow.AddSeconds(3), cancel: Cancel);

        var before = await ModelsAsync(gateway, key.Text);
        await Task.Delay(TimeSpan.FromSeconds(3.5), Cancel);
        using var client = gateway.Client(key.Text);
        using var after = await client.GetAsync("/v1/models", Cancel);

        Assert.Equal(HttpStatusCode.OK, before);
        Assert.Equal(HttpStatusCode.Unauthorized, after.StatusCode);
        Assert.Contains("expired", await after.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
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

    private async Task<GatewayProcess> StartAsync() => await GatewayProcess.StartAsync(
        new GatewayLaunch { ConnectionString = await postgres.CreateDatabaseAsync(cancel: Cancel), Yaml = Yaml }, Cancel);
}
