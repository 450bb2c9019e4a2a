namespace Gateway.Bots.Datasets;

/// <param name="Question">At most <see cref="LongestQuestion"/> characters count.</param>
/// <param name="MaxRecords">Null: the dataset's own.</param>
/// <param name="Caller">Whose key asks, for the usage row.</param>
internal sealed record SearchQuestion(string Question, MetadataFilter? Filter, int? MaxRecords, string Workspace, Guid Caller)
{
    public const int LongestQuestion = 2_000;
}

/// <summary>A piece of a dataset that was found.</summary>
/// <param name="Title">What people call its source.</param>
/// <param name="Metadata">A JSON object.</param>
/// <param name="Score">0 to 1: the larger of its similarity to the question and the share of the question's words in it.</param>
internal sealed record SearchHit(
    Guid Chunk, Guid Record, Guid? File, string Title, string? Url, string Metadata, string Text, int Tokens, double Score);

/// <param name="Note">Why vectors were left out; null: they were not, or the dataset has none.</param>
internal sealed record SearchResult(IReadOnlyList<SearchHit> Hits, string? Note);

/// <summary>
/// Reciprocal rank fusion, in which a place counts as much as what stands there is worth by its own list: without that,
/// what both lists have far down comes before what one of them has first, and a weak list takes from a strong one. Pure.
/// </summary>
internal static class Fusion
{
    private const double K = 60;

    /// <param name="lists">Best first, each with its score from 0 to 1.</param>
    public static List<Guid> Of(params IReadOnlyList<IEnumerable<(Guid Id, double Score)>> lists)
    {
        var scores = new Dictionary<Guid, double>();
        foreach (var list in lists)
        {
            var rank = 0;
            foreach (var (id, score) in list)
            {
                scores[id] = scores.GetValueOrDefault(id) + (Math.Clamp(score, 0, 1) / (K + ++rank));
            }
        }

        return [.. scores.OrderByDescending(s => s.Value).ThenBy(s => s.Key).Select(s => s.Key)];
    }
}
