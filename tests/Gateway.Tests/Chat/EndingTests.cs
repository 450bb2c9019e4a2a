using System.Globalization;
using System.Text.Json.Nodes;
using Gateway.Tests.Http;
using Gateway.Tests.Support;

namespace Gateway.Tests.Chat;

/// <summary>A stream ends whole, or with one error event and a broken connection; never half and looking whole.</summary>
[Collection(ChatTestsShareOneGateway.Name)]
public sealed class EndingTests(ScriptedGateway setup) : ScriptedTest(setup)
{
    private const int Words = 60;
    private const string Said = """{"error":{"message":"Out of marbles.","type":"server_error","param":null,"code":"no_marbles"}}""";

    /// <summary>Half of what lies between the error event and the break.</summary>
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(50);

    private static readonly string Begun = Wire.Role() + Wire.Text("Hello");

    private static readonly Dictionary<string, string> Breaks = new()
    {
        ["a clean end"] = "",
        ["[DONE] too early"] = Wire.Done,
        ["no JSON"] = "data: <html>\n\n",
        ["half of a JSON"] = "data: {\"choices\":[\n\n",
        ["no object"] = "data: [1]\n\n",
        ["two objects"] = "data: {}{}\n\n",
        ["no data"] = "data:\n\n",
        ["half an event"] = "data: {\"choi",
    };

    public static TheoryData<string> AllBreaks => [.. Breaks.Keys];

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_stream_cut_after_each_event_is_an_error_until_it_was_finished(bool abort)
    {
        var events = Replies.WordEvents("plain", Enumerable.Range(1, Words).Select(i => $"word{i} "));
        Upstream.Answers(Answer.ByRequest(request =>
        {
            var k = request.Json["seed"]!.GetValue<int>();
            return Answer.Stream([.. events.Take(k).Select(Piece.Of), .. abort ? [Piece.Abort] : Array.Empty<Piece>()]);
        }));

        await Parallel.ForAsync(0, events.Count + 1, new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = Cancel }, async (k, cancel) =>
        {
            var reply = await Setup.ChatAsync(Wire.Ask(more: $",\"seed\":{k}"), cancel);
            var (role, finish) = (1, Words + 2);
            // A reader that a busy machine holds up sees less of the pause before the break, so the longest of some counts.
            for (var tries = 0; tries < 20 && k > role && k < finish && reply.AfterLastByte < ShortestPause; tries++)
            {
                reply = await Setup.ChatAsync(Wire.Ask(more: $",\"seed\":{k}"), cancel);
            }

            if (k <= role)
            {
                await Setup.AssertRefusedAsync(reply, 502, "upstream_unavailable", type: "server_error");
            }
            else if (k < finish)
            {
                Assert.True(reply.Ending == StreamEnding.ErrorThenAbort, $"After {k}: {reply.Ending} {reply.Text}");
                Assert.Equal(string.Concat(Enumerable.Range(1, k - 1).Select(i => $"word{i} ")), Transcript.ContentOf(reply.Body));
                Assert.InRange(reply.AfterLastByte, ShortestPause, TimeSpan.FromSeconds(3));
                await AssertErrorEventAsync(reply, "upstream_unavailable");
            }
            else
            {
                Assert.True(reply.Ending == StreamEnding.Done, $"After {k}: {reply.Ending} {reply.Text}");
                await Transcript.AssertValidStreamAsync(Setup.Schemas, reply.Body, includeUsage: false, n: 1, cancel);
            }
        });
    }

    [Fact]
    public async Task A_stream_cut_at_any_byte_behind_its_finish_is_whole()
    {
        var whole = Wire.Bytes(Begun + Wire.Finish() + Wire.Usage + Wire.Done);
        var finished = Wire.Bytes(Begun + Wire.Finish()).Length;
        Upstream.Answers(Answer.ByRequest(request => Answer.Stream(Piece.Of(whole[..request.Json["seed"]!.GetValue<int>()]), Piece.Abort)));

        await Parallel.ForAsync(finished, whole.Length, new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = Cancel }, async (at, cancel) =>
        {
            RawReply reply;
            var again = 0;
            do
            {
                reply = await Setup.ChatAsync(Wire.Ask(more: $",\"seed\":{at},\"stream_options\":{{\"include_usage\":true}}"), cancel);
            }
            // A connection that was broken behind its last byte may be used once more before that is seen.
            while (reply.Status == 502 && ++again < 5);

            Assert.True(reply.Ending == StreamEnding.Done, $"At {at}: {reply.Ending} {reply.Text}");
            Assert.Equal("Hello", Transcript.ContentOf(reply.Body));
        });
    }

    [Theory]
    [MemberData(nameof(AllBreaks))]
    public async Task A_break_before_any_content_is_a_refusal(string how)
    {
        foreach (var before in new[] { "", Wire.Role() })
        {
            Upstream.Reset();
            Upstream.Answers(Wire.Stream(before + Breaks[how]));

            var reply = await Setup.ChatAsync(Wire.Ask(), Cancel);

            var isMalformed = how is "no JSON" or "half of a JSON" or "no object" or "two objects" or "no data";
            await Setup.AssertRefusedAsync(reply, 502, isMalformed ? "upstream_invalid_reply" : "upstream_unavailable", type: "server_error");
        }
    }

    [Theory]
    [MemberData(nameof(AllBreaks))]
    public async Task A_break_behind_content_is_an_error_event_and_a_break(string how)
    {
        foreach (var pieceBytes in new[] { int.MaxValue, 11 })
        {
            Upstream.Reset();
            Upstream.Answers(Wire.Stream(Wire.Bytes(Begun + Breaks[how]), pieceBytes));

            var reply = await Setup.ChatAsync(Wire.Ask(), Cancel);

            Assert.Equal((200, StreamEnding.ErrorThenAbort), (reply.Status, reply.Ending));
            Assert.StartsWith(Begun, reply.Text, StringComparison.Ordinal);
            await AssertErrorEventAsync(reply, null);
        }
    }

    [Fact]
    public async Task An_upstreams_own_error_is_passed_on()
    {
        Upstream.Answers(Wire.Stream(Wire.Role() + Wire.Event(Said)));
        var before = await Setup.ChatAsync(Wire.Ask(), Cancel);
        Upstream.Reset();
        Upstream.Answers(Wire.Stream(Begun + Wire.Event(Said) + Wire.Done));
        var behind = await Setup.ChatAsync(Wire.Ask(), Cancel);

        Assert.Equal("Out of marbles.", await Setup.AssertRefusedAsync(before, 502, "no_marbles", type: "server_error"));
        Assert.Equal((StreamEnding.ErrorThenAbort, Begun + Wire.Event(Said)), (behind.Ending, behind.Text));
    }

    [Theory]
    [InlineData("""{"error":"boom"}""")]
    [InlineData("""{"error":{"code":5}}""")]
    [InlineData("""{"choices":[],"error":{"message":7}}""")]
    public async Task An_error_in_a_form_of_its_own_is_one_in_ours(string error)
    {
        Upstream.Answers(Wire.Stream(Begun + Wire.Event(error)));

        var reply = await Setup.ChatAsync(Wire.Ask(), Cancel);

        Assert.Equal(StreamEnding.ErrorThenAbort, reply.Ending);
        await AssertErrorEventAsync(reply, null);
    }

    [Fact]
    public async Task An_error_that_is_null_is_none()
    {
        var sent = Wire.Role() + Wire.Event("""{"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":"stop"}],"error":null}""") + Wire.Done;
        Upstream.Answers(Wire.Stream(sent));

        Assert.Equal(sent, (await Setup.ChatAsync(Wire.Ask(), Cancel)).Text);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Of_two_choices_both_must_be_finished(bool saysDone)
    {
        var end = saysDone ? Wire.Done : "";
        var one = Wire.Role() + Wire.Role(1) + Wire.Text("a") + Wire.Text("b", 1) + Wire.Finish();
        Upstream.Answers(Wire.Stream(one + end));
        var half = await Setup.ChatAsync(Wire.Ask(more: ",\"n\":2"), Cancel);
        Upstream.Reset();
        Upstream.Answers(Wire.Stream(one + Wire.Finish("length", 1) + end));
        var whole = await Setup.ChatAsync(Wire.Ask(more: ",\"n\":2"), Cancel);

        Assert.Equal((StreamEnding.ErrorThenAbort, StreamEnding.Done), (half.Ending, whole.Ending));
    }

    [Theory]
    [InlineData("2")]
    [InlineData("2.0")]
    public async Task A_choice_that_never_began_is_missing_when_the_connection_ends(string n)
    {
        Upstream.Answers(Answer.Stream(Piece.Of(Begun + Wire.Finish()), Piece.Abort));

        Assert.Equal(StreamEnding.ErrorThenAbort, (await Setup.ChatAsync(Wire.Ask(more: $",\"n\":{n}"), Cancel)).Ending);
    }

    [Fact]
    public async Task Names_that_are_no_text_break_nothing()
    {
        var sent = Wire.Role() + Wire.Event("""{"\ud800":1,"choices":[{"\udc00x":2,"index":0,"delta":{"\ud800":3,"content":"\ud800"},"finish_reason":null}]}""") + Wire.Finish() + Wire.Done;
        Upstream.Answers(Wire.Stream(sent), Answer.Json("""{"\ud800":1,"choices":[],"usage":{"\ud800":2}}"""));

        var stream = await Setup.ChatAsync(Wire.Ask(), Cancel);
        var plain = await Setup.ChatAsync(Wire.Ask(stream: false), Cancel);

        Assert.Equal((sent, 200), (stream.Text, plain.Status));
    }

    [Theory]
    [InlineData("text/html", "<html>Busy</html>")]
    [InlineData("application/json", "[]")]
    [InlineData("application/json", "")]
    [InlineData("application/json", "{\"choices\":[")]
    [InlineData("application/json", "{} {}")]
    [InlineData("application/json", "null")]
    public async Task A_plain_reply_that_is_no_object_is_a_refusal(string type, string body)
    {
        Upstream.Answers(Answer.Fixed(Wire.Bytes(body), contentType: type));

        await Setup.AssertRefusedAsync(await Setup.ChatAsync(Wire.Ask(stream: false), Cancel), 502, "upstream_invalid_reply", type: "server_error");
    }

    [Fact]
    public async Task A_plain_reply_that_breaks_off_is_a_refusal()
    {
        foreach (var answer in new[]
        {
            Answer.WrongLength("""{"choices":[]}""", 500), Answer.HangUp,
            Answer.Stream(new AnswerHead(ContentType: "application/json"), Piece.Of("""{"choices":"""), Piece.Abort),
        })
        {
            Upstream.Reset();
            Upstream.Answers(answer);

            await Setup.AssertRefusedAsync(await Setup.ChatAsync(Wire.Ask(stream: false), Cancel), 502, "upstream_unavailable", type: "server_error");
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_upstream_that_is_not_there_is_a_refusal(bool stream) => await Setup.AssertRefusedAsync(
        await Setup.ChatAsync(Wire.Ask("model/name=nowhere", stream), Cancel), 502, "upstream_unavailable", type: "server_error");

    [Theory]
    [InlineData(400, 400)]
    [InlineData(408, 408)]
    [InlineData(409, 409)]
    [InlineData(413, 413)]
    [InlineData(422, 422)]
    [InlineData(429, 429)]
    [InlineData(500, 500)]
    [InlineData(503, 503)]
    [InlineData(401, 502)]
    [InlineData(403, 502)]
    [InlineData(404, 502)]
    [InlineData(302, 502)]
    public async Task A_refusal_of_the_upstream_keeps_its_status_where_the_caller_can_act(int status, int seen)
    {
        foreach (var stream in new[] { true, false })
        {
            Upstream.Reset();
            Upstream.Answers(
                Answer.Refusal(status, "Said upstream.", "some_type", "some_code", retryAfter: "7"),
                Answer.Fixed(Wire.Bytes("<html>"), (System.Net.HttpStatusCode)status, "text/html"));

            var inForm = await Setup.ChatAsync(Wire.Ask(stream: stream), Cancel);
            var wrapped = await Setup.ChatAsync(Wire.Ask(stream: stream), Cancel);

            Assert.Equal((seen, seen), (inForm.Status, wrapped.Status));
            await Setup.Schemas.AssertValidAsync("ErrorResponse", inForm.Body, Cancel);
            await Setup.Schemas.AssertValidAsync("ErrorResponse", wrapped.Body, Cancel);
            var error = JsonNode.Parse(inForm.Body)!["error"]!;
            Assert.Equal(
                seen == status ? ("Said upstream.", "some_code", "7") : (null, "upstream_unavailable", null),
                (seen == status ? (string?)error["message"] : null, (string?)error["code"], inForm.Headers.GetValueOrDefault("Retry-After")));
            Assert.DoesNotContain("<html>", wrapped.Text, StringComparison.Ordinal);
            Assert.Equal(status is 429 or 503, wrapped.Headers.ContainsKey("Retry-After"));
        }
    }

    private async Task AssertErrorEventAsync(RawReply reply, string? code)
    {
        var events = Transcript.Events(reply.Body, mayBeCut: true);
        Assert.DoesNotContain("[DONE]", events);
        Assert.Single(events, Transcript.IsError);
        await Setup.Schemas.AssertValidAsync("ErrorResponse", Wire.Bytes(events[^1]), Cancel);
        Assert.True(
            code is null || (string?)JsonNode.Parse(events[^1])!["error"]!["code"] == code,
            string.Create(CultureInfo.InvariantCulture, $"Expected {code}: {events[^1]}"));
    }
}
