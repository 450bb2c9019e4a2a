using Gateway.Bots.Datasets;
using Gateway.Upstream;

namespace Gateway.Tests.Bots.Datasets;

public sealed class ChunkerTests
{
    [Fact]
    public void A_piece_is_a_section_with_the_headings_above_it()
    {
        const string Text = """
            Before.

            # Handbook
            ## Leave
            Thirty days.

            Ask early.
            ## Pay
            ### Bonus
            In May.
            # Empty
            """;

        Assert.Equal(
            ["Before.", "Handbook > Leave\n\nThirty days.\n\nAsk early.", "Handbook > Pay > Bonus\n\nIn May.", "Empty"],
            Chunker.Split(Text, 512, 64).Select(p => p.Text));
    }

    [Fact]
    public void Paragraphs_stay_whole_as_long_as_they_fit()
    {
        var paragraphs = Enumerable.Range(0, 20).Select(i => $"Paragraph {i}: {string.Join(' ', Enumerable.Repeat("word", 20))}.").ToList();

        var pieces = Chunker.Split(string.Join("\n\n", paragraphs), 100, 0);

        Assert.Equal(paragraphs, pieces.SelectMany(p => p.Text.Split("\n\n")));
        Assert.All(pieces, p => Assert.InRange(p.Tokens, 1, 100));
    }

    [Fact]
    public void A_long_paragraph_is_cut_between_sentences_and_repeats_the_last_ones()
    {
        var sentences = Enumerable.Range(0, 30).Select(i => $"Sentence number {i} says so.").ToList();

        var pieces = Chunker.Split(string.Join(' ', sentences), 40, 12);

        Assert.All(pieces, p => Assert.InRange(p.Tokens, 1, 40));
        Assert.All(pieces, p => Assert.EndsWith("so.", p.Text, StringComparison.Ordinal));
        Assert.All(sentences, s => Assert.Contains(pieces, p => p.Text.Contains(s, StringComparison.Ordinal)));
        Assert.All(pieces.Zip(pieces.Skip(1)), two => Assert.StartsWith(two.First.Text.Split(". ")[^1].TrimEnd('.'), two.Second.Text, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("a")]
    [InlineData("日本語🌱")]
    [InlineData("word ")]
    [InlineData("a.b. c! \n")]
    public void Nothing_is_larger_than_asked_for_and_nothing_is_lost(string unit)
    {
        var text = string.Concat(Enumerable.Repeat(unit, 5_000));

        var pieces = Chunker.Split(text, 64, 0);

        Assert.All(pieces, p => Assert.InRange(PromptEstimate.Text(p.Text), 1, 64));
        Assert.Equal(Letters(text), Letters(string.Concat(pieces.Select(p => p.Text))));
    }

    [Fact]
    public void A_code_block_has_no_headings() =>
        Assert.Equal(["T\n\n```\n# no heading\n\nx\n```"], Chunker.Split("# T\n```\n# no heading\n\nx\n```\n", 512, 64).Select(p => p.Text));

    [Fact]
    public void Ids_stay_with_the_text_whatever_changes_around_it()
    {
        var record = Guid.CreateVersion7();
        var before = Ids(record, "# A\nOne.\n# B\nTwo.\n# B\nTwo.");
        var after = Ids(record, "# New\nFirst.\n# A\nOne.\n# B\nTwo.\n# B\nTwo.");

        Assert.Equal(3, before.Distinct().Count());
        Assert.Equal(before, after.Skip(1));
        Assert.Empty(before.Intersect(Ids(Guid.CreateVersion7(), "# A\nOne.")));
    }

    private static List<Guid> Ids(Guid record, string text) => [.. ChunkId.All(record, Chunker.Split(text, 512, 64)).Select(c => c.Id)];

    private static string Letters(string text) => string.Concat(text.Where(c => !char.IsWhiteSpace(c)));
}
