using System.Text.Json.Nodes;
using Gateway.Tests.Support;

namespace Gateway.Tests.ChatKit;

/// <summary>How much one request may put into a thread, and what is said when it is wrong.</summary>
[Collection(ChatKitTestsShareOneGateway.Name)]
public sealed class RequestLimitTests(ChatKitSetup setup, ChatKitContract contract)
{
    /// <summary>Of a message, an action or answers; of what a page's tool answers, four times as much.</summary>
    private const int Most = 256 * 1_024;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_too_large_for_a_thread_is_a_413_and_nothing_of_it_is_kept()
    {
        using var page = await OpenAsync("talker", "bot/id=page");
        var (thread, _) = await page.CreateAsync("""call:pick_color {"of":"the wall"}""");
        var text = new string('a', Most);
        var tag = ChatPage.Message("Who is it?");
        tag["content"]!.AsArray().Add(new JsonObject
        {
            ["type"] = "input_tag",
            ["id"] = "e",
            ["text"] = "Emma",
            ["data"] = new JsonObject { ["about"] = text },
            ["interactive"] = false,
        });
        var quote = ChatPage.Message("What is it?");
        quote["quoted_text"] = text;
        var action = new JsonObject { ["type"] = "save", ["payload"] = new JsonObject { ["text"] = text } };

        foreach (var (type, parameters) in new (string, JsonObject)[]
        {
            ("threads.create", new() { ["input"] = ChatPage.Message(text) }),
            ("threads.create", new() { ["input"] = tag }),
            ("threads.create", new() { ["input"] = quote }),
            ("threads.add_user_message", new() { ["thread_id"] = thread, ["input"] = ChatPage.Message(text) }),
            ("threads.add_client_tool_output", new() { ["thread_id"] = thread, ["result"] = new string('a', 4 * Most) }),
            ("threads.custom_action", new() { ["thread_id"] = thread, ["action"] = action.DeepClone() }),
            ("threads.sync_custom_action", new() { ["thread_id"] = thread, ["action"] = action.DeepClone() }),
            ("threads.add_structured_input", new()
            {
                ["thread_id"] = thread,
                ["item_id"] = "x",
                ["input"] = new JsonObject { ["answers"] = new JsonObject { ["q"] = new JsonObject { ["values"] = new JsonArray(text) } } },
            }),
        })
        {
            var reply = await page.PostAsync(type, parameters);
            var error = JsonNode.Parse(reply.Text)!["error"]!;
            Assert.Equal((type, 413, "request_too_large"), (type, reply.Status, (string?)error["code"]));
            Assert.StartsWith("params", (string?)error["param"], StringComparison.Ordinal);
            Assert.Contains(type == "threads.add_client_tool_output" ? "1048576" : "262144", (string?)error["message"], StringComparison.Ordinal);
        }

        Assert.Equal(["user_message", "client_tool_call"], (await page.ItemsAsync(thread)).Select(ChatPage.Type));
        Assert.Single((await page.AskAsync("threads.list", []))["data"]!.AsArray());
    }

    [Fact]
    public async Task What_is_just_small_enough_is_taken_in_whatever_way_it_is_written()
    {
        using var page = await OpenAsync("teller", "bot/id=page");
        // As many bytes as there may be with what stands around them; \u00e9 is six bytes on the way and two in the thread.
        var text = string.Concat("call:pick_color {}\n", new string('\u00e9', (Most - 1_024) / 2));
        var (thread, events) = await page.CreateAsync(text);
        Assert.Equal("client_tool_call", ChatPage.Type(events.Last(e => ChatPage.Type(e) == "thread.item.done")["item"]!));

        var rest = await page.StreamAsync(
            "threads.add_client_tool_output", new JsonObject { ["thread_id"] = thread, ["result"] = new string('a', 4 * Most - 1_024) });

        Assert.NotEqual("error", ChatPage.Type(rest[^1]));
        Assert.Equal(text, (string)(await page.ItemsAsync(thread))[0]["content"]![0]!["text"]!);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" \n")]
    [InlineData(null)]
    public async Task A_title_has_1_to_255_characters(string? title)
    {
        using var page = await OpenAsync("namer");
        var (thread, _) = await page.CreateAsync("say:Hello.");
        await page.AskAsync("threads.update", new JsonObject { ["thread_id"] = thread, ["title"] = new string('a', 255) });

        var reply = await page.PostAsync("threads.update", new JsonObject { ["thread_id"] = thread, ["title"] = title ?? new string('b', 256) });

        Assert.Equal((400, "params.title"), (reply.Status, (string?)JsonNode.Parse(reply.Text)!["error"]!["param"]));
        var stored = await page.AskAsync("threads.get_by_id", new JsonObject { ["thread_id"] = thread });
        Assert.Equal(new string('a', 255), (string)stored["title"]!);
    }

    [Theory]
    [InlineData("items.feedback", """{"thread_id":"thr_x","kind":"positive","item_ids":[@ids@]}""", "params.item_ids", "100")]
    [InlineData("attachments.create", """{"name":"a.txt","size":-1,"mime_type":"text/plain"}""", "params.size", "1 or more")]
    [InlineData("threads.get_by_id", """{"thread_id":7}""", "params.thread_id", "params.thread_id")]
    [InlineData("threads.create", """{"input":{"content":[{"type":"input_text"}],"attachments":[],"inference_options":{}}}""", "params.input.content[0].text", "is required")]
    public async Task What_is_wrong_is_named(string type, string parameters, string param, string says)
    {
        using var page = await OpenAsync("mistaken", session: """{"chatkit_configuration":{"file_upload":{"enabled":true}}}""");
        var ids = string.Join(',', Enumerable.Range(0, 101).Select(i => $"\"msg_{i}\""));
        var body = $$"""{"type":"{{type}}","params":{{parameters.Replace("@ids@", ids, StringComparison.Ordinal)}}}""";

        var reply = await RawReply.PostAsync(page.Client, "/chatkit", body, Cancel);

        var error = JsonNode.Parse(reply.Text)!["error"]!;
        Assert.Equal((400, param), (reply.Status, (string?)error["param"]));
        Assert.Contains(says, (string?)error["message"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_in_a_page_s_place_and_a_page_elsewhere_are_told_what_to_do()
    {
        using var withKey = ChatPage.With(setup.Gateway.BaseUrl, setup.Key.Text, contract);
        using var bound = await OpenAsync("bound", session: """{"allowed_origins":["https://app.example.com"]}""");

        var key = await withKey.PostAsync("threads.list", []);
        var nowhere = await bound.PostAsync("threads.list", []);
        bound.Client.DefaultRequestHeaders.Add("Origin", "https://evil.example.com");
        var elsewhere = await bound.PostAsync("threads.list", []);

        Assert.Equal((401, 403, 403), (key.Status, nowhere.Status, elsewhere.Status));
        Assert.Contains("/chatkit/{bot}", key.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(setup.Key.Text, key.Text, StringComparison.Ordinal);
        Assert.Contains("no 'Origin' header", nowhere.Text, StringComparison.Ordinal);
        Assert.Contains("it is not in the 'allowed_origins'", elsewhere.Text, StringComparison.Ordinal);
    }

    private Task<ChatPage> OpenAsync(string user, string bot = ChatKitSetup.Bot, string session = ScriptedChat.Session) =>
        ChatPage.OpenAsync(setup.Gateway, setup.Key.Text, contract, user, bot, session);
}
