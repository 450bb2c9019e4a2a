using System.Text.Json;
using System.Text.Json.Nodes;

namespace Gateway.Tests.Sdk;

/// <summary>The <c>openai</c> npm package on a model and on a bot, one script of <c>Node/sdk</c> per scenario.</summary>
public sealed class NodeChatTests(SdkSetup setup) : SdkTest(setup)
{
    [Theory]
    [InlineData(SdkSetup.DemoModel)]
    [InlineData(SdkSetup.DemoBot)]
    public async Task Create_gives_a_completion(string selector)
    {
        var reply = Assert.Single(await Setup.NodeAsync("create.mjs", selector, Cancel));

        Assert.NotEmpty(reply["choices"]![0]!["message"]!["content"]!.GetValue<string>());
        Assert.True(reply["usage"]!["total_tokens"]!.GetValue<int>() > 0);
        AssertNamesBot(selector, reply["model"]!);
    }

    [Fact]
    public async Task Create_with_n_gives_that_many_choices()
    {
        var reply = Assert.Single(await Setup.NodeAsync("create.mjs", SdkSetup.DemoModel, Cancel, ("OPTIONS", """{"n":3}""")));

        Assert.Equal([0, 1, 2], reply["choices"]!.AsArray().Select(choice => choice!["index"]!.GetValue<int>()));
    }

    [Theory]
    [InlineData(SdkSetup.DemoModel)]
    [InlineData(SdkSetup.DemoBot)]
    public async Task Create_with_stream_gives_chunks_one_finish_and_usage(string selector)
    {
        var seen = Assert.Single(await Setup.NodeAsync("create-stream.mjs", selector, Cancel));

        Assert.NotEmpty(seen["text"]!.GetValue<string>());
        Assert.True(seen["chunks"]!.GetValue<int>() > 3);
        Assert.Equal("[\"stop\"]", seen["finish"]!.ToJsonString());
        Assert.True(seen["usage"]!["total_tokens"]!.GetValue<int>() > 0);
        AssertNamesBot(selector, Assert.Single(seen["models"]!.AsArray())!);
    }

    [Theory]
    [InlineData(SdkSetup.DemoModel)]
    [InlineData(SdkSetup.DemoBot)]
    public async Task Stream_helper_puts_the_completion_together(string selector)
    {
        var seen = Assert.Single(await Setup.NodeAsync("stream-helper.mjs", selector, Cancel));

        var events = seen["events"]!;
        Assert.True(events["content"]!.GetValue<int>() > 1);
        Assert.Equal((1, 1, 0), (events["message"]!.GetValue<int>(), events["end"]!.GetValue<int>(), events["error"]!.GetValue<int>()));
        var message = seen["completion"]!["choices"]![0]!["message"]!;
        Assert.Equal("assistant", message["role"]!.GetValue<string>());
        Assert.Equal(seen["content"]!.GetValue<string>(), message["content"]!.GetValue<string>());
        Assert.True(seen["usage"]!["total_tokens"]!.GetValue<int>() > 0);
        AssertNamesBot(selector, seen["completion"]!["model"]!);
    }

    [Theory]
    [InlineData(SdkSetup.DemoModel)]
    [InlineData(SdkSetup.DemoBot)]
    public async Task RunTools_calls_the_tool_and_ends_with_its_result(string selector)
    {
        var runs = await Setup.NodeAsync("run-tools.mjs", selector, Cancel);

        Assert.Equal([false, true], runs.Select(run => run["stream"]!.GetValue<bool>()));
        Assert.All(runs, run =>
        {
            Assert.Equal("[\"Paris\"]", run["called"]!.ToJsonString());
            Assert.Contains("21 degrees", run["content"]!.GetValue<string>(), StringComparison.Ordinal);
            Assert.Equal("""["user","assistant","tool","assistant"]""", run["roles"]!.ToJsonString());
        });
    }

    [Theory]
    [InlineData(SdkSetup.DemoModel)]
    [InlineData(SdkSetup.DemoBot)]
    public async Task Structured_output_is_JSON_of_the_schema(string selector)
    {
        var answers = await Setup.NodeAsync("structured.mjs", selector, Cancel);

        Assert.Equal(2, answers.Count);
        Assert.All(answers, answer =>
        {
            Assert.Equal(["city", "degrees", "rain"], answer.AsObject().Select(member => member.Key).Order());
            Assert.Equal(JsonValueKind.String, answer["city"]!.GetValueKind());
            Assert.Equal(JsonValueKind.Number, answer["degrees"]!.GetValueKind());
        });
    }

    [Theory]
    [InlineData(SdkSetup.DemoModel)]
    [InlineData(SdkSetup.DemoBot)]
    public async Task WithResponse_gives_status_and_request_id(string selector)
    {
        var replies = await Setup.NodeAsync("with-response.mjs", selector, Cancel);

        Assert.Equal(2, replies.Count);
        Assert.All(replies, reply =>
        {
            Assert.Equal(200, reply["status"]!.GetValue<int>());
            Assert.NotEmpty(reply["requestId"]!.GetValue<string>());
            Assert.Equal(reply["header"]!.GetValue<string>(), reply["requestId"]!.GetValue<string>());
            Assert.Null(reply["encoding"]);
        });
        Assert.Equal(replies[0]["requestId"]!.GetValue<string>(), replies[0]["onData"]!.GetValue<string>());
        Assert.StartsWith("text/event-stream", replies[1]["contentType"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(SdkSetup.ScriptedModel, true)]
    [InlineData(SdkSetup.ScriptedModel, false)]
    [InlineData(SdkSetup.ScriptedBot, true)]
    [InlineData(SdkSetup.ScriptedBot, false)]
    public async Task Abort_is_seen_by_the_upstream(string selector, bool stream)
    {
        Setup.Upstream.Answers(Scripts.ByQuestion);

        var seen = Assert.Single(await Setup.NodeAsync("abort.mjs", selector, Cancel, ("STREAM", stream ? "true" : "false")));

        Assert.Equal(stream ? "one two" : "APIUserAbortError", (seen["text"] ?? seen["error"])!.GetValue<string>());
        await Setup.Upstream.Requests[0].Disconnected.WaitAsync(TimeSpan.FromSeconds(5), Cancel);
    }

    [Theory]
    [InlineData(SdkSetup.ScriptedModel)]
    [InlineData(SdkSetup.ScriptedBot)]
    public async Task A_stream_cut_anywhere_before_its_finish_is_an_error(string selector)
    {
        Setup.Upstream.Answers(Scripts.ByQuestion);
        UsageMayBeMissing = true;
        var questions = Scripts.Cuts.SelectMany(cut => Enumerable.Range(0, Scripts.EventsUntilFinish + 3), (cut, k) => $"{cut}:{k}").ToArray();

        var answers = await Setup.NodeAsync("cut.mjs", selector, Cancel, ("QUESTIONS", JsonSerializer.Serialize(questions)));

        Assert.Equal(questions.Length, answers.Count);
        var wrong = answers.Where(IsWrong).Select(answer => answer.ToJsonString()).ToList();
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    private static bool IsWrong(JsonNode answer)
    {
        var isFinished = Scripts.Number(answer["question"]!.GetValue<string>().Split(':')[1]) >= Scripts.EventsUntilFinish;
        return isFinished
            ? answer["error"] is not null || answer["text"]!.GetValue<string>() != Scripts.Text || answer["finish"]?.GetValue<string>() != "stop"
            : answer["error"] is null || answer["finish"] is not null;
    }

    private static void AssertNamesBot(string selector, JsonNode model)
    {
        if (selector == SdkSetup.DemoBot)
        {
            Assert.Equal(SdkSetup.DemoBot, model.GetValue<string>());
        }
    }
}
