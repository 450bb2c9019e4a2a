using Npgsql;

namespace Gateway.Bots.Datasets;

/// <summary>
/// Indexes the texts of a dataset in its language of now. Some at a time, each time with the counts of their lexemes, so that
/// who writes into the dataset waits for one such step and never for all of it.
/// </summary>
internal sealed class Reindexer(NpgsqlDataSource source, JobTable jobs)
{
    private const int StepChunks = 500;

    /// <returns>How many chunks were indexed anew; those whose lexemes stay the same are not.</returns>
    /// <exception cref="DatasetGoneException">It was deleted.</exception>
    /// <exception cref="JobLostException">The job is not ours any more.</exception>
    public async Task<long> RunAsync(DatasetSettings settings, JobLease job, CancellationToken cancel)
    {
        var (changed, after) = (0L, Guid.Empty);
        while (await StepAsync(settings, job, after, cancel) is var (last, count))
        {
            changed += count;
            after = last;
        }

        return changed;
    }

    /// <returns>The last chunk that was looked at, and how many changed; null when there is none behind the one before.</returns>
    private async Task<(Guid Last, long Changed)?> StepAsync(DatasetSettings settings, JobLease job, Guid after, CancellationToken cancel)
    {
        await using var connection = await source.OpenConnectionAsync(cancel);
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        await RecordWriter.LockAsync(connection, settings.Scope, cancel);
        await using var command = settings.Scope.Command(
            connection,
            $"""
            WITH step AS MATERIALIZED (
                SELECT id, lexemes AS before, to_tsvector(@language::regconfig, text) AS now FROM chunks
                WHERE workspace_id = @ws AND dataset_id = @ds AND id > @after ORDER BY id LIMIT {StepChunks}),
            changed AS (
                UPDATE chunks c SET lexemes = s.now FROM step s
                WHERE c.workspace_id = @ws AND c.dataset_id = @ds AND c.id = s.id AND s.before IS DISTINCT FROM s.now RETURNING s.before, s.now),
            counts AS (
                SELECT lexeme, sum(n) AS chunks FROM (
                    SELECT unnest(tsvector_to_array(before)) AS lexeme, -1 AS n FROM changed
                    UNION ALL SELECT unnest(tsvector_to_array(now)), 1 FROM changed) d
                GROUP BY lexeme HAVING sum(n) <> 0),
            counted AS (
                INSERT INTO lexemes AS l (workspace_id, dataset_id, lexeme, chunks)
                SELECT @ws, @ds, lexeme, chunks FROM counts
                ON CONFLICT (workspace_id, dataset_id, lexeme) DO UPDATE SET chunks = l.chunks + excluded.chunks)
            SELECT (SELECT id FROM step ORDER BY id DESC LIMIT 1), (SELECT count(*) FROM changed);
            DELETE FROM lexemes WHERE workspace_id = @ws AND dataset_id = @ds AND chunks <= 0
            """);
        command.Parameters.AddWithValue("language", settings.Language);
        command.Parameters.AddWithValue("after", after);
        (Guid, long)? step = null;
        await using (var row = await command.ExecuteReaderAsync(cancel))
        {
            await row.ReadAsync(cancel);
            step = row.IsDBNull(0) ? null : (row.GetGuid(0), row.GetInt64(1));
            await row.NextResultAsync(cancel);
        }

        await jobs.KeepAsync(connection, job, null, null, isFurther: step is { Item2: > 0 }, cancel);
        await transaction.CommitAsync(cancel);
        return step;
    }
}
