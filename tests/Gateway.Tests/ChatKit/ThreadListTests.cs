using System.Text.Json.Nodes;
using Gateway.Tests.Support;

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
}
