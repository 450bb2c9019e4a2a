using Gateway.Upstream;
using Npgsql;

namespace Gateway.Bots.Datasets;

/// <summary>Gives vectors to the chunks of a dataset that lack one of the dataset's embedding model.</summary>
internal sealed class ChunkVectors(NpgsqlDataSource source, VectorIndex index, EmbedderAccount account, Catalog catalog, JobTable jobs)
{
    private const int PageChunks = 256;
    private const int BatchChunks = 64;
    private const int BatchTokens = 32_000;

    /// <summary>Of one job: enough to hide a provider's delay, and few enough to leave it to others.</summary>
    private const int BatchesAtOnce = 4;

    private sealed record Pending(Guid Id, string Text, int Tokens, byte[]? Vector);

    /// <returns>How many vectors were made.</returns>
    /// <exception cref="EmbeddingException">The model is not there, or its provider does not do it.</exception>
    /// <exception cref="JobLostException">The job is not ours any more.</exception>
    public async Task<int> MakeAsync(DatasetSettings settings, JobLease job, CancellationToken cancel)
    {
        if (settings.EmbeddingModel is not { } name)
        {
            return 0;
        }

        var model = catalog.Current.FindEmbedding(name)
            ?? throw new EmbeddingException($"There is no embedding model '{name}', or its provider's credential cannot be opened.", "unknown", isPassing: false);
        var hasIndex = await index.IsThereAsync(cancel);
        var total = await CountAsync(settings, hasIndex, job, cancel);
        var done = 0;
        var after = Guid.Empty;
        var found = false;
        while (true)
        {
            var page = await PageAsync(settings, hasIndex, after, cancel);
            if (page.Count == 0)
            {
                // Others may have added some behind us; the last pass finds none.
                if (!found)
                {
                    return done;
                }

                (after, found) = (Guid.Empty, false);
                continue;
            }

            found = true;
            after = page[^1].Id;
            done += await MakeAsync(settings, model, page, hasIndex, job, (Math.Max(total, done + page.Count), done), cancel);
        }
    }

    /// <summary>Batches of a page, some at a time, until one fails. What was made is written even where another batch fails: it is paid for.</summary>
    private async Task<int> MakeAsync(
        DatasetSettings settings, EmbeddingModel model, List<Pending> page, bool hasIndex, JobLease job, (int Total, int Done) progress, CancellationToken cancel)
    {
        // Those that the extension was installed behind, whose vectors are there and only move.
        var made = page.Where(p => p.Vector is not null).Select(p => (p.Id, VectorBytes.FromHalves(p.Vector))).ToList();
        var batches = Batches([.. page.Where(p => p.Vector is null)]);
        var adding = new Lock();
        Exception? failure = null;
        await Parallel.ForEachAsync(batches, new ParallelOptions { MaxDegreeOfParallelism = BatchesAtOnce }, async (batch, _) =>
        {
            if (Volatile.Read(ref failure) is not null)
            {
                return;
            }

            try
            {
                var vectors = await EmbedAsync(settings, model, batch, cancel);
                lock (adding)
                {
                    made.AddRange(vectors);
                }
            }
            catch (Exception broken)
            {
                Interlocked.CompareExchange(ref failure, broken, null);
            }
        });
        if (made.Count > 0)
        {
            await WriteAsync(settings, model.Name, made, hasIndex, job, progress, CancellationToken.None);
        }

        return failure is null ? made.Count : throw failure;
    }

    private async Task<List<(Guid, float[])>> EmbedAsync(DatasetSettings settings, EmbeddingModel model, List<Pending> batch, CancellationToken cancel)
    {
        var vectors = await account.EmbedAsync(settings, model, [.. batch.Select(p => p.Text)], EmbedderAccount.Ingest, Guid.Empty, null, cancel);
        return [.. batch.Zip(vectors, (p, v) => (p.Id, v))];
    }

    private static List<List<Pending>> Batches(List<Pending> page)
    {
        var batches = new List<List<Pending>>();
        var tokens = 0;
        foreach (var pending in page)
        {
            if (batches.Count == 0 || batches[^1].Count == BatchChunks || tokens + pending.Tokens > BatchTokens)
            {
                batches.Add([]);
                tokens = 0;
            }

            batches[^1].Add(pending);
            tokens += pending.Tokens;
        }

        return batches;
    }

    private async Task WriteAsync(
        DatasetSettings settings, string model, List<(Guid Id, float[] Vector)> made, bool hasIndex, JobLease job, (int Total, int Done) progress,
        CancellationToken cancel)
    {
        await using var connection = await source.OpenConnectionAsync(cancel);
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        await RecordWriter.LockAsync(connection, settings.Scope, cancel);
        await jobs.KeepAsync(connection, job, progress.Total, progress.Done + made.Count, isFurther: true, cancel);
        if (hasIndex)
        {
            await VectorIndex.WriteAsync(connection, settings.Scope, model, made, cancel);
        }

        await using var command = settings.Scope.Command(
            connection,
            """
            UPDATE chunks c SET vector = n.vector, vector_model = @model FROM unnest(@ids, @vectors) AS n(id, vector)
            WHERE c.workspace_id = @ws AND c.dataset_id = @ds AND c.id = n.id
            """);
        command.Parameters.AddWithValue("model", model);
        command.Parameters.AddWithValue("ids", made.Select(m => m.Id).ToArray());
        command.Parameters.AddWithValue(
            "vectors", NpgsqlTypes.NpgsqlDbType.Array | NpgsqlTypes.NpgsqlDbType.Bytea,
            made.Select(m => hasIndex ? null : VectorBytes.ToHalves(m.Vector)).ToArray());
        await command.ExecuteNonQueryAsync(cancel);
        await transaction.CommitAsync(cancel);
    }

    /// <summary>How many are to be made, which the job says from here on.</summary>
    private async Task<int> CountAsync(DatasetSettings settings, bool hasIndex, JobLease job, CancellationToken cancel)
    {
        await using var connection = await source.OpenConnectionAsync(cancel);
        await using var command = settings.Scope.Command(connection, $"SELECT count(*) {FromPending(hasIndex)}");
        command.Parameters.AddWithValue("model", settings.EmbeddingModel!);
        var total = (int)(long)(await command.ExecuteScalarAsync(cancel))!;
        if (total > 0)
        {
            await jobs.KeepAsync(connection, job, total, 0, isFurther: false, cancel);
        }

        return total;
    }

    private async Task<List<Pending>> PageAsync(DatasetSettings settings, bool hasIndex, Guid after, CancellationToken cancel)
    {
        await using var connection = await source.OpenConnectionAsync(cancel);
        await using var command = settings.Scope.Command(
            connection,
            $"""
            SELECT c.id, c.text, c.tokens, CASE WHEN c.vector_model = @model THEN c.vector END {FromPending(hasIndex)}
            AND c.id > @after ORDER BY c.id LIMIT {PageChunks}
            """);
        command.Parameters.AddWithValue("model", settings.EmbeddingModel!);
        command.Parameters.AddWithValue("after", after);
        await using var rows = await command.ExecuteReaderAsync(cancel);
        var page = new List<Pending>();
        while (await rows.ReadAsync(cancel))
        {
            page.Add(new Pending(rows.GetGuid(0), rows.GetString(1), rows.GetInt32(2), rows.IsDBNull(3) ? null : rows.GetFieldValue<byte[]>(3)));
        }

        return page;
    }

    private static string FromPending(bool hasIndex) => hasIndex
        ? """
          FROM chunks c LEFT JOIN chunk_vectors v ON v.workspace_id = @ws AND v.dataset_id = @ds AND v.chunk_id = c.id
          WHERE c.workspace_id = @ws AND c.dataset_id = @ds AND v.model IS DISTINCT FROM @model
          """
        : "FROM chunks c WHERE c.workspace_id = @ws AND c.dataset_id = @ds AND (c.vector IS NULL OR c.vector_model IS DISTINCT FROM @model)";
}
