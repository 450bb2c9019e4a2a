using System.Globalization;
using System.Text.Json.Nodes;
using Gateway.Tests.Support;

namespace Gateway.Tests.Faults;

/// <summary>Sixty words, providers that break them off or carry them on, and the judgement of what came of it.</summary>
internal static class RescueCase
{
    public const int Count = 60;

    public static IReadOnlyList<string> Chunks { get; } =
        [.. Enumerable.Range(1, Count).Select(i => string.Create(CultureInfo.InvariantCulture, $"{(i == 1 ? "" : " ")}w{i}"))];

    public static string Text { get; } = string.Concat(Chunks);

    /// <summary>What is asked so that the stream is cut after so many words.</summary>
    public static string CutAfter(int words) => string.Create(CultureInfo.InvariantCulture, $"cut:{words}");

    /// <summary>Says the words up to where the question says, and breaks off.</summary>
    public static UpstreamAnswer Breaks { get; } = Answer.ByRequest(request => Say.Part(Chunks.Take(CutOf(request)).ToList(), Piece.Abort));

    /// <summary>Continues the words from where the assistant's message ends; says them all where there is none.</summary>
    public static UpstreamAnswer Continues { get; } = Answer.ByRequest(request =>
        Answer.Stream([.. Say.Events(request.Model, Rest(request)).Select(Piece.Of)]));

    /// <summary>Continues with so many words and breaks off too.</summary>
    public static UpstreamAnswer ContinuesFor(int words) => Answer.ByRequest(request => Say.Part([.. Rest(request).Take(words)], Piece.Abort));

    /// <summary>Says all of it again, as one that takes no prefix.</summary>
    public static UpstreamAnswer Repeats { get; } = Answer.ByRequest(request =>
        Answer.Stream([.. Say.Events(request.Model, Chunks).Select(Piece.Of)]));

    /// <summary>The same up to a word, and then others.</summary>
    public static UpstreamAnswer ParaphrasesFrom(int word) => Answer.ByRequest(request => Answer.Stream(
        [.. Say.Events(request.Model, Chunks.Take(word - 1).Concat(Chunks.Skip(word - 1).Select(w => w.Replace('w', 't')))).Select(Piece.Of)]));

    /// <summary>The unfinished answer that a provider was sent; null where there is none.</summary>
    public static string? PrefixOf(UpstreamRequest request)
    {
        var last = request.Json["messages"]!.AsArray()[^1]!;
        return (string?)last["role"] == "assistant" ? (string?)last["content"] : null;
    }

    /// <summary>A whole stream that nobody would know was two: each word once, one id, one role, one finish, [DONE].</summary>
    /// <param name="answeredBy">The model of the last chunk.</param>
    public static void AssertWhole(RawReply reply, string text, string answeredBy)
    {
        Assert.True(reply.Ending == StreamEnding.Done, $"{reply.Status} {reply.Ending}: {reply.Text}");
        Assert.Equal(text, Transcript.ContentOf(reply.Body));
        var chunks = Transcript.Events(reply.Body).SkipLast(1).Select(e => JsonNode.Parse(e)!).ToList();
        Assert.Single(chunks.Select(c => (string)c["id"]!).Distinct());
        var choices = chunks.SelectMany(c => c["choices"]!.AsArray()).ToList();
        Assert.Single(choices, c => c!["delta"]!["role"] is not null);
        Assert.Equal("stop", (string?)Assert.Single(choices, c => c!["finish_reason"] is not null)!["finish_reason"]);
        Assert.Equal(answeredBy, (string?)chunks[^1]["model"]);
    }

    private static IReadOnlyList<string> Rest(UpstreamRequest request)
    {
        var prefix = PrefixOf(request) ?? "";
        // A prefix that is not the beginning would make words that the test sees.
        return Text.StartsWith(prefix, StringComparison.Ordinal)
            ? [.. Chunks.Skip(prefix.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length)]
            : ["no such prefix"];
    }

    private static int CutOf(UpstreamRequest request) => int.Parse(
        ((string)request.Json["messages"]!.AsArray().Last(m => (string?)m!["role"] == "user")!["content"]!).Split(':')[1],
        CultureInfo.InvariantCulture);
}
