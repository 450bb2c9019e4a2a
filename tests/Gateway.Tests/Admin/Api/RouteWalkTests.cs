using System.Text.Json.Nodes;
using Gateway.Tests.Support;

namespace Gateway.Tests.Admin.Api;

/// <summary>
/// Two workspaces with the same names, and every route that the gateway has, with the other's key. Routes come from the
/// served document, which is made of what is mapped: one that is added is walked without a change here, but for a parameter
/// that nobody can guess.
/// </summary>
public sealed class RouteWalkTests(ApiSetup setup) : IClassFixture<ApiSetup>
{
    /// <summary>Stands in everything that belongs to the other workspace, and in everything that belongs to none.</summary>
    private const string Foreign = "foreign-mark";

    private static readonly string[] GlobalAreas =
        ["providers", "models", "embedding_models", "web", "egress", "deployments", "export"];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task No_route_gives_or_changes_what_is_another_workspaces_or_the_operators()
    {
        await SeedAsync("alpha", "own-mark");
        var foreign = await SeedAsync("beta", Foreign);
        var admin = await setup.Gateway.CreateKeyAsync("alpha", scopes: ["admin", "chat"], name: "own-mark", cancel: Cancel);
        var chat = await setup.Gateway.CreateKeyAsync("alpha", name: "own-mark", cancel: Cancel);
        using var nobody = setup.Gateway.Client(null);
        using var chatter = setup.Gateway.Client(chat.Text);
        using var neighbour = setup.Gateway.Client(admin.Text);
        var routes = WalkedRoute.Of((await setup.SendAsync("GET", "/openapi.json")).Json);
        var before = (await setup.SendAsync("GET", "/export")).Text;
        var wrong = new List<string>();

        foreach (var route in routes)
        {
            var path = route.Fill(foreign);
            var body = route.Operation.ContainsKey("requestBody") ? Body(route) : null;
            await CheckAsync(route, "without a key", nobody, path, body, wrong, route.Path.EndsWith("/content", StringComparison.Ordinal) ? 404 : 401);
            if (route.Path.EndsWith("/content", StringComparison.Ordinal) || route.Path == "/v1/chatkit/attachments")
            {
                // A signed link, or a session's secret: no key opens these.
                await CheckAsync(route, "with the other's key", chatter, path, body, wrong, 401, 404);
                continue;
            }

            if (!route.IsAdmin)
            {
                // Models of the operator's that alpha sees are no secret; what only beta sees is.
                await CheckAsync(route, "with the other's key", chatter, path, body, wrong, 200, 404);
                continue;
            }

            await CheckAsync(route, "with a chat key", chatter, path, body, wrong, 403);
            await CheckAsync(route, "naming the workspace", neighbour, $"{path}?workspace=beta", body, wrong, Allowed(route));
            if (route.Method == "GET" || IsByGuid(route))
            {
                await CheckAsync(route, "by the same name", neighbour, path, body, wrong, [200, .. Allowed(route)]);
            }
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        Assert.Equal(before, (await setup.SendAsync("GET", "/export")).Text);
        Assert.Contains(routes, r => r is { Method: "DELETE", Path: "/admin/v1/bots/{id}" });
        using var other = setup.Gateway.Client(foreign["key"]);
        Assert.Equal(200, (await ApiSetup.SendAsync(other, "GET", "/v1/models")).Status);
    }

    [Fact]
    public void A_parameter_that_nobody_can_fill_fails_the_walk() => Assert.Throws<InvalidOperationException>(
        () => new WalkedRoute("GET", "/admin/v1/things/{id}", []).Fill(new Dictionary<string, string> { ["/admin/v1/bots/{id}"] = "x" }));

    /// <summary>403 for the operator's own, 404 for the other's; a list may also be an empty one.</summary>
    private static int[] Allowed(WalkedRoute route)
    {
        var area = route.Path.Split('/')[3];
        return GlobalAreas.Contains(area) || (area == "workspaces" && route.Method != "GET") ? [403]
            : area is "openapi.json" or "workspaces" || route.Path is "/admin/v1/keys" ? [200, 404]
            : [404];
    }

    /// <summary>An id that is made by the gateway is another's wherever it is asked for.</summary>
    private static bool IsByGuid(WalkedRoute route) => route.Path.Contains("/keys/{", StringComparison.Ordinal)
        || route.Path.Contains("/abilities/{", StringComparison.Ordinal)
        || (route.Path.Contains("/datasets/{dataset}/", StringComparison.Ordinal) && route.Path.EndsWith("{id}", StringComparison.Ordinal));

    private static async Task CheckAsync(
        WalkedRoute route, string how, HttpClient client, string path, string? body, List<string> wrong, params int[] allowed)
    {
        var relative = path.StartsWith("/admin/v1", StringComparison.Ordinal) ? path["/admin/v1".Length..] : path;
        var reply = await ApiSetup.SendAsync(client, route.Method, relative, body);
        // A refusal may repeat the name that was asked for.
        if (!allowed.Contains(reply.Status) || (reply.Status == 200 && reply.Text.Contains(Foreign, StringComparison.Ordinal)))
        {
            wrong.Add($"{route.Method} {path} {how}: {reply.Status}, expected {string.Join(" or ", allowed)}: {reply.Text}");
        }
    }

    /// <summary>A body that is right as far as it goes: what is refused is refused for whose it is.</summary>
    private static string Body(WalkedRoute route) => route switch
    {
        { Path: "/v1/chatkit/sessions" } => """{"user":"x","workflow":{"id":"bot/id=foreign-mark"}}""",
        { IsAdmin: false } when route.Path.StartsWith("/v1/chatkit/", StringComparison.Ordinal) => "{}",
        { IsAdmin: false } => """{"model":"model/name=foreign-mark/big:1","messages":[{"role":"user","content":"x"}],"input":"x","prompt":"x"}""",
        { Path: "/admin/v1/keys" } => """{"workspace":"beta","name":"foreign"}""",
        { Method: "PATCH" } or { Path: "/admin/v1/abilities/{id}/try" } => "{}",
        _ => """{"name":"x","id":"x"}""",
    };

    private async Task<JsonNode> UploadAsync(string workspace, string mark)
    {
        using var form = new MultipartFormDataContent { { new StringContent(mark), "file", $"{mark}.txt" } };
        using var response = await setup.Admin.PostAsync($"/admin/v1/datasets/handbook/files?workspace={workspace}", form, Cancel);
        var text = await response.Content.ReadAsStringAsync(Cancel);
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonNode.Parse(text)!;
    }

    /// <summary>The objects of one workspace, and how to fill a path's parameters with them.</summary>
    private async Task<Dictionary<string, string>> SeedAsync(string workspace, string mark)
    {
        foreach (var sample in ApiSample.All(mark, workspace))
        {
            await setup.MakeAsync(sample.Path, sample.Body);
        }

        await setup.SendAsync("PATCH", $"/models/{mark}%2Fbig:1", $$"""{"workspaces":["{{workspace}}"]}""");
        await setup.SendAsync("PATCH", $"/bots/support?workspace={workspace}", $$"""{"description":"{{mark}}"}""");
        await setup.SendAsync("PATCH", $"/datasets/handbook?workspace={workspace}", $$"""{"description":"{{mark}}"}""");
        await setup.SendAsync("PATCH", $"/skillsets/crm?workspace={workspace}", $$"""{"description":"{{mark}}"}""");
        var abilities = await setup.SendAsync("GET", $"/skillsets/crm/abilities?workspace={workspace}");
        var key = await setup.Gateway.CreateKeyAsync(workspace, name: mark, cancel: Cancel);
        var record = await setup.MakeAsync($"/datasets/handbook/records?workspace={workspace}", $$"""{"text":"{{mark}}"}""");
        var file = await UploadAsync(workspace, mark);
        var jobs = await setup.SendAsync("GET", $"/datasets/handbook/jobs?workspace={workspace}");
        var chat = await ChatAsync(key.Text, mark);
        return new Dictionary<string, string>
        {
            ["key"] = key.Text,
            ["/v1/chatkit/threads/{id}"] = chat.Thread,
            ["/v1/chatkit/sessions/{id}"] = chat.Session,
            ["/v1/chatkit/attachments/{id}"] = chat.Attachment,
            ["/admin/v1/keys/{id}"] = key.Id,
            ["/admin/v1/abilities/{id}"] = (string)abilities.Json["data"]![0]!["id"]!,
            ["/admin/v1/workspaces/{name}"] = workspace,
            ["/admin/v1/providers/{name}"] = $"{mark}-p",
            ["/admin/v1/models/{name}"] = $"{mark}/big:1",
            ["/admin/v1/embedding_models/{name}"] = $"{mark}-e",
            ["/admin/v1/secrets/{name}"] = "token",
            ["/admin/v1/datasets/{name}"] = "handbook",
            ["/admin/v1/datasets/{dataset}"] = "handbook",
            ["/admin/v1/datasets/{dataset}/records/{id}"] = (string)record.Json["id"]!,
            ["/admin/v1/datasets/{dataset}/files/{id}"] = (string)file["id"]!,
            ["/admin/v1/datasets/{dataset}/jobs/{id}"] = (string)jobs.Json["data"]![0]!["id"]!,
            ["/admin/v1/skillsets/{name}"] = "crm",
            ["/admin/v1/bots/{id}"] = "support",
            ["/v1/models/{selector}"] = $"model/name={mark}/big:1",
            ["/v1/images/{operation}"] = "generations",
            ["/v1/audio/{operation}"] = "speech",
        };
    }

    /// <summary>A thread, a session and a file of a user of the bot.</summary>
    private async Task<(string Thread, string Session, string Attachment)> ChatAsync(string key, string mark)
    {
        using var server = setup.Gateway.Client(key);
        server.DefaultRequestHeaders.Add("X-Gateway-User", mark);
        RawReply thread;
        do
        {
            // The bot was made a moment ago.
            thread = await RawReply.PostAsync(
                server, "/chatkit/support",
                """{"type":"threads.create","params":{"input":{"content":[],"attachments":[],"inference_options":{}}}}""", Cancel);
        }
        while (thread.Status == 404 && !Cancel.IsCancellationRequested);

        var file = await RawReply.PostAsync(
            server, "/chatkit/support", """{"type":"attachments.create","params":{"name":"a.txt","size":1,"mime_type":"text/plain"}}""", Cancel);
        var session = await RawReply.PostAsync(
            server, "/v1/chatkit/sessions", $$$"""{"user":"{{{mark}}}","workflow":{"id":"bot/id=support"}}""", Cancel);
        Assert.True(thread.Status == 200 && file.Status == 200 && session.Status == 200, thread.Text + file.Text + session.Text);
        return (
            (string)JsonNode.Parse(thread.Text.Split("\n\n")[0]["data: ".Length..])!["thread"]!["id"]!,
            (string)JsonNode.Parse(session.Text)!["id"]!, (string)JsonNode.Parse(file.Text)!["id"]!);
    }
}
