using System.Text.Json.Nodes;
using Gateway.Tests.Support;
using Microsoft.EntityFrameworkCore;

namespace Gateway.Tests.ChatKit;

/// <summary>Tools of the page: what the model gets of the calls that it made, when a page has answered them one by one.</summary>
[Collection(ScriptedChatTestsShareOneGateway.Name)]
public sealed class PageToolTests(ScriptedChatFixture fixture, ChatKitContract contract)
{
    private const string Wall = """{"of":"the wall"}""";
    private const string Door = """{"of":"the door"}""";

    private readonly ScriptedChat _chat = fixture.Chat;

    [Fact]
    public async Task A2_several_calls_of_one_step_are_made_one_after_the_other_and_are_one_step_to_the_model()
    {
        using var page = await OpenAsync("page", Calling(("call_a", "pick_color", Wall), ("call_b", "pick_color", Door)), ScriptedChat.Says("Nice", "."));

        var (thread, events) = await page.CreateAsync("Which colours?");
        var first = Call(events);
        var second = Call(await AnswerAsync(page, thread, "mauve"));
        Assert.Single(_chat.Upstream.Requests);
        var last = await AnswerAsync(page, thread, new JsonObject { ["colour"] = "teal" });

        Assert.Equal([("call_a", Wall), ("call_b", Door)], new[] { first, second }.Select(c => ((string)c["call_id"]!, c["arguments"]!.ToJsonString())));
        Assert.Equal("Nice.", ChatPage.TextOf(last));
        Assert.Equal(2, _chat.Upstream.Requests.Count);
        Assert.Equal(
            [
                "user: Which colours?",
                $"assistant: call_a=pick_color{Wall} call_b=pick_color{Door}",
                "tool call_a: \"mauve\"",
                """tool call_b: {"colour":"teal"}""",
            ],
            Asked());
        Assert.Equal(
            ["user_message", "client_tool_call", "client_tool_call", "assistant_message"], (await page.ItemsAsync(thread)).Select(ChatPage.Type));

        // And so it stays for all that comes after.
        await page.SayAsync(thread, "Thanks.");
        Assert.Equal(["assistant: Nice.", "user: Thanks."], Asked().TakeLast(2));
        Assert.Equal(6, Asked().Count);
    }

    [Fact]
    public async Task Steps_with_calls_are_told_apart()
    {
        using var page = await OpenAsync(
            "page", Calling(("call_a", "pick_color", Wall)), Calling(("call_b", "pick_color", Door)), ScriptedChat.Says("Nice", "."));

        var (thread, _) = await page.CreateAsync("Which colours?");
        await AnswerAsync(page, thread, "mauve");
        await AnswerAsync(page, thread, "teal");

        Assert.Equal(
            [
                "user: Which colours?", $"assistant: call_a=pick_color{Wall}", "tool call_a: \"mauve\"",
                $"assistant: call_b=pick_color{Door}", "tool call_b: \"teal\"",
            ],
            Asked());
    }

    /// <summary>The bot's own calls of the same step are hidden from the page and there for the model, under the model's own ids.</summary>
    [Fact]
    public async Task Calls_beside_the_bot_s_own_are_paired_with_their_results()
    {
        using var page = await OpenAsync(
            "both", Calling(("call_s", "search_handbook", """{"query":"colours"}"""), ("call_a", "pick_color", Wall), ("call_b", "pick_color", Door)),
            ScriptedChat.Says("Nice", "."));

        var (thread, _) = await page.CreateAsync("Which colours?");
        await AnswerAsync(page, thread, "mauve");
        await AnswerAsync(page, thread, "teal");

        var asked = Asked();
        Assert.Equal($$"""assistant: call_s=search_handbook{"query":"colours"} call_a=pick_color{{Wall}} call_b=pick_color{{Door}}""", asked[1]);
        Assert.Equal(["call_a", "call_b", "call_s"], Paired(asked).Order());
        Assert.Contains("tool call_a: \"mauve\"", asked);
        Assert.Contains("tool call_b: \"teal\"", asked);
    }

    [Theory]
    [InlineData("page", 0)]
    [InlineData("page", 1)]
    [InlineData("both", 0)]
    [InlineData("both", 1)]
    public async Task A_user_who_goes_on_leaves_no_call_without_a_result(string bot, int answered)
    {
        (string, string, string)[] own = bot == "both" ? [("call_s", "search_handbook", """{"query":"colours"}""")] : [];
        using var page = await OpenAsync(
            bot, Calling([.. own, ("call_a", "pick_color", Wall), ("call_b", "pick_color", Door)]), ScriptedChat.Says("Well", "."));
        var (thread, _) = await page.CreateAsync("Which colours?");
        if (answered == 1)
        {
            await AnswerAsync(page, thread, "mauve");
        }

        Assert.Equal("Well.", ChatPage.TextOf(await page.SayAsync(thread, "Never mind.")));

        var asked = Asked();
        Assert.Equal("user: Which colours?", asked[0]);
        Assert.Equal("user: Never mind.", asked[^1]);
        Assert.Equal(answered == 1, asked.Contains("tool call_a: \"mauve\""));
        Assert.All(Paired(asked), id => Assert.StartsWith("call_", id, StringComparison.Ordinal));
        var late = await page.PostAsync("threads.add_client_tool_output", new JsonObject { ["thread_id"] = thread, ["result"] = "too late" });
        Assert.True(late.Status is >= 400 and < 500, late.Text);
    }

    /// <summary>There are upstreams that give every call the same id, or none.</summary>
    [Theory]
    [InlineData("page", "call_0")]
    [InlineData("page", "")]
    [InlineData("page", null)]
    [InlineData("both", "call_0")]
    [InlineData("both", "")]
    [InlineData("both", null)]
    public async Task Calls_that_an_upstream_does_not_tell_apart_have_ids_of_their_own(string bot, string? id)
    {
        using var page = await OpenAsync(
            bot, Calling((id, "pick_color", Wall), (id, "pick_color", Door)), Calling((id, "pick_color", Wall)), ScriptedChat.Says("Nice", "."));

        var (thread, events) = await page.CreateAsync("Which colours?");
        List<JsonNode> calls = [Call(events)];
        calls.Add(Call(await AnswerAsync(page, thread, "mauve")));
        calls.Add(Call(await AnswerAsync(page, thread, "teal")));
        Assert.Equal("Nice.", ChatPage.TextOf(await AnswerAsync(page, thread, "ochre")));

        var ids = calls.Select(call => (string)call["call_id"]!).ToList();
        Assert.DoesNotContain("", ids);
        Assert.Equal(3, ids.Distinct().Count());
        Assert.Equal([Wall, Door, Wall], calls.Select(call => call["arguments"]!.ToJsonString()));
        Assert.Equal(
            [
                "user: Which colours?",
                $"assistant: {ids[0]}=pick_color{Wall} {ids[1]}=pick_color{Door}", $"tool {ids[0]}: \"mauve\"", $"tool {ids[1]}: \"teal\"",
                $"assistant: {ids[2]}=pick_color{Wall}", $"tool {ids[2]}: \"ochre\"",
            ],
            Asked());

        // And the thread goes on.
        Assert.Equal("Nice.", ChatPage.TextOf(await page.SayAsync(thread, "Thanks.")));
    }

    /// <summary>As a gateway leaves it that is killed when it has stored the next call and not yet that the call waits no more.</summary>
    [Fact]
    public async Task A_call_that_was_made_is_not_made_again_over_its_result()
    {
        using var page = await OpenAsync("page", Calling(("call_a", "pick_color", Wall), ("call_b", "pick_color", Door)), ScriptedChat.Says("Nice", "."));
        var (thread, _) = await page.CreateAsync("Which colours?");
        await using var db = _chat.Db();
        var before = await db.ChatKitThreads.AsNoTracking().Where(t => t.Id == thread).Select(t => t.Document).SingleAsync(TestContext.Current.CancellationToken);
        Assert.Contains("call_b", before, StringComparison.Ordinal);
        Call(await AnswerAsync(page, thread, "mauve"));
        Assert.Equal(1, await db.Database.ExecuteSqlAsync(
            $"UPDATE chatkit_threads SET document = {before}::json WHERE id = {thread}", TestContext.Current.CancellationToken));

        var last = await AnswerAsync(page, thread, "teal");

        Assert.Equal("Nice.", ChatPage.TextOf(last));
        var stored = await _chat.StoredAsync(thread);
        Assert.Equal(["user_message", "client_tool_call", "client_tool_call", "assistant_message"], stored.Select(ChatPage.Type));
        Assert.Equal(["mauve", "teal"], stored.Skip(1).Take(2).Select(call => (string)call["output"]!));
    }

    private async Task<ChatPage> OpenAsync(string bot, params UpstreamAnswer[] answers)
    {
        _chat.Upstream.Reset();
        _chat.Upstream.Answers(answers);
        return await ChatPage.OpenAsync(_chat.Gateway, _chat.Key.Text, contract, bot: $"bot/id={bot}", session: ScriptedChat.Session);
    }

    private static Task<IReadOnlyList<JsonNode>> AnswerAsync(ChatPage page, string thread, JsonNode result) =>
        page.StreamAsync("threads.add_client_tool_output", new JsonObject { ["thread_id"] = thread, ["result"] = result });

    private static JsonNode Call(IReadOnlyList<JsonNode> events)
    {
        var call = events.Last(e => ChatPage.Type(e) == "thread.item.done")["item"]!;
        Assert.Equal(("client_tool_call", "pending"), (ChatPage.Type(call), (string)call["status"]!));
        return call;
    }

    /// <summary>The conversation of the newest request, without the bot's own words, a line each.</summary>
    private List<string> Asked() =>
    [
        .. _chat.Upstream.Requests[^1].Json["messages"]!.AsArray().Where(message => (string)message!["role"]! != "system").Select(message =>
            message!["tool_calls"] is JsonArray calls
                ? $"assistant: {string.Join(' ', calls.Select(c => $"{c!["id"]}={c["function"]!["name"]}{c["function"]!["arguments"]}"))}"
                : (string)message["role"]! == "tool" ? $"tool {message["tool_call_id"]}: {TextOf(message)}" : $"{message["role"]}: {TextOf(message)}"),
    ];

    private static string TextOf(JsonNode message) => message["content"] switch
    {
        JsonArray parts => string.Concat(parts.Select(part => (string?)part!["text"])),
        var text => (string?)text ?? "",
    };

    /// <summary>The ids of all calls, each with one result right behind the message that made it.</summary>
    private static List<string> Paired(List<string> asked)
    {
        var all = new List<string>();
        for (var i = 0; i < asked.Count; i++)
        {
            if (!asked[i].StartsWith("assistant: call_", StringComparison.Ordinal))
            {
                continue;
            }

            var made = asked[i]["assistant: ".Length..].Split(' ').Where(part => part.Contains('=', StringComparison.Ordinal)).Select(part => part.Split('=')[0]).ToList();
            var results = asked.Skip(i + 1).TakeWhile(line => line.StartsWith("tool ", StringComparison.Ordinal)).Select(line => line["tool ".Length..line.IndexOf(':', StringComparison.Ordinal)]);
            Assert.Equal(made.Order(), results.Order());
            all.AddRange(made);
        }

        Assert.Equal(all.Count, asked.Count(line => line.StartsWith("tool ", StringComparison.Ordinal)));
        return all;
    }

    /// <summary>A stream that makes these calls in one step; those without an id have no such member.</summary>
    private static UpstreamAnswer Calling(params (string? Id, string Name, string Arguments)[] calls)
    {
        static string Event(JsonObject delta, string? finish) => "data: " + new JsonObject
        {
            ["id"] = "chatcmpl-scripted",
            ["object"] = "chat.completion.chunk",
            ["created"] = 1_700_000_000,
            ["model"] = "fake",
            ["choices"] = new JsonArray(new JsonObject { ["index"] = 0, ["delta"] = delta, ["logprobs"] = null, ["finish_reason"] = finish }),
        }.ToJsonString() + "\n\n";

        var made = calls.Select((call, index) =>
        {
            var piece = new JsonObject
            {
                ["index"] = index,
                ["type"] = "function",
                ["function"] = new JsonObject { ["name"] = call.Name, ["arguments"] = call.Arguments },
            };
            if (call.Id is not null)
            {
                piece["id"] = call.Id;
            }

            return (JsonNode)piece;
        });
        return Replies.Stream(
        [
            Event(new JsonObject { ["role"] = "assistant", ["content"] = null, ["tool_calls"] = new JsonArray([.. made]) }, null),
            Event([], "tool_calls"),
            Replies.Done,
        ]);
    }
}
