using System.Text.Json.Nodes;
using ChatKit.Tests.Support;

namespace ChatKit.Tests.Server;

/// <summary>Questions and their answers: specification §4.5.</summary>
public sealed class StructuredInputTests(ChatKitSchema schema) : ServerTest(schema)
{
    [Fact]
    public async Task S17_answers_are_sent_and_stored_and_the_reply_goes_on()
    {
        var events = await AnsweredAsync("""{"answers":{"size":{"values":["Huge"]},"why":{"values":["Because"]}}}""");

        Assert.Equal(["stream_options", "thread.item.replaced", "thread.item.done"], TypesOf(events));
        AssertJson("\"answered\"", events[1]["item"]!["status"]);
        AssertAnswers("""{"values":["Huge"],"skipped":false}""", """{"values":["Because"],"skipped":false}""", events[1]);
        var stored = Assert.IsType<StructuredInputItem>(await Store.LoadItemAsync("thr_1", "msg_q", Ann, Cancel));
        AssertJson(events[1]["item"]!.ToJsonString(), JsonNode.Parse(ChatKitJson.ToWire(stored)));
    }

    [Fact]
    public async Task S18_an_omitted_answer_counts_as_skipped() => AssertAnswers(
        """{"values":["S"],"skipped":false}""",
        """{"values":[],"skipped":true}""",
        (await AnsweredAsync("""{"answers":{"size":{"values":["S"]}}}"""))[1]);

    [Fact]
    public async Task S19_answers_to_unknown_questions_are_ignored()
    {
        var events = await AnsweredAsync("""{"answers":{"never":{"values":["x"]},"size":{"values":["S"]},"why":{"values":["y"]}}}""");

        Assert.Equal(2, events[1]["item"]!["inputs"]!.AsArray().Count);
        AssertAnswers("""{"values":["S"],"skipped":false}""", """{"values":["y"],"skipped":false}""", events[1]);
    }

    [Fact]
    public async Task S20_a_single_choice_keeps_its_first_value()
    {
        var events = await AnsweredAsync("""{"answers":{"size":{"values":["S","L"]},"why":{"values":["a","b"]}}}""");

        AssertAnswers("""{"values":["S"],"skipped":false}""", """{"values":["a","b"],"skipped":false}""", events[1]);
        var stored = Assert.IsType<StructuredInputItem>(await Store.LoadItemAsync("thr_1", "msg_q", Ann, Cancel));
        Assert.Equal(["S"], stored.Inputs[0].Answer!.Values);
    }

    [Fact]
    public async Task A_question_that_is_skipped_or_answered_with_nothing_has_no_values() => AssertAnswers(
        """{"values":[],"skipped":true}""",
        """{"values":[],"skipped":true}""",
        (await AnsweredAsync("""{"answers":{"size":{"values":["S"],"skipped":true},"why":{"values":[]}}}"""))[1]);

    [Fact]
    public async Task Skipping_it_all_skips_every_question()
    {
        var events = await AnsweredAsync("""{"status":"skipped","answers":{"size":{"values":["S"]}}}""");

        AssertJson("\"skipped\"", events[1]["item"]!["status"]);
        AssertAnswers("""{"values":[],"skipped":true}""", """{"values":[],"skipped":true}""", events[1]);
    }

    [Fact]
    public async Task Questions_are_answered_once()
    {
        await AnsweredAsync("""{"answers":{"size":{"values":["S"]}}}""");

        var refusal = await RefusalAsync(Ask.Answers("thr_1", "msg_q", []));

        Assert.Equal((409, "already_answered"), (refusal.Status, refusal.Code));
    }

    [Fact]
    public async Task Only_questions_can_be_answered()
    {
        await BegunAsync();

        var refusal = await Assert.ThrowsAsync<InvalidRequestException>(() => ProcessAsync(Ask.Answers("thr_1", "msg_r", [])));

        Assert.Equal("params.item_id", refusal.Path);
        Assert.Equal(404, (await RefusalAsync(Ask.Answers("thr_1", "msg_never", []))).Status);
    }

    private static void AssertAnswers(string size, string why, JsonObject replaced)
    {
        AssertJson(size, replaced["item"]!["inputs"]![0]!["answer"]);
        AssertJson(why, replaced["item"]!["inputs"]![1]!["answer"]);
    }

    private async Task<IReadOnlyList<JsonObject>> AnsweredAsync(string input)
    {
        await BegunAsync(thread =>
        [
            Make.Questions(
                thread,
                "msg_q",
                new MultipleChoiceInput { Id = "size", Question = "Which size?", Options = [new() { Value = "S" }, new() { Value = "L" }] },
                new MultipleChoiceInput { Id = "why", Question = "Why?", Options = [new() { Value = "x" }], Multiple = true }),
        ]);
        Server.OnRespond = (thread, message, _) =>
        {
            Assert.Null(message);
            return Script.Of(Make.Done(Make.Reply(thread, "msg_r", "Thank you.")));
        };
        return await StreamAsync(Ask.Answers("thr_1", "msg_q", JsonNode.Parse(input)!.AsObject()));
    }
}
