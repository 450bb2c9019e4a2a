using Gateway.Data;
using Npgsql;
using NpgsqlTypes;

namespace Gateway.Bots.Datasets;

/// <summary>The dataset is gone.</summary>
internal sealed class DatasetGoneException : Exception;

/// <summary>A record is not any more what it was when it was read.</summary>
internal sealed class RecordChangedException : Exception;

/// <summary>
/// Writes records with their chunks, and takes them away, so that chunks and the counts of their lexemes always agree: both
/// change in one transaction, behind a lock of the dataset that all writers of its contents take first.
/// </summary>
internal sealed class RecordWriter(NpgsqlDataSource source, JobTable jobs)
{
    /// <summary>Those before us each write some hundred chunks.</summary>
    private const int LongestLockSeconds = 60;

    /// <summary>Writes records and makes their chunks what their texts say; those that did not change stay as they are.</summary>
    /// <param name="job">Kept in the same transaction; null: the caller waits for this.</param>
    /// <param name="progress">How many chunks the job has to embed and has embedded.</param>
    /// <returns>How many chunks were added, and how many there are of these records.</returns>
    /// <exception cref="DatasetGoneException">It was deleted.</exception>
    /// <exception cref="JobLostException">The job is not ours any more; nothing was written.</exception>
    public async Task<(int Added, int All)> WriteAsync(
        DatasetSettings settings, IReadOnlyList<RecordRow> records, JobLease? job, (int Total, int Done)? progress, CancellationToken cancel)
    {
        var chunks = Cut(settings, records.Select(r => (r.Id, r.Text)));
        await using var connection = await source.OpenConnectionAsync(cancel);
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        await LockAsync(connection, settings.Scope, cancel);
        await UpsertAsync(connection, settings.Scope, records, cancel);
        var result = await WriteChunksAsync(connection, settings, [.. records.Select(r => r.Id)], chunks, job, progress, cancel);
        await transaction.CommitAsync(cancel);
        return result;
    }

    /// <summary>
    /// Writes one record as <see cref="WriteAsync"/> does, for somebody who waits for it, within the connection's transaction:
    /// what else belongs to the change is written in the same, or a caller who leaves at the wrong moment would get half of it.
    /// </summary>
    /// <param name="readAt">When it was last written, as its writer read it; null: it is new.</param>
    /// <returns>When it was last written: as before where nothing changed.</returns>
    /// <exception cref="DatasetGoneException">The dataset was deleted.</exception>
    /// <exception cref="RecordChangedException">Someone else has written or deleted it meanwhile; nothing was written.</exception>
    public async Task<DateTime> WriteOneAsync(
        NpgsqlConnection connection, DatasetSettings settings, RecordRow record, DateTime? readAt, CancellationToken cancel)
    {
        var chunks = Cut(settings, [(record.Id, record.Text)]);
        await LockAsync(connection, settings.Scope, cancel);
        await RequireAsync(connection, settings.Scope, record.Id, readAt, cancel);
        await UpsertAsync(connection, settings.Scope, [record], cancel);
        await WriteChunksAsync(connection, settings, [record.Id], chunks, null, null, cancel);
        return (await WrittenAtAsync(connection, settings.Scope, record.Id, cancel))!.Value;
    }

    /// <summary>Takes one record away as <see cref="RemoveRecordsAsync"/> does, within the connection's transaction.</summary>
    /// <param name="readAt">When it was last written, as its remover read it; null: it goes whatever it says.</param>
    /// <exception cref="DatasetGoneException">The dataset was deleted.</exception>
    /// <exception cref="RecordChangedException">Someone else has written or deleted it meanwhile; nothing was removed.</exception>
    public static async Task RemoveOneAsync(
        NpgsqlConnection connection, DatasetScope scope, Guid record, DateTime? readAt, CancellationToken cancel)
    {
        await LockAsync(connection, scope, cancel);
        await RequireAsync(connection, scope, record, readAt, cancel);
        await TakeAwayAsync(connection, scope, [record], cancel);
    }

    /// <summary>Makes the chunks of records anew, of what their texts say now; those that are gone meanwhile are left out.</summary>
    /// <inheritdoc cref="WriteAsync"/>
    public async Task<(int Added, int All)> CutAnewAsync(
        DatasetSettings settings, Guid[] records, JobLease job, (int Total, int Done)? progress, CancellationToken cancel)
    {
        await using var connection = await source.OpenConnectionAsync(cancel);
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        await LockAsync(connection, settings.Scope, cancel);
        var chunks = Cut(settings, (await TextsAsync(connection, settings.Scope, records, cancel)).Select(r => (r.Id, r.Text)));
        var result = await WriteChunksAsync(connection, settings, records, chunks, job, progress, cancel);
        await transaction.CommitAsync(cancel);
        return result;
    }

    private static List<(Guid Id, Guid Record, int Position, Piece Piece)> Cut(DatasetSettings settings, IEnumerable<(Guid Id, string Text)> records) =>
    [
        .. records.SelectMany(record => ChunkId
            .All(record.Id, Chunker.Split(record.Text, settings.ChunkTokens, settings.OverlapTokens))
            .Select((c, i) => (c.Id, Record: record.Id, Position: i, c.Piece))),
    ];

    private async Task<(int Added, int All)> WriteChunksAsync(
        NpgsqlConnection connection, DatasetSettings settings, Guid[] records, List<(Guid Id, Guid Record, int Position, Piece Piece)> chunks,
        JobLease? job, (int Total, int Done)? progress, CancellationToken cancel)
    {
        var before = await ChunksOfAsync(connection, settings.Scope, records, cancel);
        var now = chunks.Select(c => c.Id).ToHashSet();
        await RemoveAsync(connection, settings.Scope, [.. before.Keys.Where(id => !now.Contains(id))], cancel);
        var moved = chunks.Where(c => before.TryGetValue(c.Id, out var at) && at != c.Position).Select(c => (c.Id, c.Position));
        await MoveAsync(connection, settings.Scope, [.. moved], cancel);
        var added = chunks.Where(c => !before.ContainsKey(c.Id)).ToList();
        await AddAsync(connection, settings, added, cancel);
        if (job is not null)
        {
            // Without vectors the chunks themselves are what there is to do.
            var (toDo, done) = settings.EmbeddingModel is null ? (chunks.Count, chunks.Count) : (added.Count, 0);
            await jobs.KeepAsync(connection, job, progress?.Total + toDo, progress?.Done + done, isFurther: added.Count > 0, cancel);
        }

        return (added.Count, chunks.Count);
    }

    private static async Task<List<(Guid Id, string Text)>> TextsAsync(
        NpgsqlConnection connection, DatasetScope scope, Guid[] records, CancellationToken cancel)
    {
        await using var command = scope.Command(
            connection, "SELECT id, text FROM records WHERE workspace_id = @ws AND dataset_id = @ds AND id = ANY(@ids)");
        command.Parameters.AddWithValue("ids", records);
        await using var rows = await command.ExecuteReaderAsync(cancel);
        var texts = new List<(Guid, string)>();
        while (await rows.ReadAsync(cancel))
        {
            texts.Add((rows.GetGuid(0), rows.GetString(1)));
        }

        return texts;
    }

    private static async Task RequireAsync(NpgsqlConnection connection, DatasetScope scope, Guid record, DateTime? readAt, CancellationToken cancel)
    {
        if (readAt is not null && await WrittenAtAsync(connection, scope, record, cancel) != readAt)
        {
            throw new RecordChangedException();
        }
    }

    /// <summary>Null when there is no such record.</summary>
    private static async Task<DateTime?> WrittenAtAsync(NpgsqlConnection connection, DatasetScope scope, Guid record, CancellationToken cancel)
    {
        await using var command = scope.Command(connection, "SELECT updated_at FROM records WHERE workspace_id = @ws AND dataset_id = @ds AND id = @id");
        command.Parameters.AddWithValue("id", record);
        return (DateTime?)await command.ExecuteScalarAsync(cancel);
    }

    /// <summary>Takes records away with their chunks.</summary>
    /// <exception cref="DatasetGoneException">The dataset was deleted.</exception>
    /// <exception cref="JobLostException">The job is not ours any more; nothing was removed.</exception>
    public async Task RemoveRecordsAsync(DatasetScope scope, Guid[] records, JobLease job, CancellationToken cancel)
    {
        await using var connection = await source.OpenConnectionAsync(cancel);
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        await LockAsync(connection, scope, cancel);
        await TakeAwayAsync(connection, scope, records, cancel);
        await jobs.KeepAsync(connection, job, null, null, isFurther: true, cancel);
        await transaction.CommitAsync(cancel);
    }

    private static async Task TakeAwayAsync(NpgsqlConnection connection, DatasetScope scope, Guid[] records, CancellationToken cancel)
    {
        await RemoveAsync(connection, scope, [.. (await ChunksOfAsync(connection, scope, records, cancel)).Keys], cancel);
        await using var delete = scope.Command(connection, "DELETE FROM records WHERE workspace_id = @ws AND dataset_id = @ds AND id = ANY(@ids)");
        delete.Parameters.AddWithValue("ids", records);
        await delete.ExecuteNonQueryAsync(cancel);
    }

    /// <summary>
    /// Waits for other writers of the dataset's contents. Nobody else does: a change of the dataset's own row goes on beside,
    /// and holds up no configuration; only deleting it waits.
    /// </summary>
    /// <exception cref="DatasetGoneException">It was deleted.</exception>
    public static async Task LockAsync(NpgsqlConnection connection, DatasetScope scope, CancellationToken cancel)
    {
        await using (var turn = scope.Command(connection, "SELECT pg_advisory_xact_lock(hashtextextended(@ws::text || @ds::text, 0))"))
        {
            turn.CommandTimeout = LongestLockSeconds;
            await turn.ExecuteNonQueryAsync(cancel);
        }

        await using var command = scope.Command(connection, "SELECT 1 FROM datasets WHERE workspace_id = @ws AND id = @ds FOR KEY SHARE");
        if (await command.ExecuteScalarAsync(cancel) is null)
        {
            throw new DatasetGoneException();
        }
    }

    private static async Task UpsertAsync(NpgsqlConnection connection, DatasetScope scope, IReadOnlyList<RecordRow> records, CancellationToken cancel)
    {
        await using var command = scope.Command(
            connection,
            """
            INSERT INTO records AS r (workspace_id, dataset_id, id, file_id, position, text, source, url, metadata, created_at, updated_at)
            SELECT @ws, @ds, n.id, n.file_id, n.position, n.text, n.source, n.url, n.metadata::jsonb, n.at, n.at
            FROM unnest(@ids, @files, @positions, @texts, @sources, @urls, @metadata, @times)
                AS n(id, file_id, position, text, source, url, metadata, at)
            ON CONFLICT (workspace_id, dataset_id, id) DO UPDATE SET file_id = excluded.file_id, position = excluded.position,
                text = excluded.text, source = excluded.source, url = excluded.url, metadata = excluded.metadata, updated_at = excluded.updated_at
            WHERE (r.file_id, r.position, r.text, r.source, r.url, r.metadata)
                IS DISTINCT FROM (excluded.file_id, excluded.position, excluded.text, excluded.source, excluded.url, excluded.metadata)
            """);
        command.Parameters.AddWithValue("ids", records.Select(r => r.Id).ToArray());
        command.Parameters.AddWithValue("files", records.Select(r => r.FileId).ToArray());
        command.Parameters.AddWithValue("positions", records.Select(r => r.Position).ToArray());
        command.Parameters.AddWithValue("texts", records.Select(r => r.Text).ToArray());
        command.Parameters.AddWithValue("sources", records.Select(r => r.Source).ToArray());
        command.Parameters.AddWithValue("urls", NpgsqlDbType.Array | NpgsqlDbType.Text, records.Select(r => r.Url).ToArray());
        command.Parameters.AddWithValue("metadata", records.Select(r => r.Metadata).ToArray());
        command.Parameters.AddWithValue("times", records.Select(r => r.UpdatedAt).ToArray());
        await command.ExecuteNonQueryAsync(cancel);
    }

    private static async Task<Dictionary<Guid, int>> ChunksOfAsync(
        NpgsqlConnection connection, DatasetScope scope, Guid[] records, CancellationToken cancel)
    {
        await using var command = scope.Command(
            connection, "SELECT id, position FROM chunks WHERE workspace_id = @ws AND dataset_id = @ds AND record_id = ANY(@records)");
        command.Parameters.AddWithValue("records", records);
        await using var rows = await command.ExecuteReaderAsync(cancel);
        var chunks = new Dictionary<Guid, int>();
        while (await rows.ReadAsync(cancel))
        {
            chunks.Add(rows.GetGuid(0), rows.GetInt32(1));
        }

        return chunks;
    }

    private static async Task RemoveAsync(NpgsqlConnection connection, DatasetScope scope, Guid[] chunks, CancellationToken cancel)
    {
        if (chunks.Length == 0)
        {
            return;
        }

        await using var command = scope.Command(
            connection,
            """
            WITH gone AS (
                DELETE FROM chunks WHERE workspace_id = @ws AND dataset_id = @ds AND id = ANY(@ids) RETURNING lexemes)
            UPDATE lexemes l SET chunks = l.chunks - g.count
            FROM (SELECT x.lexeme, count(*) AS count FROM gone, unnest(tsvector_to_array(gone.lexemes)) AS x(lexeme) GROUP BY x.lexeme) g
            WHERE l.workspace_id = @ws AND l.dataset_id = @ds AND l.lexeme = g.lexeme;
            DELETE FROM lexemes WHERE workspace_id = @ws AND dataset_id = @ds AND chunks <= 0
            """);
        command.Parameters.AddWithValue("ids", chunks);
        await command.ExecuteNonQueryAsync(cancel);
    }

    private static async Task MoveAsync(
        NpgsqlConnection connection, DatasetScope scope, IReadOnlyList<(Guid Id, int Position)> chunks, CancellationToken cancel)
    {
        if (chunks.Count == 0)
        {
            return;
        }

        await using var command = scope.Command(
            connection,
            """
            UPDATE chunks c SET position = n.position FROM unnest(@ids, @positions) AS n(id, position)
            WHERE c.workspace_id = @ws AND c.dataset_id = @ds AND c.id = n.id
            """);
        command.Parameters.AddWithValue("ids", chunks.Select(c => c.Id).ToArray());
        command.Parameters.AddWithValue("positions", chunks.Select(c => c.Position).ToArray());
        await command.ExecuteNonQueryAsync(cancel);
    }

    private static async Task AddAsync(
        NpgsqlConnection connection, DatasetSettings settings, List<(Guid Id, Guid Record, int Position, Piece Piece)> chunks, CancellationToken cancel)
    {
        if (chunks.Count == 0)
        {
            return;
        }

        await using var command = settings.Scope.Command(
            connection,
            """
            WITH added AS (
                INSERT INTO chunks (workspace_id, dataset_id, id, record_id, position, text, tokens, lexemes)
                SELECT @ws, @ds, n.id, n.record_id, n.position, n.text, n.tokens, to_tsvector(@language::regconfig, n.text)
                FROM unnest(@ids, @records, @positions, @texts, @tokens) AS n(id, record_id, position, text, tokens)
                RETURNING lexemes)
            INSERT INTO lexemes AS l (workspace_id, dataset_id, lexeme, chunks)
            SELECT @ws, @ds, x.lexeme, count(*) FROM added, unnest(tsvector_to_array(added.lexemes)) AS x(lexeme) GROUP BY x.lexeme
            ON CONFLICT (workspace_id, dataset_id, lexeme) DO UPDATE SET chunks = l.chunks + excluded.chunks
            """);
        command.Parameters.AddWithValue("language", settings.Language);
        command.Parameters.AddWithValue("ids", chunks.Select(c => c.Id).ToArray());
        command.Parameters.AddWithValue("records", chunks.Select(c => c.Record).ToArray());
        command.Parameters.AddWithValue("positions", chunks.Select(c => c.Position).ToArray());
        command.Parameters.AddWithValue("texts", chunks.Select(c => c.Piece.Text).ToArray());
        command.Parameters.AddWithValue("tokens", chunks.Select(c => c.Piece.Tokens).ToArray());
        await command.ExecuteNonQueryAsync(cancel);
    }
}
