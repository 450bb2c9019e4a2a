using System.ClientModel.Primitives;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.Bots;
using Gateway.Chat;
using Gateway.Tests.Support;
using OpenAI.Chat;

namespace Gateway.Tests.Bots;

/// <summary>Marks in an answer become annotations that clients can read.</summary>
public sealed class CitationTests(SchemaValidator schemas)
{
    private static readonly Citation Page = new("A page", "https://example.com/a", null, null);
    private static readonly Citation Record = new("A record", null, "rec_1", "a.md");

    [Theory]
    [InlineData("It is so [1].", "9-12:A page")]
    [InlineData("[2][1]", "0-3:A record 3-6:A page")]
    [InlineData("Both [1, 2]", "5-11:A page 5-11:A record")]
    [InlineData("[3] [0] [x] [] [ 1] [1 [ [1", "")]
    [InlineData("[[1]] 😀 [1]", "1-4:A page 9-12:A page")]
    public void Marks_are_found_whatever_the_pieces(string text, string found)
    {
        var sources = new Citations();
        sources.Number(Page);
        sources.Number(Record);

        foreach (var length in new[] { 1, 2, 3, text.Length })
        {
            var marks = new CitationMarks(sources);
            var cited = text.Chunk(length).SelectMany(piece => marks.Read(new string(piece)));
            Assert.Equal(found, string.Join(' ', cited.Select(c => $"{c.Start}-{c.End}:{c.Source.Title}")));
        }
    }

    [Fact]
    public void Sources_of_earlier_steps_have_their_numbers_and_new_ones_those_behind()
    {
        var sources = new Citations();
        var other = new Citation("Other", "https://example.com/b", null, null);

        sources.Restore([Page]);
        sources.Restore([Page, Record]);

        Assert.Equal([2, 3, 1], new[] { Record, other, Page }.Select(sources.Number));
        Assert.Equal([Page, Record, other], sources.All);
    }

    [Fact]
    public async Task Annotations_follow_the_schema_and_are_read_by_the_SDK()
    {
        var reply = new BotReply(1_000);
        BotEvent[] events = [new BotEvent.Text("So [1].", null), new BotEvent.Cited(3, 6, Page), new BotEvent.Finished("stop", null)];
        Assert.All(events, e => Assert.True(reply.TryAdd(e)));

        var whole = Writer().Whole(reply).ToArray();
        var writer = Writer();
        var chunks = events.SelectMany(e => writer.Chunks(e).ToArray()).ToArray();

        await schemas.AssertValidAsync("CreateChatCompletionResponse", whole, TestContext.Current.CancellationToken);
        await Transcript.AssertValidStreamAsync(schemas, chunks, includeUsage: false, n: 1, TestContext.Current.CancellationToken);
#pragma warning disable OPENAI001 // The SDK calls them experimental.
        var annotation = Assert.Single(ModelReaderWriter.Read<ChatCompletion>(BinaryData.FromBytes(whole))!.Annotations);
        Assert.Equal((3, 6, "A page", new Uri(Page.Url!)), (annotation.StartIndex, annotation.EndIndex, annotation.WebResourceTitle, annotation.WebResourceUri));
#pragma warning restore OPENAI001
        var streamed = Assert.Single(Transcript.Events(chunks).SkipLast(1).Select(e => JsonNode.Parse(e)!["choices"]![0]!["delta"]!["annotations"]).OfType<JsonNode>());
        Assert.Equal(JsonNode.Parse(whole)!["choices"]![0]!["message"]!["annotations"]!.ToJsonString(), streamed.ToJsonString());
    }

    [Fact]
    public void A_record_without_an_address_is_a_file_and_does_no_harm_in_the_SDK()
    {
        var reply = new BotReply(1_000);
        Assert.True(reply.TryAdd(new BotEvent.Text("So [1].", null)) && reply.TryAdd(new BotEvent.Cited(3, 6, Record)));

        var whole = Writer().Whole(reply).ToArray();

        Assert.Contains(
            """{"type":"file_citation","file_citation":{"start_index":3,"end_index":6,"title":"A record","file_id":"rec_1","filename":"a.md"}}""",
            Encoding.UTF8.GetString(whole), StringComparison.Ordinal);
        Assert.Equal("So [1].", ModelReaderWriter.Read<ChatCompletion>(BinaryData.FromBytes(whole))!.Content[0].Text);
    }

    private static BotReplyWriter Writer() => new("bot/id=x", 1_700_000_000, wantsUsage: false, isLegacy: false, showsSteps: false);
}
