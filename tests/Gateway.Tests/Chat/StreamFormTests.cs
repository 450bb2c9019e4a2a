using Gateway.Tests.Support;

namespace Gateway.Tests.Chat;

/// <summary>Event streams in every shape that upstreams send: each byte travels, whatever its shape.</summary>
[Collection(ChatTestsShareOneGateway.Name)]
public sealed class StreamFormTests(ScriptedGateway setup) : ScriptedTest(setup)
{
    private static readonly string Cr = Wire.Whole.Replace('\n', '\r');

    private static readonly Dictionary<string, string> Forms = new()
    {
        ["as OpenAI sends it"] = Wire.Whole,
        ["CRLF"] = Wire.Whole.Replace("\n", "\r\n", StringComparison.Ordinal),
        ["lone CR"] = Cr,
        ["no space behind the colon"] = Wire.Whole.Replace("data: ", "data:", StringComparison.Ordinal),
        ["comments"] = ": hello\n\n" + Wire.Role() + ": ping\n" + Wire.Text("Hi") + ": ping\n\n: pong\n\n" + Wire.Finish() + Wire.Done,
        ["ids and events"] = "retry: 10\n\n" + ("id: 1\nevent: chunk\n" + Wire.Role()) + "event: chunk\nid: 2\n" + Wire.Text("Hi") + Wire.Finish() + Wire.Done,
        ["an event without data"] = Wire.Role() + "event: ping\n\n" + Wire.Text("Hi") + Wire.Finish() + Wire.Done,
        ["extra blank lines"] = "\n\n" + Wire.Role() + "\n\n" + Wire.Text("Hi") + Wire.Finish() + "\n" + Wire.Done,
        ["data in several lines"] = Wire.Role() + "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\ndata: \"delta\":{\"content\":\"Hi\"},\ndata:\"finish_reason\":null}]}\n\n" + Wire.Finish() + Wire.Done,
        ["spaces behind the end"] = Wire.Role() + Wire.Text("Hi") + Wire.Finish() + "data: [DONE] \n\n",
        ["a byte order mark"] = "\ufeff" + Wire.Whole,
        ["unknown fields and odd JSON"] = Wire.Role() + Wire.Event("""{ "odd" : [1.50, -0.0, 1e400, "\u00e4\/"], "choices" : [ { "delta" : { "content" : "Hi", "x":null }, "index" : 0, "finish_reason":null } ] , "usage" : null }""") + Wire.Finish() + Wire.Done,
        ["reasoning"] = Wire.Role() + Wire.Chunk(""" "delta":{"reasoning_content":"hm"},"finish_reason":null """) + Wire.Chunk(""" "delta":{"reasoning":"hm"},"finish_reason":null """) + Wire.Text("Hi") + Wire.Finish() + Wire.Done,
        ["a tool call"] = string.Concat(Replies.ToolCallEvents("plain", "f", """{"a":1}""").Where(e => !e.Contains("\"choices\":[]", StringComparison.Ordinal))),
        ["empty deltas and choices"] = Wire.Event("""{"choices":[]}""") + Wire.Role() + Wire.Chunk(""" "delta":{},"finish_reason":null """) + Wire.Event("""{"choices":[],"prompt_filter_results":[]}""") + Wire.Text("Hi") + Wire.Finish() + Wire.Done,
        ["finish with the text"] = Wire.Chunk(""" "delta":{"role":"assistant","content":"Hi"},"finish_reason":"stop" """) + Wire.Done,
        ["usage with the last choice"] = Wire.Role() + Wire.Text("Hi") + Wire.Event("""{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}""") + Wire.Done,
    };

    public static TheoryData<string> AllForms => [.. Forms.Keys];

    [Theory]
    [MemberData(nameof(AllForms))]
    public async Task Every_form_arrives_byte_for_byte(string form)
    {
        var sent = Forms[form];
        Upstream.Answers(Wire.Stream(sent));

        var reply = await Setup.ChatAsync(Wire.Ask(), Cancel);

        Assert.Equal((200, sent, false), (reply.Status, reply.Text, reply.Broken));
    }

    [Theory]
    [InlineData("as OpenAI sends it")]
    [InlineData("CRLF")]
    [InlineData("lone CR")]
    [InlineData("data in several lines")]
    public async Task A_form_arrives_in_single_bytes(string form)
    {
        var sent = Wire.Bytes(Forms[form]);
        Upstream.Answers(Wire.Stream(sent, pieceBytes: 1));

        Assert.Equal(sent, (await Setup.ChatAsync(Wire.Ask(), Cancel)).Body);
    }

    [Theory]
    [InlineData("as OpenAI sends it")]
    [InlineData("CRLF")]
    [InlineData("lone CR")]
    public async Task A_stream_split_anywhere_arrives_whole(string form)
    {
        var sent = Wire.Bytes(Forms[form] + (form == "lone CR" ? "" : Wire.Usage));
        var kept = Wire.Bytes(Forms[form]);
        Upstream.Answers(Answer.ByRequest(request =>
        {
            var at = request.Json["seed"]!.GetValue<int>();
            return Answer.Stream(Piece.Of(sent[..at]), Piece.Wait(TimeSpan.FromMilliseconds(3)), Piece.Of(sent[at..]));
        }));

        await Parallel.ForAsync(1, kept.Length, new ParallelOptions { MaxDegreeOfParallelism = 32, CancellationToken = Cancel }, async (at, cancel) =>
        {
            var reply = await Setup.ChatAsync(Wire.Ask(more: $",\"seed\":{at}"), cancel);
            Assert.True(kept.AsSpan().SequenceEqual(reply.Body), $"Split at {at}: {reply.Text}");
        });
    }

    [Theory]
    [InlineData("\n")]
    [InlineData("\r\n")]
    public async Task A_usage_chunk_that_was_not_asked_for_is_taken_out(string newline)
    {
        var whole = (Wire.Role() + Wire.Text("Hi") + Wire.Finish() + Wire.Usage + Wire.Done).Replace("\n", newline, StringComparison.Ordinal);
        var usage = Wire.Usage.Replace("\n", newline, StringComparison.Ordinal);
        foreach (var pieceBytes in new[] { int.MaxValue, 7 })
        {
            Upstream.Reset();
            Upstream.Answers(Wire.Stream(Wire.Bytes(whole), pieceBytes));

            Assert.Equal(whole.Replace(usage, "", StringComparison.Ordinal), (await Setup.ChatAsync(Wire.Ask(), Cancel)).Text);
            Assert.Equal(whole.Replace(usage, "", StringComparison.Ordinal), (await Setup.ChatAsync(Wire.Ask(more: ",\"stream_options\":{\"include_usage\":false}"), Cancel)).Text);
            Assert.Equal(whole, (await Setup.ChatAsync(Wire.Ask(more: ",\"stream_options\":{\"include_usage\":true}"), Cancel)).Text);
        }
    }

    [Fact]
    public async Task A_usage_chunk_in_the_middle_is_taken_out_too()
    {
        // Some upstreams report as they go.
        Upstream.Answers(Wire.Stream(Wire.Usage + Wire.Role() + Wire.Usage + Wire.Text("Hi") + Wire.Usage + Wire.Finish() + Wire.Usage + Wire.Done));

        Assert.Equal(Wire.Role() + Wire.Text("Hi") + Wire.Finish() + Wire.Done, (await Setup.ChatAsync(Wire.Ask(), Cancel)).Text);
    }

    [Fact]
    public async Task A_missing_end_is_added()
    {
        var open = Wire.Role() + Wire.Text("Hi") + Wire.Finish();
        Upstream.Answers(Wire.Stream(open));

        Assert.Equal(open + Wire.Done, (await Setup.ChatAsync(Wire.Ask(), Cancel)).Text);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_missing_last_blank_line_is_added(int missing)
    {
        Upstream.Answers(Wire.Stream(Wire.Whole[..^missing]));
        var withOwnEnd = await Setup.ChatAsync(Wire.Ask(), Cancel);
        Upstream.Reset();
        Upstream.Answers(Wire.Stream((Wire.Role() + Wire.Text("Hi") + Wire.Finish())[..^missing]));
        var withOurs = await Setup.ChatAsync(Wire.Ask(), Cancel);

        // One line feed more than need be is a blank line, which every client skips.
        Assert.Equal((Wire.Whole, false), (Tidied(withOwnEnd), withOwnEnd.Broken));
        Assert.Equal((Wire.Role() + Wire.Text("Hi") + Wire.Finish() + Wire.Done, false), (Tidied(withOurs), withOurs.Broken));
    }

    [Fact]
    public async Task Nothing_follows_the_end()
    {
        Upstream.Answers(Wire.Stream(Wire.Whole + Wire.Text("late") + Wire.Done + ": bye\n\n"));

        Assert.Equal(Wire.Whole, (await Setup.ChatAsync(Wire.Ask(), Cancel)).Text);
    }

    [Theory]
    [InlineData(3_000_000, 1_000_000)]
    [InlineData(6_000_000, 65_537)]
    public async Task Events_of_megabytes_arrive(int characters, int pieceBytes)
    {
        var sent = Wire.Bytes(Wire.Role() + Wire.Text(new string('x', characters)) + Wire.Text("after") + Wire.Finish() + Wire.Done);
        Upstream.Answers(Wire.Stream(sent, pieceBytes));

        Assert.Equal(sent, (await Setup.ChatAsync(Wire.Ask(), Cancel)).Body);
    }

    [Fact]
    public async Task Several_choices_may_interleave()
    {
        var sent = Wire.Role() + Wire.Role(1) + Wire.Text("a", 1) + Wire.Text("b") + Wire.Finish("stop", 1) + Wire.Text("c") + Wire.Finish("length") + Wire.Done;
        Upstream.Answers(Wire.Stream(sent));

        var reply = await Setup.ChatAsync(Wire.Ask(more: ",\"n\":2"), Cancel);

        Assert.Equal(sent, reply.Text);
        await Transcript.AssertValidStreamAsync(Setup.Schemas, reply.Body, includeUsage: false, n: 2, Cancel);
    }

    private static string Tidied(RawReply reply) => reply.Text.Replace("\n\n\n", "\n\n", StringComparison.Ordinal);
}
