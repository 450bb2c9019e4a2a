using System.Text.Json.Nodes;
using Gateway.Tests.Support;
using Npgsql;

namespace Gateway.Tests.ChatKit;

/// <summary><c>/v1/chatkit/threads</c>, for a workspace's servers.</summary>
[Collection(ChatKitTestsShareOneGateway.Name)]
public sealed class ThreadListTests(ChatKitSetup setup, ChatKitContract contract)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_official_client_lists_reads_and_deletes()
    {
        using var page = await ChatPage.OpenAsync(setup.Gateway, setup.Key.Text, contract, "kay", "bot/id=page");
        using var other = await ChatPage.OpenAsync(setup.Gateway, setup.Key.Text, contract, "somebody");
        var (first, _) = await page.CreateAsync("""call:pick_color {"of":"the wall"}""");
        await page.StreamAsync("threads.add_client_tool_output", new JsonObject { ["thread_id"] = first, ["result"] = "Mauve it is." });
        var (second, _) = await page.CreateAsync("say:Two.");
        await other.CreateAsync("say:Not hers.");

        var seen = await Node.RunScriptAsync(
            Path.Combine("sdk", "chatkit-threads.mjs"),
            new Dictionary<string, string> { ["BASE_URL"] = setup.Gateway.BaseUrl + "/v1", ["API_KEY"] = setup.Key.Text, ["CHAT_USER"] = "kay" },
            Cancel);

        Assert.Equal([first, second], seen[0].AsArray().Select(thread => (string)thread!["id"]!));
        Assert.All(seen[0].AsArray(), thread => Assert.Equal(("chatkit.thread", "kay", "active"), ((string)thread!["object"]!, (string)thread["user"]!, (string)thread["status"]!["type"]!)));
        Assert.Equal(first, (string)seen[1]["id"]!);
        Assert.Equal(
            ["chatkit.user_message", "chatkit.client_tool_call", "chatkit.assistant_message"], seen[2].AsArray().Select(item => (string)item!["type"]!));
        Assert.Equal(("completed", "\"Mauve it is.\""), ((string)seen[2][1]!["status"]!, (string)seen[2][1]!["output"]!));
        Assert.True((bool)seen[3]["deleted"]!);
        Assert.Equal("NotFoundError", (string)seen[4]["error"]!);
        Assert.Equal(404, (await page.PostAsync("threads.get_by_id", new JsonObject { ["thread_id"] = first })).Status);
    }

    [Fact]
    public async Task A_text_with_any_character_is_listed()
    {
        using var page = await ChatPage.OpenAsync(setup.Gateway, setup.Key.Text, contract, "zero");
        var (thread, _) = await page.CreateAsync("say:Well. \0");
        using var server = setup.Gateway.Client(setup.Key.Text);

        var items = JsonNode.Parse(await server.GetStringAsync($"/v1/chatkit/threads/{thread}/items?limit=1", Cancel))!;

        Assert.Equal(("chatkit.assistant_message", true), ((string)items["data"]![0]!["type"]!, (bool)items["has_more"]!));
    }

    [Fact]
    public async Task Threads_of_a_bot_that_was_removed_are_a_key_s_that_may_use_all()
    {
        using var page = await ChatPage.OpenAsync(setup.Gateway, setup.Key.Text, contract, "left behind", "bot/id=sales");
        var (thread, _) = await page.CreateAsync("say:Mine.");
        await ExecuteAsync("UPDATE chatkit_threads SET bot_id = 'removed' WHERE id = $1", thread);
        using var server = setup.Gateway.Client(setup.Key.Text);
        using var narrow = setup.Gateway.Client((await setup.Gateway.CreateKeyAsync("acme", ["bot/id=sales"], cancel: Cancel)).Text);
        using var other = setup.Gateway.Client(setup.OtherKey.Text);

        foreach (var (client, status, count) in new[] { (narrow, 404, 0), (other, 404, 0), (server, 200, 1) })
        {
            var list = JsonNode.Parse(await client.GetStringAsync("/v1/chatkit/threads?user=left%20behind", Cancel))!;
            Assert.Equal(count, list["data"]!.AsArray().Count);
            Assert.Equal(status, (int)(await client.GetAsync($"/v1/chatkit/threads/{thread}", Cancel)).StatusCode);
            Assert.Equal(status, (int)(await client.GetAsync($"/v1/chatkit/threads/{thread}/items", Cancel)).StatusCode);
            Assert.Equal(status, (int)(await client.DeleteAsync($"/v1/chatkit/threads/{thread}", Cancel)).StatusCode);
        }

        Assert.Equal(404, (int)(await server.GetAsync($"/v1/chatkit/threads/{thread}", Cancel)).StatusCode);
    }

    [Fact]
    public async Task A_list_of_large_items_comes_in_parts()
    {
        using var page = await ChatPage.OpenAsync(setup.Gateway, setup.Key.Text, contract, "large");
        var (thread, _) = await page.CreateAsync("say:Enlarged");
        await page.SayAsync(thread, "say:Enlarged");
        await ExecuteAsync("UPDATE chatkit_items SET document = replace(document::text, 'Enlarged', repeat('x', 3000000))::json WHERE thread_id = $1", thread);
        using var server = setup.Gateway.Client(setup.Key.Text);

        var first = JsonNode.Parse(await server.GetStringAsync($"/v1/chatkit/threads/{thread}/items?limit=50&order=asc", Cancel))!;
        var rest = JsonNode.Parse(await server.GetStringAsync($"/v1/chatkit/threads/{thread}/items?limit=50&order=asc&after={first["last_id"]}", Cancel))!;

        Assert.Equal((2, true, 2, false), (first["data"]!.AsArray().Count, (bool)first["has_more"]!, rest["data"]!.AsArray().Count, (bool)rest["has_more"]!));
        Assert.Equal(4, (await page.ItemsAsync(thread)).Count);
    }

    [Theory]
    [InlineData("limit=0", "limit")]
    [InlineData("limit=x", "limit")]
    [InlineData("order=up", "order")]
    public async Task A_wrong_page_is_refused(string query, string param)
    {
        using var server = setup.Gateway.Client(setup.Key.Text);

        using var reply = await server.GetAsync($"/v1/chatkit/threads?{query}", Cancel);

        Assert.Equal(400, (int)reply.StatusCode);
        Assert.Equal(param, (string)JsonNode.Parse(await reply.Content.ReadAsStringAsync(Cancel))!["error"]!["param"]!);
    }

    private async Task ExecuteAsync(string sql, string thread)
    {
        await using var source = NpgsqlDataSource.Create(setup.Database);
        await using var command = source.CreateCommand(sql);
        command.Parameters.AddWithValue(thread);
        Assert.NotEqual(0, await command.ExecuteNonQueryAsync(Cancel));
    }
}
