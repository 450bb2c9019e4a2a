using System.Text;
using System.Text.Json.Nodes;
using Gateway.Data;
using Gateway.Tests.Support;
using Microsoft.EntityFrameworkCore;

namespace Gateway.Tests.ChatKit;

/// <summary>A chat page on a bot, over the real process.</summary>
[Collection(ChatKitTestsShareOneGateway.Name)]
public sealed class DoorTests(ChatKitSetup setup, ChatKitContract contract)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_first_message_makes_a_thread_with_a_reply_and_a_title()
    {
        using var page = await OpenAsync();

        var (thread, events) = await page.CreateAsync("say:It is blue.");

        Assert.Equal(
            ["thread.created", "thread.item.done user_message", "stream_options", "thread.item.added assistant_message",
             "thread.item.updated assistant_message.content_part.added"],
            ChatPage.Kinds(events).Take(5));
        Assert.Equal("thread.updated", ChatPage.Type(events[^1]));
        Assert.Equal("It is blue.", ChatPage.TextOf(events));
        Assert.Equal("It is blue.", string.Concat(events.Select(e => (string?)e["update"]?["delta"])));
        Assert.NotEmpty((string)events[^1]["thread"]!["title"]!);

        var stored = await page.AskAsync("threads.get_by_id", new JsonObject { ["thread_id"] = thread });
        Assert.Equal((string)events[^1]["thread"]!["title"]!, (string)stored["title"]!);
        Assert.Equal(["user_message", "assistant_message"], stored["items"]!["data"]!.AsArray().Select(item => ChatPage.Type(item!)));
    }

    [Fact]
    public async Task The_model_gets_what_was_said_before()
    {
        using var page = await OpenAsync(session: """{"chatkit_configuration":{"automatic_thread_titling":{"enabled":false}}}""");
        var (thread, _) = await page.CreateAsync("say:My favourite colour is mauve, and I have said so for many years.");
        var message = ChatPage.Message("words:3");

        var behind = await page.PostAsync("threads.add_user_message", new JsonObject { ["thread_id"] = thread, ["input"] = message.DeepClone() });
        var alone = await page.PostAsync("threads.create", new JsonObject { ["input"] = message.DeepClone() });

        Assert.Equal("w1 w2 w3", ChatPage.TextOf(await page.EventsAsync(behind.Text)));
        Assert.Equal(4, (await page.ItemsAsync(thread)).Count);
        Assert.True(await setup.PromptAsync(behind) > await setup.PromptAsync(alone) + 20);
    }

    [Fact]
    public async Task Steps_become_a_workflow_where_the_owner_lets_users_see_them()
    {
        using var page = await OpenAsync(bot: "bot/id=open");

        var (thread, events) = await page.CreateAsync("""call:search_handbook {"query":"colour"}""");

        var kinds = ChatPage.Kinds(events);
        Assert.Contains("thread.item.added workflow", kinds);
        Assert.Contains("thread.item.updated workflow.task.added", kinds);
        Assert.Contains("thread.item.done workflow", kinds);
        var task = events.Single(e => ChatPage.Kinds([e])[0] == "thread.item.done workflow")["item"]!["workflow"]!["tasks"]![0]!;
        Assert.Equal(("custom", "complete"), (ChatPage.Type(task), (string)task["status_indicator"]!));
        Assert.Contains("search_handbook", (string)task["title"]!, StringComparison.Ordinal);
        Assert.Equal(["user_message", "workflow", "assistant_message"], (await page.ItemsAsync(thread)).Select(ChatPage.Type));
    }

    [Fact]
    public async Task Else_a_passing_line_tells_nothing_of_what_the_bot_is_made_of()
    {
        using var page = await OpenAsync(bot: "bot/id=closed");

        var (thread, events) = await page.CreateAsync("""call:search_handbook {"query":"colour"}""");

        Assert.Equal("Looking it up", (string)Assert.Single(events, e => ChatPage.Type(e) == "progress_update")["text"]!);
        Assert.DoesNotContain(events.Skip(2), e => e.ToJsonString().Contains("search_handbook", StringComparison.Ordinal));
        Assert.Equal(["user_message", "assistant_message"], (await page.ItemsAsync(thread)).Select(ChatPage.Type));
    }

    [Fact]
    public async Task Sources_are_annotations_where_their_marks_stand()
    {
        using var page = await OpenAsync(bot: "bot/id=closed");

        var (_, events) = await page.CreateAsync("""
            Which colour has the wall of the tower?
            call:search_handbook {"query":"wall tower painted"}
            """);

        var added = Assert.Single(events, e => ChatPage.Kinds([e])[0] == "thread.item.updated assistant_message.content_part.annotation_added");
        var annotation = added["update"]!["annotation"]!;
        Assert.Equal(("url", "https://acme.test/paint"), ((string)annotation["source"]!["type"]!, (string)annotation["source"]!["url"]!));
        Assert.EndsWith("[1]", ChatPage.TextOf(events)[..(int)annotation["index"]!], StringComparison.Ordinal);
        var done = events.Last(e => ChatPage.Kinds([e])[0] == "thread.item.done assistant_message");
        Assert.True(JsonNode.DeepEquals(annotation, Assert.Single(done["item"]!["content"]![0]!["annotations"]!.AsArray())));
    }

    [Fact]
    public async Task A_tool_of_the_page_goes_there_and_back()
    {
        using var page = await OpenAsync(bot: "bot/id=page");

        var (thread, events) = await page.CreateAsync("""call:pick_color {"of":"the wall"}""");
        var call = events.Last(e => ChatPage.Type(e) == "thread.item.done")["item"]!;
        Assert.Equal(("client_tool_call", "pending", "pick_color"), (ChatPage.Type(call), (string)call["status"]!, (string)call["name"]!));
        Assert.Equal("""{"of":"the wall"}""", call["arguments"]!.ToJsonString());

        var rest = await page.StreamAsync(
            "threads.add_client_tool_output", new JsonObject { ["thread_id"] = thread, ["result"] = new JsonObject { ["answer"] = "The wall shall be mauve." } });

        Assert.Equal("stream_options", ChatPage.Type(rest[0]));
        Assert.Contains("mauve", ChatPage.TextOf(rest), StringComparison.Ordinal);
        var items = await page.ItemsAsync(thread);
        Assert.Equal(["user_message", "client_tool_call", "assistant_message"], items.Select(ChatPage.Type));
        Assert.Equal("completed", (string)items[1]["status"]!);
    }

    [Fact]
    public async Task A_tool_that_the_user_chose_is_called_once()
    {
        using var page = await OpenAsync(bot: "bot/id=page");
        var message = ChatPage.Message("The wall of the tower, please.");
        message["inference_options"] = new JsonObject { ["tool_choice"] = new JsonObject { ["id"] = "pick_color" } };

        var events = await page.StreamAsync("threads.create", new JsonObject { ["input"] = message });
        var call = events.Last(e => ChatPage.Type(e) == "thread.item.done")["item"]!;
        var rest = await page.StreamAsync(
            "threads.add_client_tool_output",
            new JsonObject { ["thread_id"] = (string)call["thread_id"]!, ["result"] = "The wall of the tower shall be mauve." });

        Assert.Equal(("client_tool_call", "pick_color"), (ChatPage.Type(call), (string)call["name"]!));
        Assert.Contains("mauve", ChatPage.TextOf(rest), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_retry_replaces_the_last_reply()
    {
        using var page = await OpenAsync();
        var (thread, _) = await page.CreateAsync("say:Once.");
        var before = await page.ItemsAsync(thread);

        var events = await page.StreamAsync(
            "threads.retry_after_item", new JsonObject { ["thread_id"] = thread, ["item_id"] = (string)before[0]["id"]! });

        Assert.Equal("Once.", ChatPage.TextOf(events));
        var after = await page.ItemsAsync(thread);
        Assert.Equal((2, (string)before[0]["id"]!), (after.Count, (string)after[0]["id"]!));
        Assert.NotEqual((string)before[1]["id"]!, (string)after[1]["id"]!);
    }

    [Fact]
    public async Task A_stopped_reply_is_kept_as_it_was_shown()
    {
        using var page = await OpenAsync();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/chatkit")
        {
            Content = new StringContent(
                new JsonObject { ["type"] = "threads.create", ["params"] = new JsonObject { ["input"] = ChatPage.Message("!pace=50ms words:400") } }.ToJsonString(),
                Encoding.UTF8, "application/json"),
        };
        var seen = new StringBuilder();
        using (var reply = await page.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop.Token))
        {
            await using var body = await reply.Content.ReadAsStreamAsync(stop.Token);
            var buffer = new byte[4_096];
            while (!seen.ToString().Contains("w3", StringComparison.Ordinal))
            {
                seen.Append(Encoding.UTF8.GetString(buffer, 0, await body.ReadAsync(buffer, stop.Token)));
            }

            await stop.CancelAsync();
        }

        var thread = (string)JsonNode.Parse(seen.ToString().Split("\n\n")[0]["data: ".Length..])!["thread"]!["id"]!;
        await using var db = Db();
        string[] kinds = [];
        for (var tries = 0; kinds.Length < 3 && tries < 1_200; tries++)
        {
            await Task.Delay(50, Cancel);
            kinds = [.. (await db.ChatKitItems.AsNoTracking().Where(i => i.ThreadId == thread).OrderBy(i => i.Sequence).ToListAsync(Cancel))
                .Select(i => ChatPage.Type(JsonNode.Parse(i.Document)!))];
        }

        Assert.Equal(["user_message", "assistant_message", "sdk_hidden_context"], kinds);
        var items = await page.ItemsAsync(thread);
        Assert.Equal(2, items.Count);
        Assert.StartsWith("w1 w2 w3", (string)items[1]["content"]![0]!["text"]!, StringComparison.Ordinal);
        // The next message goes on in the same thread.
        Assert.Equal("On.", ChatPage.TextOf(await page.SayAsync(thread, "say:On.")));
    }

    [Fact]
    public async Task One_stream_at_a_time_writes_to_a_thread()
    {
        using var page = await OpenAsync();
        var (thread, _) = await page.CreateAsync("say:Hello.");
        var slow = page.SayAsync(thread, "!pace=100ms words:150");
        await using (var db = Db())
        {
            while (!await db.ChatKitThreads.AnyAsync(t => t.Id == thread && t.LeaseId != null, Cancel))
            {
                await Task.Delay(20, Cancel);
            }
        }

        var second = await page.PostAsync("threads.add_user_message", new JsonObject { ["thread_id"] = thread, ["input"] = ChatPage.Message("say:No.") });

        Assert.Equal((409, "thread_busy"), (second.Status, (string)JsonNode.Parse(second.Text)!["error"]!["code"]!));
        Assert.EndsWith("w150", ChatPage.TextOf(await slow), StringComparison.Ordinal);
        Assert.Equal("Yes.", ChatPage.TextOf(await page.SayAsync(thread, "say:Yes.")));
    }

    [Fact]
    public async Task An_upstream_that_fails_is_told_in_the_stream()
    {
        using var page = await OpenAsync();

        var (thread, events) = await page.CreateAsync("!status=400 !code=broken say:Never.");

        var error = events[^1];
        Assert.Equal(("error", "custom", false), (ChatPage.Type(error), (string)error["code"]!, (bool)error["allow_retry"]!));
        Assert.NotEmpty((string)error["message"]!);
        Assert.Single(await page.ItemsAsync(thread));
    }

    [Fact]
    public async Task What_a_user_thinks_of_items_is_kept()
    {
        using var page = await OpenAsync();
        var (thread, _) = await page.CreateAsync("say:Fine.");
        var item = (string)(await page.ItemsAsync(thread))[1]["id"]!;

        await page.AskAsync("items.feedback", new JsonObject
        {
            ["thread_id"] = thread,
            ["item_ids"] = new JsonArray(item, "msg_of_nobody"),
            ["kind"] = "positive",
        });

        using var server = setup.Gateway.Client(setup.Key.Text);
        var shown = JsonNode.Parse(await server.GetStringAsync($"/v1/chatkit/threads/{thread}", Cancel))!;
        var given = Assert.Single(shown["feedback"]!.AsArray())!;
        Assert.Equal(("positive", $"""["{item}"]"""), ((string)given["kind"]!, given["items"]!.ToJsonString()));
    }

    [Fact]
    public async Task Threads_are_listed_renamed_and_deleted()
    {
        using var page = await OpenAsync(user: "lister");
        var (first, _) = await page.CreateAsync("say:One.");
        var (second, _) = await page.CreateAsync("say:Two.");

        var renamed = await page.AskAsync("threads.update", new JsonObject { ["thread_id"] = first, ["title"] = "Colours \0 and more" });
        var top = await page.AskAsync("threads.list", new JsonObject { ["limit"] = 1 });
        var rest = await page.AskAsync("threads.list", new JsonObject { ["limit"] = 5, ["after"] = (string)top["after"]! });
        await page.AskAsync("threads.delete", new JsonObject { ["thread_id"] = second });

        Assert.Equal("Colours \0 and more", (string)renamed["title"]!);
        Assert.Equal((second, true), ((string)top["data"]![0]!["id"]!, (bool)top["has_more"]!));
        Assert.Equal((first, false), ((string)Assert.Single(rest["data"]!.AsArray())!["id"]!, (bool)rest["has_more"]!));
        Assert.Equal(404, (await page.PostAsync("threads.get_by_id", new JsonObject { ["thread_id"] = second })).Status);
        Assert.Equal(404, (await page.PostAsync("threads.get_by_id", new JsonObject { ["thread_id"] = "thr_\0" })).Status);
    }

    [Fact]
    public async Task A_server_speaks_for_a_user_with_its_key()
    {
        using var page = ChatPage.OfServer(setup.Gateway, setup.Key.Text, "grace", "support", contract);
        using var nobody = setup.Gateway.Client(setup.Key.Text);

        var (thread, events) = await page.CreateAsync("say:Hello, Grace.");
        var unnamed = await RawReply.PostAsync(nobody, "/chatkit/support", """{"type":"threads.list","params":{}}""", Cancel);

        Assert.Equal("Hello, Grace.", ChatPage.TextOf(events));
        Assert.Equal(400, unnamed.Status);
        using var browser = await OpenAsync(user: "grace");
        Assert.Equal(thread, (string)(await browser.AskAsync("threads.list", []))["data"]![0]!["id"]!);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("""{"type":"threads.unknown","params":{}}""")]
    [InlineData("""{"type":"threads.create"}""")]
    [InlineData("""{"type":"threads.create","params":{"input":{}}}""")]
    [InlineData("""{"type":"threads.get_by_id","params":{"thread_id":7}}""")]
    public async Task What_is_no_request_of_the_protocol_is_a_400(string body)
    {
        using var page = await OpenAsync();

        var reply = await RawReply.PostAsync(page.Client, "/chatkit", body, Cancel);

        Assert.Equal((400, "invalid_request_error"), (reply.Status, (string)JsonNode.Parse(reply.Text)!["error"]!["type"]!));
    }

    private Task<ChatPage> OpenAsync(string user = "ada", string bot = ChatKitSetup.Bot, string session = "{}") =>
        ChatPage.OpenAsync(setup.Gateway, setup.Key.Text, contract, user, bot, session);

    private GatewayDb Db() => new(new DbContextOptionsBuilder<GatewayDb>().UseNpgsql(setup.Database).Options);
}
