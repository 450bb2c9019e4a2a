using System.Text.Json.Nodes;
using Gateway.Tests.Support;

namespace Gateway.Tests.Passthrough;

/// <summary><c>/v1/completions</c>: streams end truthfully, as those of chat do.</summary>
public sealed class TextCompletionTests(PassthroughSetup setup) : PassthroughTest(setup)
{
    private const string Usage = """data: {"choices":[],"usage":{"prompt_tokens":2,"completion_tokens":3}}""" + "\n\n";

    [Fact]
    public async Task A_stream_travels_byte_for_byte_without_the_usage_that_was_not_asked_for()
    {
        Upstream.Answers(Answer.Stream(Piece.Of(Text(0, "a")), Piece.Of(End(0)), Piece.Of(Usage), Piece.Of(Replies.Done)));

        var reply = await PostAsync("""{"model":"model/name=scripted","prompt":"p","stream":true}""");

        Assert.Equal((Text(0, "a") + End(0) + Replies.Done, StreamEnding.Done), (reply.Text, reply.Ending));
        var request = Assert.Single(Upstream.Requests);
        Assert.Equal("/v1/completions", request.Target);
        Assert.Equal(
            """{"model":"real-name","prompt":"p","stream":true,"stream_options":{"include_usage":true}}""",
            System.Text.Encoding.UTF8.GetString(request.Body));
        Assert.Contains("tokens 2+3", await Setup.LogLineAsync(reply.Headers["x-request-id"], Cancel), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Usage_that_was_asked_for_arrives()
    {
        Upstream.Answers(Answer.Stream(Piece.Of(Text(0, "a")), Piece.Of(End(0)), Piece.Of(Usage), Piece.Of(Replies.Done)));

        var reply = await PostAsync(
            """{"model":"model/name=scripted","prompt":"p","stream":true,"stream_options":{"include_usage":true}}""");

        Assert.Contains(Usage, reply.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cut_ends_in_an_error_and_a_broken_connection()
    {
        Upstream.Answers(Answer.Stream(Piece.Of(Text(0, "a")), Piece.Abort));

        var reply = await PostAsync("""{"model":"model/name=scripted","prompt":"p","stream":true}""");

        Assert.Equal(StreamEnding.ErrorThenAbort, reply.Ending);
    }

    [Theory]
    // The upstream ends two choices and then its body, without [DONE].
    [InlineData("""{"model":"model/name=scripted","prompt":"p","n":2,"stream":true}""", StreamEnding.Done)]
    [InlineData("""{"model":"model/name=scripted","prompt":["p","q"],"stream":true}""", StreamEnding.Done)]
    [InlineData("""{"model":"model/name=scripted","prompt":[1,2,3,4],"n":2,"stream":true}""", StreamEnding.Done)]
    [InlineData("""{"model":"model/name=scripted","prompt":[[1,2],[3]],"stream":true}""", StreamEnding.Done)]
    [InlineData("""{"model":"model/name=scripted","prompt":["p","q"],"n":2,"stream":true}""", StreamEnding.ErrorThenAbort)]
    [InlineData("""{"model":"model/name=scripted","prompt":["p","q","r"],"stream":true}""", StreamEnding.ErrorThenAbort)]
    public async Task It_is_whole_when_each_choice_of_each_prompt_has_ended(string body, StreamEnding ending)
    {
        Upstream.Answers(Answer.Stream(
            Piece.Of(Text(0, "a")), Piece.Of(Text(1, "b")), Piece.Of(End(0)), Piece.Wait(TimeSpan.FromMilliseconds(50)), Piece.Of(End(1))));

        Assert.Equal(ending, (await PostAsync(body)).Ending);
    }

    [Fact]
    public async Task A_plain_reply_travels_byte_for_byte()
    {
        const string Whole = """{ "id":"cmpl-1", "choices":[{"text":"a","index":0,"finish_reason":"stop"}], "usage":{"prompt_tokens":2,"completion_tokens":3}}""";
        Upstream.Answers(Answer.Json(Whole));

        var reply = await PostAsync("""{"model":"model/name=scripted","prompt":"p"}""");

        Assert.Equal((200, Whole), (reply.Status, reply.Text));
    }

    [Fact]
    public async Task The_simulator_answers_both_ways()
    {
        var plain = await PostAsync("""{"model":"model/name=demo","prompt":["say:one","say:two"],"n":2}""");
        var streamed = await PostAsync("""{"model":"model/name=demo","prompt":["say:one","say:two"],"n":2,"stream":true}""");

        Assert.Equal(4, JsonNode.Parse(plain.Body)!["choices"]!.AsArray().Count);
        Assert.Equal(StreamEnding.Done, streamed.Ending);
    }

    [Theory]
    [InlineData("""{"model":"model/name=scripted","stream":"yes"}""", "stream")]
    [InlineData("""{"model":"model/name=scripted","stream_options":[]}""", "stream_options")]
    [InlineData("""{"model":"model/name=scripted","n":"2"}""", "n")]
    public async Task A_wrong_type_is_refused_by_name(string body, string param)
    {
        var reply = await PostAsync(body);

        Assert.Equal((400, "invalid_type"), (reply.Status, Code(reply)));
        Assert.Contains($"'{param}'", reply.Text, StringComparison.Ordinal);
    }

    private static string Text(int index, string text) =>
        $$$"""data: {"id":"cmpl-1","choices":[{"text":"{{{text}}}","index":{{{index}}},"finish_reason":null}]}""" + "\n\n";

    private static string End(int index) =>
        $$$"""data: {"id":"cmpl-1","choices":[{"text":"","index":{{{index}}},"finish_reason":"stop"}]}""" + "\n\n";

    private Task<RawReply> PostAsync(string body) => RawReply.PostAsync(Client, "/v1/completions", body, Cancel);
}
