using Npgsql;

namespace Gateway.Bots.Datasets;

/// <param name="Share">How much of the question's words, weighted by how rare they are, stands in the chunk: 0 to 1.</param>
internal readonly record struct TextMatch(Guid Chunk, double Share);

/// <summary>
/// Finds chunks by words: those with all of the question's, and where those are few, those with some of its rarest.
/// </summary>
internal sealed class FullText(NpgsqlDataSource source)
{
    private const int MostCandidates = 500;
    private const int RarestWords = 6;
    private const int MostWords = 32;

    private sealed record Word(string Query, long Chunks, double Weight);

    /// <summary>The chunks that match best, best first.</summary>
    /// <param name="few">With fewer than so many that have all words, some of the words do.</param>
    /// <param name="size">Chunks of the dataset.</param>
    /// <exception cref="PostgresException">The language is none of the database's, or the database has trouble.</exception>
    public async Task<List<TextMatch>> SearchAsync(
        DatasetScope scope, string language, string question, MetadataFilter? filter, int few, int most, long size, CancellationToken cancel)
    {
        await using var connection = await source.OpenConnectionAsync(cancel);
        var words = await WordsAsync(connection, scope, language, question, size, cancel);
        if (words.Count == 0)
        {
            return [];
        }

        var found = await RankAsync(
            connection, scope, "websearch_to_tsquery(@language::regconfig, @question)", filter, words, most,
            command =>
            {
                command.Parameters.AddWithValue("language", language);
                command.Parameters.AddWithValue("question", question);
            },
            cancel);
        if (found.Count >= few)
        {
            return found;
        }

        var some = string.Join(" | ", Rarest(words).Select(w => w.Query));
        var seen = found.Select(f => f.Chunk).ToHashSet();
        var others = await RankAsync(
            connection, scope, "@some::tsquery", filter, words, most, command => command.Parameters.AddWithValue("some", some), cancel);
        return [.. found.Concat(others.Where(o => !seen.Contains(o.Chunk))).Take(most)];
    }

    /// <summary>The rarest, as long as not more chunks have them than are ranked.</summary>
    private static IEnumerable<Word> Rarest(List<Word> words)
    {
        var chunks = 0L;
        foreach (var (word, n) in words.Take(RarestWords).Select((w, n) => (w, n)))
        {
            chunks += word.Chunks;
            if (n > 0 && chunks > MostCandidates)
            {
                yield break;
            }

            yield return word;
        }
    }

    /// <summary>The question's words that the dataset has, rarest first.</summary>
    private static async Task<List<Word>> WordsAsync(
        NpgsqlConnection connection, DatasetScope scope, string language, string question, long size, CancellationToken cancel)
    {
        await using var command = scope.Command(
            connection,
            $"""
            SELECT l.lexeme, x.chunks FROM unnest(tsvector_to_array(to_tsvector(@language::regconfig, @question))) AS l(lexeme)
            JOIN lexemes x ON x.workspace_id = @ws AND x.dataset_id = @ds AND x.lexeme = l.lexeme ORDER BY x.chunks, l.lexeme LIMIT {MostWords}
            """);
        command.Parameters.AddWithValue("language", language);
        command.Parameters.AddWithValue("question", question);
        await using var rows = await command.ExecuteReaderAsync(cancel);
        var words = new List<Word>();
        while (await rows.ReadAsync(cancel))
        {
            var (lexeme, chunks) = (rows.GetString(0), rows.GetInt64(1));
            // As in BM25: a word in every chunk tells nothing.
            var weight = Math.Log(1 + ((Math.Max(0, size - chunks) + 0.5) / (chunks + 0.5)));
            words.Add(new Word($"'{lexeme.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "''", StringComparison.Ordinal)}'", chunks, weight));
        }

        return words;
    }

    /// <summary>
    /// Ranks what matches by the sum over words of how rare a word is and how often it stands in the chunk, the latter with
    /// diminishing returns (which ts_rank has), for a chunk's length.
    /// </summary>
    private static async Task<List<TextMatch>> RankAsync(
        NpgsqlConnection connection, DatasetScope scope, string query, MetadataFilter? filter, List<Word> words, int most,
        Action<NpgsqlCommand> bind, CancellationToken cancel)
    {
        await using var command = scope.Command(
            connection,
            $"""
            WITH found AS MATERIALIZED (
                SELECT c.id, c.lexemes FROM chunks c {MetadataFilter.Join(filter, "c.id")}
                WHERE c.workspace_id = @ws AND c.dataset_id = @ds AND c.lexemes @@ {query} {filter?.Sql} LIMIT {MostCandidates}),
            words AS MATERIALIZED (SELECT q::tsquery AS query, weight FROM unnest(@words, @weights) AS n(q, weight))
            SELECT f.id, sum(w.weight * ts_rank(f.lexemes, w.query, 1)) AS rank,
                sum(CASE WHEN f.lexemes @@ w.query THEN w.weight ELSE 0 END) / sum(w.weight) AS share
            FROM found f CROSS JOIN words w GROUP BY f.id ORDER BY rank DESC, f.id LIMIT {most}
            """);
        bind(command);
        filter?.Bind(command);
        command.Parameters.AddWithValue("words", words.Select(w => w.Query).ToArray());
        command.Parameters.AddWithValue("weights", words.Select(w => w.Weight).ToArray());
        await using var rows = await command.ExecuteReaderAsync(cancel);
        var found = new List<TextMatch>();
        while (await rows.ReadAsync(cancel))
        {
            found.Add(new TextMatch(rows.GetGuid(0), rows.GetDouble(2)));
        }

        return found;
    }
}
