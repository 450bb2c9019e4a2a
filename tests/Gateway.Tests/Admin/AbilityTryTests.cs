using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.Data;
using Gateway.Tests.Bots.Abilities;
using Gateway.Tests.Support;
using Microsoft.EntityFrameworkCore;

namespace Gateway.Tests.Admin;

/// <summary><c>POST /admin/v1/abilities/{id}/try</c> of a real gateway, against real servers outside.</summary>
public sealed class AbilityTryTests(TestPostgres postgres, EchoServer echo, McpEverything mcp) : IClassFixture<EchoServer>, IClassFixture<McpEverything>
{
    private const string Canary = "canary-token-5d1f";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_ability_is_tried_as_a_bot_would_use_it_by_its_own_workspaces_admin_alone()
    {
        var connectionString = await postgres.CreateDatabaseAsync(cancel: Cancel);
        var (http, tools, closed) = await SeedAsync(connectionString);
        await using var gateway = await GatewayProcess.StartAsync(
            new GatewayLaunch
            {
                ConnectionString = connectionString,
                Settings = new Dictionary<string, string> { ["Gateway__EncryptionKey"] = Seed.EncryptionKey },
            },
            Cancel);
        using var own = gateway.Client((await gateway.CreateKeyAsync("acme", scopes: ["admin"], cancel: Cancel)).Text);
        using var other = gateway.Client((await gateway.CreateKeyAsync("default", scopes: ["admin"], cancel: Cancel)).Text);
        using var chat = gateway.Client((await gateway.CreateKeyAsync("acme", scopes: ["chat"], cancel: Cancel)).Text);
        using var operatorsOwn = gateway.Client(GatewayProcess.AdminKey);

        var tried = await TryAsync(own, http, """{"arguments":{"email":"a@b.test"}}""");
        var wrong = await TryAsync(own, http, """{"arguments":{}}""");
        var called = await TryAsync(own, tools, """{"tool":"echo","arguments":{"message":"hi"}}""");
        var refused = await TryAsync(operatorsOwn, closed, "{}");

        var request = tried.Body["request"]!;
        Assert.Equal((HttpStatusCode.OK, "ability.try", 200, false), (tried.Status, (string?)tried.Body["object"], (int)tried.Body["status"]!, (bool)tried.Body["is_failure"]!));
        Assert.Equal(
            ("GET", $"{echo.Server.Url}/find?email=a%40b.test", "Bearer [secret]"),
            ((string?)request["method"], (string?)request["url"], (string?)request["headers"]!["authorization"]));
        Assert.Equal($"Bearer {Canary}", echo.Server.Requests[^1].Headers["authorization"]);
        Assert.StartsWith("<<<data (reply to 'find')", (string?)tried.Body["result"], StringComparison.Ordinal);
        Assert.Contains("Bearer [secret]", (string?)tried.Body["result"], StringComparison.Ordinal);
        Assert.True((double)tried.Body["ms"]! > 0);

        Assert.Equal((HttpStatusCode.OK, true, null), (wrong.Status, (bool)wrong.Body["is_failure"]!, wrong.Body["request"]));
        Assert.Contains("email: is missing", (string?)wrong.Body["result"], StringComparison.Ordinal);
        Assert.Contains("Echo: hi", (string?)called.Body["result"], StringComparison.Ordinal);
        Assert.Equal("[secret]", (string?)called.Body["request"]!["headers"]!["x-key"]);
        Assert.Equal("This request is not allowed: its host is a private address, which bots may not reach.", (string?)refused.Body["result"]);

        foreach (var (client, id, body, status, param) in new (HttpClient, string, string, HttpStatusCode, string?)[]
        {
            (other, http, "{}", HttpStatusCode.NotFound, null),
            (chat, http, "{}", HttpStatusCode.Forbidden, null),
            (own, Guid.NewGuid().ToString(), "{}", HttpStatusCode.NotFound, null),
            (own, "nonsense", "{}", HttpStatusCode.NotFound, null),
            (own, tools, """{"tool":"no-such"}""", HttpStatusCode.BadRequest, "tool"),
            (own, http, """{"arguments":[]}""", HttpStatusCode.BadRequest, "arguments"),
            (own, http, """{"secrets":{}}""", HttpStatusCode.BadRequest, "secrets"),
        })
        {
            var answer = await TryAsync(client, id, body);

            Assert.Equal((body, status, param), (body, answer.Status, (string?)answer.Body["error"]!["param"]));
        }

        var all = string.Join('\n', new[] { tried, wrong, called, refused }.Select(t => t.Body.ToJsonString())) + gateway.Output + gateway.LastWords;
        Assert.DoesNotContain(Canary, all, StringComparison.OrdinalIgnoreCase);
    }

    private async Task<(string Http, string Mcp, string Closed)> SeedAsync(string connectionString)
    {
        await using var seed = await Seed.OpenAsync(connectionString, Cancel);
        var workspace = seed.AddWorkspace("acme");
        await seed.SaveAsync(Cancel);
        await using var db = new GatewayDb(new DbContextOptionsBuilder<GatewayDb>().UseNpgsql(connectionString).Options);
        using var box = new SecretBox(Convert.FromBase64String(Seed.EncryptionKey));
        db.Outside.Add(new OutsideRow { EgressAllow = ["127.0.0.1"] });
        db.Secrets.Add(new SecretRow { WorkspaceId = workspace, Name = "token", Value = box.Seal(Canary, SecretOwners.WorkspaceSecret("acme", "token")) });
        var skillset = new SkillsetRow
        {
            WorkspaceId = workspace, Id = Guid.CreateVersion7(), Name = "crm", Description = "Customers.", CreatedAt = DateTime.UtcNow,
        };
        AbilityRow Add(string name, AbilityKind kind, string settings, string parameters = "{}")
        {
            var row = new AbilityRow
            {
                WorkspaceId = workspace, SkillsetId = skillset.Id, Id = Guid.CreateVersion7(), Position = skillset.Abilities.Count, Name = name,
                Description = "", Kind = kind, Parameters = parameters, Settings = settings,
            };
            skillset.Abilities.Add(row);
            return row;
        }

        var http = Add(
            "find", AbilityKind.Http,
            $$$"""{"url":"{{{echo.Server.Url}}}/find?email={email}","headers":{"authorization":"Bearer {secret:token}"}}""",
            """{"type":"object","properties":{"email":{"type":"string"}},"required":["email"]}""");
        var tools = Add("docs", AbilityKind.Mcp, $$$"""{"url":"{{{mcp.Url}}}","headers":{"x-key":"{secret:token}"}}""");
        var closed = Add("closed", AbilityKind.Http, """{"url":"http://192.168.77.7/?k={secret:token}"}""");
        db.Skillsets.Add(skillset);
        await db.SaveChangesAsync(Cancel);
        return (http.Id.ToString(), tools.Id.ToString(), closed.Id.ToString());
    }

    private static async Task<(HttpStatusCode Status, JsonNode Body)> TryAsync(HttpClient client, string id, string body)
    {
        using var reply = await client.PostAsync($"/admin/v1/abilities/{id}/try", new StringContent(body, Encoding.UTF8, "application/json"), Cancel);
        return (reply.StatusCode, (await reply.Content.ReadFromJsonAsync<JsonNode>(Cancel))!);
    }
}
