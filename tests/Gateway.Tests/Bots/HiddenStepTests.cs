using System.Text.Json.Nodes;
using Gateway.Tests.Support;

namespace Gateway.Tests.Bots;

/// <summary>A turn that uses the bot's tools and then the caller's goes on where it was, at any gateway.</summary>
public sealed class HiddenStepTests(TurnSetup setup) : TurnTest(setup)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_callers_results_find_the_hidden_steps_at_another_gateway(bool isMixed)
    {
        // Either both calls in one step, or the bot's first and then the caller's.
        UpstreamAnswer[] script = isMixed
            ? [Says.Calls("I see.", ("ask_member", Says.Message("A")), ("look_up", """{"of":"b"}""")), Says.Text("Done.")]
            : [Says.Asks("member", "A"), Says.Calls("I see.", ("look_up", """{"of":"b"}""")), Says.Text("Done.")];
        Setup.Script("lead", script);
        Setup.Script("member", Says.Text("From the member."));

        var first = await Setup.AskAsync("lead", "Go", false, Cancel, Tools);
        await Setup.Schemas.AssertValidAsync("CreateChatCompletionResponse", first.Body, Cancel);
        var message = MessageOf(first);
        var call = Assert.Single(message["tool_calls"]!.AsArray())!;
        Assert.Equal(("tool_calls", "I see.", "look_up"), (FinishOf(first), (string?)message["content"], (string?)call["function"]!["name"]));
        Assert.Matches("^call_gw[A-Za-z0-9]{22}$", (string?)call["id"]);
        var second = await RawReply.PostAsync(Setup.SecondClient, "/v1/chat/completions", Back(message, (string)call["id"]!), Cancel);

        Assert.Equal("Done.", (string?)MessageOf(second)["content"]);
        var sent = Setup.Asked("lead")[^1];
        var messages = sent["messages"]!.AsArray();
        Assert.Equal(
            isMixed ? ["system", "user", "assistant", "tool", "tool"] : ["system", "user", "assistant", "tool", "assistant", "tool"], RolesIn(sent));
        Assert.Equal(Framed("member", "From the member."), (string?)messages[3]!["content"]);
        Assert.Equal(isMixed ? 2 : 1, messages[2]!["tool_calls"]!.AsArray().Count);
        Assert.Equal((isMixed ? "up_1" : "up_0", "the caller's"), ((string?)messages[^1]!["tool_call_id"], (string?)messages[^1]!["content"]));
        Assert.DoesNotContain("call_gw", sent.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stream_shows_the_callers_call_alone()
    {
        Setup.Script("lead", Says.Calls("", ("look_up", """{"of":"b"}"""), ("ask_member", Says.Message("A")), ("look_up", """{"of":"c"}""")));
        Setup.Script("member", Says.Text("From the member."));

        var reply = await Setup.AskAsync("lead", "Go", true, Cancel, Tools);

        await Transcript.AssertValidStreamAsync(Setup.Schemas, reply.Body, includeUsage: true, n: 1, Cancel);
        var pieces = Transcript.Events(reply.Body).SkipLast(1).SelectMany(e => JsonNode.Parse(e)!["choices"]!.AsArray())
            .SelectMany(c => c!["delta"]!["tool_calls"]?.AsArray() ?? []).ToList();
        Assert.Equal(
            ["""{"of":"b"}""", """{"of":"c"}"""],
            pieces.GroupBy(p => (int)p!["index"]!).Select(g => string.Concat(g.Select(p => (string?)p!["function"]!["arguments"]))));
        Assert.All(pieces.Select(p => (string?)p!["function"]!["name"]).OfType<string>(), name => Assert.Equal("look_up", name));
        Assert.Single(Setup.Asked("member"));
    }

    [Fact]
    public async Task Steps_that_are_out_of_date_are_done_without_and_deleted()
    {
        Setup.Script("lead", Says.Asks("member", "A"), Says.Calls("", ("look_up", "{}")), Says.Text("Done."));
        Setup.Script("member", Says.Text("From the member."));
        var message = MessageOf(await Setup.AskAsync("lead", "Go", false, Cancel, Tools));
        await Setup.ExecuteAsync("UPDATE hidden_steps SET expires_at = now() - interval '1 minute'", Cancel);

        var second = await RawReply.PostAsync(
            Setup.SecondClient, "/v1/chat/completions", Back(message, (string)message["tool_calls"]![0]!["id"]!), Cancel);

        Assert.Equal("Done.", (string?)MessageOf(second)["content"]);
        Assert.Equal(["system", "user", "assistant", "tool"], RolesIn(Setup.Asked("lead")[^1]));
        await using var source = Npgsql.NpgsqlDataSource.Create(Setup.ConnectionString);
        var log = Microsoft.Extensions.Logging.Abstractions.NullLogger<Gateway.Bots.HiddenStepCleanup>.Instance;
        using var cleanup = new Gateway.Bots.HiddenStepCleanup(source, TimeProvider.System, log);
        await cleanup.RunAsync(Cancel);
        Assert.Equal(0, await Setup.ExecuteAsync("SELECT count(*) FROM hidden_steps WHERE expires_at < now()", Cancel));
    }

    [Fact]
    public async Task A_call_that_the_caller_dropped_is_dropped_from_the_hidden_steps_too()
    {
        Setup.Script(
            "lead", Says.Calls("", ("look_up", """{"of":"b"}"""), ("ask_member", Says.Message("A")), ("look_up", """{"of":"c"}""")), Says.Text("Done."));
        Setup.Script("member", Says.Text("From the member."));
        var message = MessageOf(await Setup.AskAsync("lead", "Go", false, Cancel, Tools)).AsObject();
        message["tool_calls"]!.AsArray().RemoveAt(1);

        await RawReply.PostAsync(Setup.Client, "/v1/chat/completions", Back(message, (string)message["tool_calls"]![0]!["id"]!), Cancel);

        Assert.Equal(
            ["up_0", "up_1"], Setup.Asked("lead")[^1]["messages"]![2]!["tool_calls"]!.AsArray().Select(c => (string?)c!["id"]));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_form_from_before_tools_finds_them_by_the_message_that_is_sent_back_as_it_came(bool stream)
    {
        const string Functions = ""","functions":[{"name":"look_up","parameters":{"type":"object"}}]""";
        Setup.Script("lead", Says.Asks("member", "A"), Says.Calls("I see.", ("look_up", """{"of":"b"}""")), Says.Text("Done."));
        Setup.Script("member", Says.Text("From the member."));

        var first = await Setup.AskAsync("lead", "Go", stream, Cancel, Functions);
        var message = stream ? MessageOfStream(first) : MessageOf(first);
        var second = await RawReply.PostAsync(
            Setup.SecondClient, "/v1/chat/completions",
            $$"""{"model":"bot/id=lead","messages":[{"role":"user","content":"Go"},{{message.ToJsonString()}},{"role":"function","name":"look_up","content":"the caller's"}]{{Functions}}}""",
            Cancel);

        Assert.Equal(("look_up", """{"of":"b"}"""), ((string?)message["function_call"]!["name"], (string?)message["function_call"]!["arguments"]));
        Assert.Equal("Done.", (string?)MessageOf(second)["content"]);
        var sent = Setup.Asked("lead")[^1];
        Assert.Equal(["system", "user", "assistant", "tool", "assistant", "tool"], RolesIn(sent));
        Assert.Equal(Framed("member", "From the member."), (string?)sent["messages"]![3]!["content"]);
        Assert.Equal(("up_0", "the caller's"), ((string?)sent["messages"]![5]!["tool_call_id"], (string?)sent["messages"]![5]!["content"]));
        if (!stream)
        {
            await Setup.Schemas.AssertValidAsync("CreateChatCompletionResponse", first.Body, Cancel);
        }
    }

    /// <summary>Put together as clients of that form do: what is a text grows, what comes once stays.</summary>
    private static JsonObject MessageOfStream(RawReply reply)
    {
        var call = new JsonObject();
        foreach (var piece in Transcript.Events(reply.Body).SkipLast(1).SelectMany(e => JsonNode.Parse(e)!["choices"]!.AsArray())
            .Select(c => c!["delta"]!["function_call"]).OfType<JsonObject>())
        {
            foreach (var (name, value) in piece)
            {
                call[name] = (string?)call[name] + (string?)value;
            }
        }

        return new JsonObject { ["role"] = "assistant", ["content"] = Transcript.ContentOf(reply.Body), ["function_call"] = call };
    }

    [Fact]
    public async Task A_refusal_that_quotes_the_hidden_steps_is_told_without_its_words()
    {
        Setup.Script(
            "lead", Says.Asks("member", "A"), Says.Calls("", ("look_up", "{}")),
            Answer.Refusal(400, "Refused: 'The cellar\nis full of gold.'", "invalid_request_error"),
            Answer.Refusal(400, "Refused: 'the caller's'", "invalid_request_error"));
        Setup.Script("member", Says.Text("Nobody knows. The cellar\nis full of gold."));
        var message = MessageOf(await Setup.AskAsync("lead", "Go", false, Cancel, Tools));
        var back = Back(message, (string)message["tool_calls"]![0]!["id"]!);

        var quoting = await RawReply.PostAsync(Setup.SecondClient, "/v1/chat/completions", back, Cancel);
        var ofTheCallers = await RawReply.PostAsync(Setup.SecondClient, "/v1/chat/completions", back, Cancel);

        Assert.Equal((400, false), (quoting.Status, quoting.Text.Contains("gold", StringComparison.Ordinal)));
        Assert.Equal((400, true), (ofTheCallers.Status, ofTheCallers.Text.Contains("the caller's", StringComparison.Ordinal)));
    }

    private static string Back(JsonNode message, string callId) =>
        $$"""{"model":"bot/id=lead","messages":[{"role":"user","content":"Go"},{{message.ToJsonString()}},{"role":"tool","tool_call_id":"{{callId}}","content":"the caller's"}]{{Tools}}}""";
}
