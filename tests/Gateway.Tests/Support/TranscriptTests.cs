using System.Text;

namespace Gateway.Tests.Support;

/// <summary>Each rule of the whole-transcript check is broken once here, to see that it is one.</summary>
public sealed class TranscriptTests(SchemaValidator schemas)
{
    private static readonly string[] Words = ["Hello", " world"];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Streams_of_words_and_of_tool_calls_are_valid()
    {
        await AssertValidAsync(Replies.WordEvents("m", Words));
        await AssertValidAsync([": keep-alive\n\n", .. Replies.ToolCallEvents("m", "f", """{"a":1}""")]);
        Assert.Equal("Hello world", Transcript.ContentOf(Bytes(Replies.WordEvents("m", Words))));
    }

    [Theory]
    [InlineData("role twice")]
    [InlineData("no role")]
    [InlineData("no finish")]
    [InlineData("text after finish")]
    [InlineData("no usage")]
    [InlineData("usage twice")]
    [InlineData("no done")]
    [InlineData("done twice")]
    [InlineData("text after done")]
    [InlineData("other model")]
    [InlineData("an id line")]
    [InlineData("cut last event")]
    [InlineData("unknown finish_reason")]
    [InlineData("error member")]
    public async Task A_broken_rule_is_found(string fault)
    {
        var broken = Break(fault, [.. Replies.WordEvents("m", Words)]);

        await Assert.ThrowsAnyAsync<Xunit.Sdk.XunitException>(() => AssertValidAsync(broken));
    }

    [Fact]
    public async Task Usage_that_was_not_asked_for_is_found()
    {
        var events = Bytes(Replies.WordEvents("m", Words));

        await Assert.ThrowsAnyAsync<Xunit.Sdk.XunitException>(
            () => Transcript.AssertValidStreamAsync(schemas, events, includeUsage: false, n: 1, Cancel));
    }

    [Theory]
    [InlineData("data: {}\n\ndata: [DONE]\n\n", false, StreamEnding.Done)]
    [InlineData("data: {}\n\n", false, StreamEnding.EndWithoutDone)]
    [InlineData("data: {}\n\n", true, StreamEnding.Abort)]
    [InlineData("data: {}\n\ndata: {\"er", true, StreamEnding.Abort)]
    [InlineData("data: {}\n\ndata: {\"error\":{}}\n\n", true, StreamEnding.ErrorThenAbort)]
    [InlineData("data: {}\n\ndata: {\"error\":{}}\n\n", false, StreamEnding.ErrorThenEnd)]
    [InlineData("", true, StreamEnding.Abort)]
    public void Endings_are_told_apart(string body, bool broken, StreamEnding ending) =>
        Assert.Equal(ending, Transcript.EndingOf(Encoding.UTF8.GetBytes(body), broken));

    private static List<string> Break(string fault, List<string> events)
    {
        // 0 role, 1 and 2 words, 3 finish, 4 usage, 5 [DONE]
        switch (fault)
        {
            case "role twice": events.Insert(1, events[0]); break;
            case "no role": events.RemoveAt(0); break;
            case "no finish": events.RemoveAt(3); break;
            case "text after finish": events.Insert(4, events[1]); break;
            case "no usage": events.RemoveAt(4); break;
            case "usage twice": events.Insert(4, events[4]); break;
            case "no done": events.RemoveAt(5); break;
            case "done twice": events.Add(events[5]); break;
            case "text after done": events.Add(events[1]); break;
            case "other model": events[2] = events[2].Replace("\"model\":\"m\"", "\"model\":\"x\"", StringComparison.Ordinal); break;
            case "an id line": events[2] = "id: 7\n" + events[2]; break;
            case "cut last event": events[5] = "data: [DONE]\n"; break;
            case "unknown finish_reason": events[3] = events[3].Replace("\"stop\"", "\"eos\"", StringComparison.Ordinal); break;
            case "error member": events[2] = events[2].Replace("\"usage\":null", "\"usage\":null,\"error\":null", StringComparison.Ordinal); break;
            default: throw new ArgumentOutOfRangeException(nameof(fault), fault, null);
        }

        return events;
    }

    private static byte[] Bytes(IEnumerable<string> events) => Encoding.UTF8.GetBytes(string.Concat(events));

    private Task AssertValidAsync(IEnumerable<string> events) =>
        Transcript.AssertValidStreamAsync(schemas, Bytes(events), includeUsage: true, n: 1, Cancel);
}
