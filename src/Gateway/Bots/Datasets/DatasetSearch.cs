using Gateway.Data;
using Gateway.Observability;
using Gateway.Upstream;
using Npgsql;

namespace Gateway.Bots.Datasets;

/// <summary>Searches a dataset by words and by vectors, and fuses what both find.</summary>
internal sealed class DatasetSearch(
    NpgsqlDataSource source, FullText texts, VectorIndex index, VectorScans scans, DatasetSize sizes, EmbedderAccount account, Catalog catalog,
    GatewaySettings settings, ILogger<DatasetSearch> log)
{
    /// <summary>Of each list: deeper ones change nothing in the first few.</summary>
    private const int ListLength = 50;

    public const int MostRecords = 100;

    private static readonly TimeSpan LongestEmbedding = TimeSpan.FromSeconds(10);

    /// <summary>Searches. Trouble with vectors leaves words alone, and says so.</summary>
    /// <exception cref="NpgsqlException">The database cannot be asked.</exception>
    /// <exception cref="OperationCanceledException">The caller left, or its time is over.</exception>
    public async Task<SearchResult> FindAsync(Dataset dataset, SearchQuestion asked, CancellationToken cancel)
    {
        var question = asked.Question.Replace("\0", "", StringComparison.Ordinal).Trim();
        question = question[..Math.Min(question.Length, SearchQuestion.LongestQuestion)].TrimEnd('\uD800').Trim();
        var scope = new DatasetScope(dataset.WorkspaceId, dataset.Id);
        var most = Math.Clamp(asked.MaxRecords ?? dataset.SearchMaxRecords, 1, MostRecords);
        if (question.Length == 0)
        {
            return new SearchResult([], null);
        }

        var size = await sizes.OfAsync(scope, cancel);
        var byVectors = VectorsAsync(dataset, scope, asked with { Question = question }, size, cancel);
        List<TextMatch> byWords;
        try
        {
            byWords = await texts.SearchAsync(scope, dataset.Language, question, asked.Filter, most, ListLength, size, cancel);
        }
        catch
        {
            await Task.WhenAny(byVectors);
            throw;
        }

        var (similar, note) = await byVectors;
        var scores = similar.ToDictionary(s => s.Chunk, s => Math.Clamp(s.Similarity, 0, 1));
        foreach (var match in byWords)
        {
            scores[match.Chunk] = Math.Max(scores.GetValueOrDefault(match.Chunk), match.Share);
        }

        var order = Fusion.Of([byWords.Select(m => (m.Chunk, m.Share)), similar])
            .Where(id => scores[id] >= dataset.SearchMinScore).ToList();
        var hits = await ReadAsync(scope, order, scores, cancel);
        return new SearchResult(Shorten(hits, most, dataset.SearchMaxTokens), note);
    }

    private async Task<(List<(Guid Chunk, double Similarity)> Found, string? Note)> VectorsAsync(
        Dataset dataset, DatasetScope scope, SearchQuestion asked, long size, CancellationToken cancel)
    {
        if (dataset.EmbeddingModel is not { } name || size == 0)
        {
            return ([], null);
        }

        try
        {
            var hasIndex = await index.IsThereAsync(cancel);
            if (!hasIndex && size > settings.VectorScanChunks)
            {
                return Without($"it has {size} chunks, and above {settings.VectorScanChunks} vectors need the pgvector extension");
            }

            if (catalog.Current.FindEmbedding(name) is not { } model)
            {
                return Without("its embedding model is not there");
            }

            var payer = new DatasetSettings(scope, asked.Workspace, dataset.Name, dataset.Language, name, 0, 0);
            var vector = (await account.EmbedAsync(payer, model, [asked.Question], EmbedderAccount.Search, asked.Caller, LongestEmbedding, cancel))[0];
            return (hasIndex
                ? await index.SearchAsync(scope, name, vector, asked.Filter, ListLength, size > settings.VectorScanChunks, cancel)
                : await scans.SearchAsync(scope, name, vector, asked.Filter, ListLength, settings.VectorScanChunks, cancel), null);
        }
        catch (Exception failed) when (failed is EmbeddingException or WorkspaceLimitException)
        {
            return Without(failed.Message);
        }
        catch (NpgsqlException broken)
        {
            return Without($"its vectors cannot be compared ({broken.SqlState ?? broken.GetType().Name})");
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return Without("its embedding model did not answer in time");
        }
        catch (Exception broken) when (!cancel.IsCancellationRequested)
        {
            // A mistake of ours is none of the question's, which words still answer.
            return Without($"its vectors cannot be compared ({broken.GetType().Name})");
        }

        (List<(Guid, double)>, string?) Without(string why)
        {
            log.SearchedWithoutVectors(dataset.Id, why);
            return ([], $"Searched by words alone: {why}.");
        }
    }

    /// <summary>The chunks in this order; those deleted meanwhile are left out.</summary>
    private async Task<List<SearchHit>> ReadAsync(DatasetScope scope, List<Guid> order, Dictionary<Guid, double> scores, CancellationToken cancel)
    {
        if (order.Count == 0)
        {
            return [];
        }

        await using var connection = await source.OpenConnectionAsync(cancel);
        await using var command = scope.Command(
            connection,
            """
            SELECT c.id, c.record_id, r.file_id, coalesce(nullif(r.source, ''), f.name, ''), r.url, r.metadata, c.text, c.tokens
            FROM chunks c JOIN records r ON r.workspace_id = @ws AND r.dataset_id = @ds AND r.id = c.record_id
            LEFT JOIN dataset_files f ON f.workspace_id = @ws AND f.dataset_id = @ds AND f.id = r.file_id
            WHERE c.workspace_id = @ws AND c.dataset_id = @ds AND c.id = ANY(@ids)
            """);
        command.Parameters.AddWithValue("ids", order.ToArray());
        await using var rows = await command.ExecuteReaderAsync(cancel);
        var hits = new Dictionary<Guid, SearchHit>();
        while (await rows.ReadAsync(cancel))
        {
            var id = rows.GetGuid(0);
            hits[id] = new SearchHit(
                id, rows.GetGuid(1), rows.IsDBNull(2) ? null : rows.GetGuid(2), rows.GetString(3), rows.IsDBNull(4) ? null : rows.GetString(4),
                rows.GetString(5), rows.GetString(6), rows.GetInt32(7), scores[id]);
        }

        return [.. order.Where(hits.ContainsKey).Select(id => hits[id])];
    }

    /// <summary>As many as are wanted and fit; the first is cut rather than left out.</summary>
    private static List<SearchHit> Shorten(List<SearchHit> hits, int most, int mostTokens)
    {
        var kept = new List<SearchHit>();
        var tokens = 0;
        foreach (var hit in hits)
        {
            if (kept.Count == most || (kept.Count > 0 && tokens + hit.Tokens > mostTokens))
            {
                break;
            }

            var text = hit.Tokens <= mostTokens ? hit.Text : TokenText.Cut(hit.Text, mostTokens);
            kept.Add(hit with { Text = text, Tokens = Math.Min(hit.Tokens, mostTokens) });
            tokens += hit.Tokens;
        }

        return kept;
    }
}
