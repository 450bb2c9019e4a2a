using Gateway.Bots.Datasets.Parsing;
using Gateway.Data;
using Gateway.Upstream;
using Npgsql;

namespace Gateway.Bots.Datasets;

/// <summary>
/// Does one job: reads its file, writes records and chunks in batches, then makes vectors. Each batch is a transaction, and
/// what is there already is left alone, so that doing a job again, on any gateway, goes on where it ended.
/// </summary>
internal sealed class IngestRun(
    NpgsqlDataSource source, RecordWriter writer, Reindexer reindexer, ChunkVectors vectors, VectorIndex index, VectorIndexes indexes, Catalog catalog,
    GatewaySettings gateway, TimeProvider clock)
{
    private const int BatchRecords = 100;
    private const int BatchCharacters = 1_000_000;

    /// <returns>How many records were looked at and vectors made, and the dataset.</returns>
    /// <exception cref="UnreadableFileException">The file cannot be read.</exception>
    /// <exception cref="EmbeddingException">Vectors cannot be made.</exception>
    /// <exception cref="JobLostException">The job is not ours any more.</exception>
    /// <exception cref="DatasetGoneException">The dataset was deleted.</exception>
    public async Task<(DatasetSettings Settings, int Records, int Vectors)> RunAsync(JobLease job, CancellationToken cancel)
    {
        var settings = await DatasetSettings.ReadAsync(source, job.Scope, cancel) ?? throw new DatasetGoneException();
        var records = 0;
        if (job.FileId is null)
        {
            records = await RunAllAsync(settings, job, cancel);
        }
        else if (job.FileId != IngestJobs.VectorsAlone)
        {
            records = await RunFileAsync(settings, job, job.FileId.Value, cancel);
        }

        var model = settings.EmbeddingModel is { } name ? catalog.Current.FindEmbedding(name) : null;
        var hasIndex = model is not null && await index.IsThereAsync(cancel);
        var made = await vectors.MakeAsync(settings, job, cancel);
        if (hasIndex && model!.Dimensions <= VectorIndexes.MostDimensions
            && await DatasetSize.CountAsync(source, settings.Scope, cancel) > gateway.VectorScanChunks)
        {
            indexes.Want(settings.Scope, model.Dimensions);
        }

        return (settings, records, made);
    }

    private async Task<int> RunFileAsync(DatasetSettings settings, JobLease job, Guid file, CancellationToken cancel)
    {
        var known = await KnownAsync(job.Scope, file, cancel);
        if (await FileAsync(job.Scope, file, cancel) is not var (name, content))
        {
            await RemoveAsync(job, [.. known.Select(k => k.Id)], cancel);
            return known.Count;
        }

        var parsed = await FileParser.ParseAsync(name, content, cancel);
        var (ids, gone) = RecordMatch.Match(known, parsed, clock);
        await RemoveAsync(job, gone, cancel);
        var now = clock.GetUtcNow().UtcDateTime;
        var rows = parsed.Select((p, i) => new RecordRow
        {
            WorkspaceId = job.Scope.Workspace,
            DatasetId = job.Scope.Dataset,
            Id = ids[i],
            FileId = file,
            Position = i,
            Text = p.Text,
            Source = p.Source,
            Url = p.Url,
            Metadata = p.Metadata,
            CreatedAt = now,
            UpdatedAt = now,
        });
        await WriteAsync(settings, rows, job, cancel);
        return parsed.Count;
    }

    private async Task<int> RunAllAsync(DatasetSettings settings, JobLease job, CancellationToken cancel)
    {
        await RemoveAsync(job, await WithoutFileAsync(job.Scope, cancel), cancel);
        var (records, total, after) = (0, 0, Guid.Empty);
        while (await PageAsync(job.Scope, after, cancel) is { Length: > 0 } page)
        {
            var (added, all) = await writer.CutAnewAsync(settings, page, job, (total, settings.EmbeddingModel is null ? total : 0), cancel);
            total += settings.EmbeddingModel is null ? all : added;
            records += page.Length;
            after = page[^1];
        }

        await reindexer.RunAsync(settings, job, cancel);
        return records;
    }

    private async Task WriteAsync(DatasetSettings settings, IEnumerable<RecordRow> rows, JobLease job, CancellationToken cancel)
    {
        var batch = new List<RecordRow>();
        var (characters, total) = (0, 0);
        foreach (var row in rows)
        {
            if (batch.Count == BatchRecords || (batch.Count > 0 && characters + row.Text.Length > BatchCharacters))
            {
                await FlushAsync();
            }

            batch.Add(row);
            characters += row.Text.Length;
        }

        await FlushAsync();

        async Task FlushAsync()
        {
            if (batch.Count > 0)
            {
                var (added, all) = await writer.WriteAsync(settings, batch, job, (total, settings.EmbeddingModel is null ? total : 0), cancel);
                total += settings.EmbeddingModel is null ? all : added;
                batch.Clear();
                characters = 0;
            }
        }
    }

    private async Task RemoveAsync(JobLease job, IReadOnlyList<Guid> records, CancellationToken cancel)
    {
        foreach (var some in records.Chunk(BatchRecords))
        {
            await writer.RemoveRecordsAsync(job.Scope, some, job, cancel);
        }
    }

    private async Task<(string Name, byte[] Content)?> FileAsync(DatasetScope scope, Guid file, CancellationToken cancel)
    {
        await using var connection = await source.OpenConnectionAsync(cancel);
        await using var command = scope.Command(
            connection, "SELECT name, content FROM dataset_files WHERE workspace_id = @ws AND dataset_id = @ds AND id = @file");
        command.Parameters.AddWithValue("file", file);
        await using var row = await command.ExecuteReaderAsync(cancel);
        return await row.ReadAsync(cancel) ? (row.GetString(0), row.GetFieldValue<byte[]>(1)) : null;
    }

    private async Task<List<KnownRecord>> KnownAsync(DatasetScope scope, Guid file, CancellationToken cancel)
    {
        await using var connection = await source.OpenConnectionAsync(cancel);
        await using var command = scope.Command(
            connection,
            $"SELECT id, position, {RecordMatch.HashSql} FROM records WHERE workspace_id = @ws AND dataset_id = @ds AND file_id = @file ORDER BY position, id");
        command.Parameters.AddWithValue("file", file);
        await using var rows = await command.ExecuteReaderAsync(cancel);
        var known = new List<KnownRecord>();
        while (await rows.ReadAsync(cancel))
        {
            known.Add(new KnownRecord(rows.GetGuid(0), rows.GetInt32(1), rows.GetFieldValue<byte[]>(2)));
        }

        return known;
    }

    /// <summary>Records whose file is gone: who deletes one through the YAML file leaves them to us.</summary>
    private async Task<List<Guid>> WithoutFileAsync(DatasetScope scope, CancellationToken cancel)
    {
        await using var connection = await source.OpenConnectionAsync(cancel);
        await using var command = scope.Command(
            connection,
            """
            SELECT r.id FROM records r WHERE r.workspace_id = @ws AND r.dataset_id = @ds AND r.file_id IS NOT NULL AND NOT EXISTS (
                SELECT 1 FROM dataset_files f WHERE f.workspace_id = @ws AND f.dataset_id = @ds AND f.id = r.file_id)
            """);
        await using var rows = await command.ExecuteReaderAsync(cancel);
        var ids = new List<Guid>();
        while (await rows.ReadAsync(cancel))
        {
            ids.Add(rows.GetGuid(0));
        }

        return ids;
    }

    /// <summary>Some records behind one, in the order of their ids.</summary>
    private async Task<Guid[]> PageAsync(DatasetScope scope, Guid after, CancellationToken cancel)
    {
        await using var connection = await source.OpenConnectionAsync(cancel);
        await using var command = scope.Command(
            connection, $"SELECT id FROM records WHERE workspace_id = @ws AND dataset_id = @ds AND id > @after ORDER BY id LIMIT {BatchRecords}");
        command.Parameters.AddWithValue("after", after);
        await using var rows = await command.ExecuteReaderAsync(cancel);
        var page = new List<Guid>();
        while (await rows.ReadAsync(cancel))
        {
            page.Add(rows.GetGuid(0));
        }

        return [.. page];
    }
}
