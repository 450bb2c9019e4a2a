using System.Text.Json;
using System.Text.RegularExpressions;
using Gateway.Tests.Support;

namespace Gateway.Tests.Faults;

/// <summary>What is never carried on, and texts whose JSON is not simple.</summary>
public sealed partial class RescueRuleTests(FaultSetup setup) : FaultTest(setup)
{
    private const string Tool = """{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}""";

    /// <summary>As one would write these in JSON: every kind of escape, and a pair that comes in two halves.</summary>
    private static readonly string[] Escaped =
        ["Caf\\u00e9", " \\\"quoted\\\" \\\\ \\/", "\\n\\tnext", " \\ud83d\\ude00", " \\ud83d", "\\ude00", " äöü 😀", "<&>'\\u0000", " end"];

    public static TheoryData<string, string> Never { get; } = new()
    {
        { "tools", $",\"tools\":[{Tool}]" },
        { "functions", ",\"functions\":[{\"name\":\"f\",\"parameters\":{\"type\":\"object\"}}]" },
        { "logprobs", ",\"logprobs\":true" },
        { "json", ",\"response_format\":{\"type\":\"json_object\"}" },
        { "schema", ",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"x\",\"schema\":{\"type\":\"object\"}}}" },
        { "two choices", ",\"n\":2" },
        { "audio", ",\"modalities\":[\"text\",\"audio\"],\"audio\":{\"voice\":\"alloy\",\"format\":\"wav\"}" },
    };

    [Theory]
    [MemberData(nameof(Never))]
    public async Task It_is_never_done_for(string what, string more)
    {
        foreach (var profile in new[] { "prefill", "replay" })
        {
            var call = At(Door.ModelStream, profile).On("a", RescueCase.Breaks).On("c-f1", RescueCase.Repeats);

            call.AssertBroken(await call.AskAsync(RescueCase.CutAfter(5), more), 502, "upstream_unavailable");

            Assert.True(call.AskedAt("c-f1").Count == 0, what);
        }
    }

    [Theory]
    [InlineData(",\"response_format\":{\"type\":\"text\"}")]
    [InlineData(",\"tools\":[],\"logprobs\":false,\"n\":1")]
    [InlineData(",\"logprobs\":null,\"response_format\":null,\"modalities\":[\"text\"]")]
    public async Task What_says_nothing_does_not_hinder(string more)
    {
        var call = At(Door.ModelStream, "prefill").On("a", RescueCase.Breaks).On("c-f1", RescueCase.Continues);

        RescueCase.AssertWhole(await call.AskAsync(RescueCase.CutAfter(5), more), RescueCase.Text, $"{call.Model}-f1");
    }

    [Fact]
    public async Task It_can_be_turned_off()
    {
        var call = At(Door.ModelStream, "norescue").On("a", RescueCase.Breaks).On("c-f1", RescueCase.Continues);

        call.AssertBroken(await call.AskAsync(RescueCase.CutAfter(5)), 502, "upstream_unavailable");
        Assert.Empty(call.AskedAt("c-f1"));
    }

    [Theory]
    [InlineData("reasoning_content")]
    [InlineData("reasoning")]
    [InlineData("refusal")]
    public async Task More_than_text_is_not_carried_on(string member)
    {
        foreach (var profile in new[] { "prefill", "replay" })
        {
            var call = At(Door.ModelStream, profile).On("c-f1", RescueCase.Repeats).On("a", Answer.Stream(
                Piece.Of(Chunk($$"""{"role":"assistant","{{member}}":"Hm."}""")), Piece.Of(Chunk("""{"content":"w1"}""")), Piece.Abort));

            call.AssertBroken(await call.AskAsync(), 502, "upstream_unavailable");
            Assert.Empty(call.AskedAt("c-f1"));
        }
    }

    [Theory]
    [InlineData("prefill")]
    [InlineData("replay")]
    [InlineData("either")]
    public async Task Tool_calls_cut_at_any_chunk_are_an_error(string profile)
    {
        // Role, beginning of the call, two fragments; a provider may call tools that were offered in words alone.
        foreach (var offered in new[] { $",\"tools\":[{Tool}]", "" })
        {
            for (var k = 2; k <= 4; k++)
            {
                var call = At(Door.ModelStream, profile).On("c-f1", RescueCase.Repeats).On("a", Answer.Stream(
                    [.. Replies.ToolCallEvents("m", "f", "{\"city\":\"Paris\"}").Take(k).Select(Piece.Of), Piece.Abort]));

                call.AssertBroken(await call.AskAsync(more: offered), 502, "upstream_unavailable");
                Assert.Empty(call.AskedAt("c-f1"));
            }
        }
    }

    [Fact]
    public async Task Text_before_a_tool_call_that_is_cut_is_an_error_too()
    {
        var call = At(Door.ModelStream, "either").On("c-f1", RescueCase.Continues).On("a", Say.Part(
            ["w1"], Piece.Of(Replies.ToolCallEvents("m", "f", "{}")[1]), Piece.Abort));

        call.AssertBroken(await call.AskAsync(), 502, "upstream_unavailable");
        Assert.Empty(call.AskedAt("c-f1"));
    }

    [Theory]
    [InlineData("prefill")]
    [InlineData("replay")]
    public async Task Escapes_are_told_and_compared_by_what_they_mean(string profile)
    {
        for (var k = 1; k <= Escaped.Length; k++)
        {
            var call = At(Door.ModelStream, profile);
            var told = "";
            call.On("a", Answer.Stream([.. Begin, .. Escaped.Take(k).Select(Text), Piece.Abort]));
            call.On("c-f1", Answer.ByRequest(request =>
            {
                told = RescueCase.PrefixOf(request) ?? "";
                return Answer.Stream([.. Begin, .. Escaped.Skip(profile == "prefill" ? k : 0).Select(Text), Piece.Of(Finish), Piece.Of(Replies.Done)]);
            }));

            var reply = await call.AskAsync();

            if (Escaped[k - 1] == " \\ud83d")
            {
                // Half a character can be nobody's prefix, and nothing to compare with.
                call.AssertBroken(reply, 502, "upstream_unavailable");
                continue;
            }

            Assert.True(reply.Ending == StreamEnding.Done, $"After {k}: {reply.Text}");
            Assert.Equal(Unescape(string.Concat(Escaped)), Unescape(string.Concat(Content().Matches(reply.Text).Select(m => m.Groups[1].Value))));
            Assert.Equal(profile == "prefill" ? Unescape(string.Concat(Escaped.Take(k))) : "", told);
        }
    }

    [Fact]
    public async Task A_bots_whole_reply_names_the_attempts_behind_its_first_content_too()
    {
        var call = At(Door.BotPlain, "prefill").On("a", RescueCase.Breaks).On("c-f1", RescueCase.Continues);
        call.AssertAnswered(await call.AskAsync(RescueCase.CutAfter(5)), RescueCase.Text, "a=cut", "c-f1=ok");

        call = At(Door.BotPlain, "norescue").On("a", RescueCase.Breaks);
        await call.AssertRefusedAsync(await call.AskAsync(RescueCase.CutAfter(5)), 502, "upstream_unavailable", "a=cut");
    }

    private static Piece[] Begin => [Piece.Of(Chunk("""{"role":"assistant","content":""}"""))];

    private static string Finish => Chunk("{}", "\"stop\"");

    private static Piece Text(string escaped) => Piece.Of(Chunk($$"""{"content":"{{escaped}}"}"""));

    private static string Chunk(string delta, string finish = "null") =>
        "data: {\"id\":\"x\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":" + delta
        + ",\"finish_reason\":" + finish + "}]}\n\n";

    private static string Unescape(string json) => JsonSerializer.Deserialize<string>($"\"{json}\"")!;

    [GeneratedRegex("\"content\":\"((?:[^\"\\\\]|\\\\.)*)\"")]
    private static partial Regex Content();
}
