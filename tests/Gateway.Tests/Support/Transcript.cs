using System.Text;
using System.Text.Json.Nodes;

namespace Gateway.Tests.Support;

/// <summary>Reads and judges whole event streams; what the rules are for is what OpenAI's SDKs were seen to need.</summary>
public static class Transcript
{
    private const string Data = "data: ";
    private const string Done = "[DONE]";

    /// <summary>
    /// The payload of each event, <c>[DONE]</c> included. Fails unless the bytes are nothing but
    /// <c>data: &lt;one line&gt;\n\n</c> and keep-alive comments.
    /// </summary>
    /// <param name="mayBeCut">An unfinished last event is left out instead of failing.</param>
    public static IReadOnlyList<string> Events(ReadOnlySpan<byte> body, bool mayBeCut = false)
    {
        // A cut may fall into the middle of a character, so only whole blocks are decoded strictly.
        var end = body.LastIndexOf("\n\n"u8);
        var whole = end < 0 ? [] : body[..(end + 2)];
        if (!mayBeCut && whole.Length != body.Length)
        {
            Assert.Fail($"The stream does not end with an empty line: …{Encoding.UTF8.GetString(body[whole.Length..])}");
        }

        var text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(whole);
        var events = new List<string>();
        foreach (var block in text.Split("\n\n")[..^1])
        {
            if (block.StartsWith(':') && !block.Contains('\n', StringComparison.Ordinal))
            {
                continue;
            }

            if (!block.StartsWith(Data, StringComparison.Ordinal) || block.AsSpan().ContainsAny('\r', '\n'))
            {
                Assert.Fail($"Not 'data: <one line>' followed by an empty line: {block}");
            }

            events.Add(block[Data.Length..]);
        }

        return events;
    }

    /// <summary>How a client saw the stream end.</summary>
    public static StreamEnding EndingOf(ReadOnlySpan<byte> body, bool broken)
    {
        var events = Events(body, mayBeCut: true);
        return events switch
        {
            [.., Done] when !broken => StreamEnding.Done,
            [.., var last] when last != Done && IsError(last) => broken ? StreamEnding.ErrorThenAbort : StreamEnding.ErrorThenEnd,
            _ => broken ? StreamEnding.Abort : StreamEnding.EndWithoutDone,
        };
    }

    public static bool IsError(string payload) =>
        payload != Done && JsonNode.Parse(payload) is JsonObject chunk && chunk.ContainsKey("error");

    /// <summary>The text of one choice, put together as a client does.</summary>
    public static string ContentOf(ReadOnlySpan<byte> body, int choice = 0) => string.Concat(
        Events(body, mayBeCut: true).Where(e => e != Done && !IsError(e))
            .SelectMany(e => JsonNode.Parse(e)!["choices"]!.AsArray())
            .Where(c => c!["index"]!.GetValue<int>() == choice)
            .Select(c => c!["delta"]!["content"]?.GetValue<string>()));

    /// <summary>Judges a finished stream from its first byte to <c>[DONE]</c>.</summary>
    /// <param name="includeUsage">Whether the caller asked for it; null judges no usage chunk, present or absent.</param>
    /// <param name="n">How many choices were asked for.</param>
    public static async Task AssertValidStreamAsync(
        SchemaValidator schemas, ReadOnlyMemory<byte> body, bool? includeUsage, int n, CancellationToken cancel)
    {
        var events = Events(body.Span);
        Assert.True(events.Count > 0 && events[^1] == Done, $"The stream does not end with [DONE]: {Encoding.UTF8.GetString(body.Span)}");
        Assert.Equal(1, events.Count(e => e == Done));

        var chunks = new List<JsonObject>();
        foreach (var payload in events.Take(events.Count - 1))
        {
            await schemas.AssertValidAsync("CreateChatCompletionStreamResponse", Encoding.UTF8.GetBytes(payload), cancel);
            chunks.Add(JsonNode.Parse(payload)!.AsObject());
        }

        Assert.DoesNotContain(chunks, chunk => chunk.ContainsKey("error"));
        foreach (var member in new[] { "id", "created", "model" })
        {
            Assert.Single(chunks.Select(chunk => chunk[member]!.ToJsonString()).Distinct());
        }

        AssertUsage(chunks, includeUsage);
        var choices = new SortedDictionary<int, ChoiceTranscript>();
        foreach (var choice in chunks.SelectMany(chunk => chunk["choices"]!.AsArray()))
        {
            var index = choice!["index"]!.GetValue<int>();
            if (!choices.TryGetValue(index, out var seen))
            {
                choices[index] = seen = new ChoiceTranscript();
            }

            seen.Add(choice.AsObject());
        }

        Assert.Equal(Enumerable.Range(0, n), choices.Keys);
        Assert.All(choices.Values, choice => choice.AssertFinished());
    }

    private static void AssertUsage(List<JsonObject> chunks, bool? includeUsage)
    {
        var withUsage = chunks.Where(chunk => chunk["usage"] is not null).ToList();
        switch (includeUsage)
        {
            case true:
                Assert.Same(chunks[^1], Assert.Single(withUsage));
                Assert.Empty(chunks[^1]["choices"]!.AsArray());
                Assert.All(chunks, chunk => Assert.True(chunk.ContainsKey("usage"), "A chunk has no 'usage', not even null."));
                var usage = chunks[^1]["usage"]!;
                Assert.Equal(
                    usage["total_tokens"]!.GetValue<int>(),
                    usage["prompt_tokens"]!.GetValue<int>() + usage["completion_tokens"]!.GetValue<int>());
                break;
            case false:
                Assert.Empty(withUsage);
                Assert.DoesNotContain(chunks, chunk => chunk["choices"]!.AsArray().Count == 0);
                break;
        }
    }
}
