using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.Tests.Chat;
using Gateway.Tests.Support;

namespace Gateway.Tests.Bots;

/// <summary>Whole turns of bots that use what is outside: the web, MCP servers, and an answer that names its sources.</summary>
[Collection(WorldTestsShareOneGateway.Name)]
public sealed class WorldTests(WorldSetup setup)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_tool_of_an_MCP_server_is_called_and_its_result_is_in_the_answer(bool stream)
    {
        var reply = await setup.AskAsync("alpha", "desk", "What is the sum?\ncall:get-sum {\"a\":2,\"b\":40}", stream);

        var (text, _) = WorldSetup.Read(reply, stream);
        Assert.Contains("42", text, StringComparison.Ordinal);
        Assert.DoesNotContain("tool_calls", reply.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_web_is_searched_and_a_page_of_it_read_in_one_turn(bool stream)
    {
        var begin = setup.Outside.Requests.Count;

        var reply = await setup.AskAsync(
            "alpha", "desk",
            $$"""
            Until when does the night carrier bring parcels on Sundays?
            call:web_search {"query":"carriers & Sundays"}
            then
            call:fetch_page {"url":"{{setup.Outside.Url}}/night"}
            """,
            stream);

        Assert.Contains("until noon", WorldSetup.Read(reply, stream).Text, StringComparison.Ordinal);
        Assert.Equal(
            ["/search?q=carriers%20%26%20Sundays&format=json", "/night"], setup.Outside.Requests.Skip(begin).Select(r => r.Target));
    }

    [Fact]
    public async Task A_request_that_asks_for_web_search_gets_it_from_a_bot_that_has_none_of_its_own()
    {
        const string Question = "Which carrier is for Sundays?\ncall:web_search {\"query\":\"carriers\"}";
        var begin = setup.Outside.Requests.Count;

        var without = await setup.AskAsync("alpha", "plain", Question, false);
        var searchesWithout = setup.Outside.Requests.Count - begin;
        var with = await setup.AskAsync("alpha", "plain", Question, false, ",\"web_search_options\":{\"search_context_size\":\"low\"}");

        Assert.Equal((200, 0), (without.Status, searchesWithout));
        Assert.DoesNotContain("nights and Sundays", WorldSetup.Read(without, false).Text, StringComparison.Ordinal);
        Assert.Contains("nights and Sundays", WorldSetup.Read(with, false).Text, StringComparison.Ordinal);
        Assert.Equal("/search?q=carriers&format=json", Assert.Single(setup.Outside.Requests.Skip(begin)).Target);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Annotations_stand_where_the_marks_are_in_the_whole_text(bool stream)
    {
        setup.Script.Reset();
        setup.Script.Answers(
            Says.Calls("Ich sehe nach 🔎.", ("web_search", """{"query":"carriers"}""")),
            Wire.Stream(Wire.Role() + string.Concat(new[] { "😀 On Sundays [", "1", "], else [2", ", ", "1]. Not [7]." }.Select(t => Wire.Text(t)))
                + Wire.Finish() + Wire.Usage + Wire.Done));

        var reply = await setup.AskAsync("alpha", "scribe", "Who brings parcels?", stream);

        var (text, annotations) = WorldSetup.Read(reply, stream);
        Assert.Equal("Ich sehe nach 🔎.\n\n😀 On Sundays [1], else [2, 1]. Not [7].", text);
        Assert.Equal(
            [("[1]", "/night", "The night carrier"), ("[2, 1]", "/day", "The day carrier"), ("[2, 1]", "/night", "The night carrier")],
            annotations.Select(a => a["url_citation"]!).Select(c => (
                text[(int)c["start_index"]!..(int)c["end_index"]!], new Uri((string)c["url"]!).AbsolutePath, (string?)c["title"])));
        if (stream)
        {
            await Transcript.AssertValidStreamAsync(setup.Schemas, reply.Body, includeUsage: false, n: 1, Cancel);
        }
        else
        {
            await setup.Schemas.AssertValidAsync("CreateChatCompletionResponse", reply.Body, Cancel);
        }
    }

    [Fact]
    public async Task Sources_keep_their_numbers_when_the_callers_results_come_back()
    {
        const string Tools = ""","tools":[{"type":"function","function":{"name":"look_up","parameters":{"type":"object"}}}]""";
        setup.Script.Reset();
        setup.Script.Answers(
            Says.Calls("", ("web_search", """{"query":"carriers"}""")),
            Says.Calls("", ("look_up", "{}")),
            Says.Calls("", ("fetch_page", $$"""{"url":"{{setup.Outside.Url}}/late"}""")),
            Says.Text("Late [3], by night [1]."));

        var first = await setup.AskAsync("alpha", "scribe", "Who?", false, Tools);
        var message = JsonNode.Parse(first.Body)!["choices"]![0]!["message"]!;
        var second = await setup.PostAsync(
            "alpha",
            $$"""
            {"model":"bot/id=scribe","messages":[{"role":"user","content":"Who?"},{{message.ToJsonString()}},
              {"role":"tool","tool_call_id":"{{message["tool_calls"]![0]!["id"]}}","content":"Mine."}]{{Tools}}}
            """);

        var (text, annotations) = WorldSetup.Read(second, stream: false);
        Assert.Equal(
            [("[3]", "/late"), ("[1]", "/night")],
            annotations.Select(a => a["url_citation"]!).Select(c => (
                text[(int)c["start_index"]!..(int)c["end_index"]!], new Uri((string)c["url"]!).AbsolutePath)));
        var page = setup.Script.Requests[^1].Json["messages"]!.AsArray()[^1]!;
        Assert.Contains("[3] Late\n", (string?)page["content"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_search_costs_is_part_of_what_the_turn_may_cost()
    {
        setup.Script.Reset();
        setup.Script.Answers(Says.Calls("Let me see.", ("search_dear", """{"query":"When does the shop open?"}""")), Says.Text("Too dear."));

        var reply = await setup.AskAsync("alpha", "saver", "When?", false);

        var choice = JsonNode.Parse(reply.Body)!["choices"]![0]!;
        Assert.Equal(("Let me see.", "length"), ((string?)choice["message"]!["content"], (string?)choice["finish_reason"]));
        Assert.Single(setup.Script.Requests);
    }

    [Fact]
    public async Task A_session_with_an_MCP_server_ends_with_the_configuration_that_named_it()
    {
        await using var between = await RecordingProxy.StartAsync(new Uri(setup.McpUrl).GetLeftPart(UriPartial.Authority));
        using var admin = setup.Gateway.Client(GatewayProcess.AdminKey);
        async Task SendAsync(HttpMethod method, string path, string body)
        {
            using var request = new HttpRequestMessage(method, $"/admin/v1/{path}?workspace=alpha")
            {
                Content = new StringContent(body, Encoding.UTF8, "application/json"),
            };
            using var reply = await admin.SendAsync(request, Cancel);
            Assert.True(reply.IsSuccessStatusCode, await reply.Content.ReadAsStringAsync(Cancel));
        }

        await SendAsync(
            HttpMethod.Post, "skillsets",
            $$"""{"name":"passing","abilities":[{"name":"passing","mcp":{"url":"{{between.BaseUrl}}/mcp","tools":["echo"]} }]}""");
        await SendAsync(HttpMethod.Post, "bots", """{"id":"passing","model":"sim","backstory":"You pass.","skillsets":["passing"]}""");
        await setup.ReadBotAsync("alpha", "passing");

        var before = WorldSetup.Read(await setup.AskAsync("alpha", "passing", "call:echo {\"message\":\"hello there\"}", false), false).Text;
        await SendAsync(HttpMethod.Patch, "skillsets/passing", """{"enabled":false}""");

        Assert.Contains("hello there", before, StringComparison.Ordinal);
        var clock = Stopwatch.StartNew();
        // The configuration is read a moment after it was changed. A request that lingers is under way for ever, which fails too.
        while ((await between.ExchangesAsync(Cancel)).All(e => e.Method != "DELETE"))
        {
            Assert.True(clock.Elapsed < TimeSpan.FromMinutes(1), "The session with the MCP server was not ended.");
            await Task.Delay(20, Cancel);
        }
    }

    [Fact]
    public async Task Each_keys_turns_have_their_own_workspaces_bots_datasets_and_secrets_where_all_have_the_same_names()
    {
        // A model that tells all that it was given, and whose member does.
        setup.Script.Reset();
        setup.Script.Answers(Answer.ByRequest(request =>
        {
            var messages = request.Json["messages"]!.AsArray();
            var own = (string)messages[0]!["content"]!;
            return own.Contains("scribe", StringComparison.Ordinal) && messages.Count == 2
                ? Says.Calls(
                    "", ("search_handbook", """{"query":"When does the shop open?"}"""), ("ask_mate", Says.Message("Who are you?")),
                    ("find_customer", $$"""{"of":"{{(string)messages[1]!["content"]!}}"}"""))
                : Says.Text(string.Join('\n', messages.Select(m => (string?)m!["content"])));
        }));
        var begin = setup.Outside.Requests.Count;

        // Several at a time, so that what one turn has is there for another to take.
        var replies = await Task.WhenAll(Enumerable.Range(0, 6).Select(async i =>
        {
            var workspace = WorldSetup.Workspaces[i % 2];
            return (Workspace: workspace, Reply: await setup.AskAsync(workspace, "scribe", workspace, false));
        }));

        foreach (var (workspace, reply) in replies)
        {
            var (text, _) = WorldSetup.Read(reply, stream: false);
            Assert.All(
                (string[])[$"the scribe of {workspace}", $"the mate of {workspace}", $"The shop of {workspace} opens", $"Hours of {workspace}"],
                own => Assert.Contains(own, text, StringComparison.Ordinal));
            Assert.All(WorldSetup.Workspaces.Where(w => w != workspace), other => Assert.DoesNotContain(other, reply.Text, StringComparison.Ordinal));
        }

        var asked = setup.Outside.Requests.Skip(begin).ToList();
        Assert.Equal(6, asked.Count);
        Assert.All(asked, r => Assert.Equal($"Bearer token-of-{r.Target.Split('=')[1]}", r.Headers["authorization"]));
    }
}
