using Gateway.Data;
using Gateway.Observability;
using Npgsql;

namespace Gateway.Bots.Datasets;

/// <summary>
/// Vectors in the pgvector extension, where the database has 0.8 or newer and allows it: a table that this makes itself, since
/// a migration could not where there is no such type. A dataset above <see cref="GatewaySettings.VectorScanChunks"/> gets an index of its
/// own from <see cref="VectorIndexes"/>.
/// </summary>
internal sealed class VectorIndex(NpgsqlDataSource source, GatewaySettings settings, VectorIndexes indexes, ILogger<VectorIndex> log) : IDisposable
{
    private const int OldestMajor = 0;
    private const int OldestMinor = 8;

    /// <summary>Chunks that a filter leaves, up to which they are compared one by one.</summary>
    private const int ComparedMatches = 10_000;

    private readonly SemaphoreSlim _looking = new(1);
    private bool? _isThere;

    /// <summary>Whether vectors are kept there. Looked up once for as long as the gateway runs.</summary>
    public async ValueTask<bool> IsThereAsync(CancellationToken cancel)
    {
        if (_isThere is { } known)
        {
            return known;
        }

        await _looking.WaitAsync(cancel);
        try
        {
            return _isThere ??= await PrepareAsync(cancel);
        }
        finally
        {
            _looking.Release();
        }
    }

    /// <summary>Writes vectors of chunks, within the connection's transaction.</summary>
    public static async Task WriteAsync(
        NpgsqlConnection connection, DatasetScope scope, string model, IReadOnlyList<(Guid Chunk, float[] Vector)> vectors, CancellationToken cancel)
    {
        await using var command = scope.Command(
            connection,
            """
            INSERT INTO chunk_vectors (workspace_id, dataset_id, chunk_id, model, embedding)
            SELECT @ws, @ds, c.id, @model, n.vector::halfvec FROM unnest(@ids, @vectors) AS n(id, vector)
            JOIN chunks c ON c.workspace_id = @ws AND c.dataset_id = @ds AND c.id = n.id
            ON CONFLICT (workspace_id, dataset_id, chunk_id) DO UPDATE SET model = excluded.model, embedding = excluded.embedding
            """);
        command.Parameters.AddWithValue("model", model);
        command.Parameters.AddWithValue("ids", vectors.Select(v => v.Chunk).ToArray());
        command.Parameters.AddWithValue("vectors", vectors.Select(v => VectorBytes.ToText(v.Vector)).ToArray());
        await command.ExecuteNonQueryAsync(cancel);
    }

    /// <summary>The most similar chunks, best first.</summary>
    /// <param name="isLarge">Whether the dataset's index is to be used: asked for if it is not ready, and all is compared until it is.</param>
    public async Task<List<(Guid Chunk, double Similarity)>> SearchAsync(
        DatasetScope scope, string model, float[] query, MetadataFilter? filter, int most, bool isLarge, CancellationToken cancel)
    {
        await using var connection = await source.OpenConnectionAsync(cancel);
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        var isIndexed = isLarge && query.Length <= VectorIndexes.MostDimensions;
        if (isIndexed && !await VectorIndexes.IsReadyAsync(connection, scope, query.Length, cancel))
        {
            indexes.Want(scope, query.Length);
            isIndexed = false;
        }

        isIndexed = isIndexed && (filter is null || await MatchManyAsync(connection, scope, filter, cancel));
        await using var command = await ComposeAsync(connection, scope, model, query, filter, most, isIndexed, cancel);
        await using var rows = await command.ExecuteReaderAsync(cancel);
        var found = new List<(Guid, double)>();
        while (await rows.ReadAsync(cancel))
        {
            found.Add((rows.GetGuid(0), rows.GetDouble(1)));
        }

        return found;
    }

    /// <summary>The query, for the connection's transaction. By the index, or by comparing all, whatever the planner believes of the table.</summary>
    public static async Task<NpgsqlCommand> ComposeAsync(
        NpgsqlConnection connection, DatasetScope scope, string model, float[] query, MetadataFilter? filter, int most, bool isIndexed,
        CancellationToken cancel)
    {
        // The index is used where the query says what it was made for: its expression and its condition, with constants.
        var (vector, among) = isIndexed
            ? ($"(v.embedding::halfvec({query.Length}))", VectorIndexes.Condition(scope, query.Length, "v."))
            : ("v.embedding", "v.dataset_id = @ds");
        if (isIndexed)
        {
            // Without sorting the index alone gives the order. The planner takes workspace, dataset and model for independent of
            // one another, expects a handful of rows, and would rather read and sort what are all of them. Sorting that it cannot
            // do without has a price then that makes compiling the query seem worth its while, which takes longer than the query.
            await using var set = new NpgsqlCommand(
                "SET LOCAL hnsw.ef_search = 200; SET LOCAL hnsw.iterative_scan = strict_order; SET LOCAL enable_sort = off; SET LOCAL jit = off", connection);
            await set.ExecuteNonQueryAsync(cancel);
        }

        var command = scope.Command(
            connection,
            $"""
            SELECT v.chunk_id, -({vector} <#> @query::halfvec) FROM chunk_vectors v {MetadataFilter.Join(filter, "v.chunk_id")}
            WHERE v.workspace_id = @ws AND {among} AND v.model = @model {filter?.Sql}
            ORDER BY {vector} <#> @query::halfvec LIMIT {most}
            """);
        command.Parameters.AddWithValue("model", model);
        command.Parameters.AddWithValue("query", VectorBytes.ToText(query));
        filter?.Bind(command);
        return command;
    }

    /// <summary>Where few match, the index gives up before it has met them; comparing those few is quick.</summary>
    private static async Task<bool> MatchManyAsync(NpgsqlConnection connection, DatasetScope scope, MetadataFilter filter, CancellationToken cancel)
    {
        await using var command = scope.Command(
            connection,
            $"""
            SELECT count(*) FROM (SELECT 1 FROM chunks c {MetadataFilter.Join(filter, "c.id")}
                WHERE c.workspace_id = @ws AND c.dataset_id = @ds {filter.Sql} LIMIT {ComparedMatches + 1}) m
            """);
        filter.Bind(command);
        return (long)(await command.ExecuteScalarAsync(cancel))! > ComparedMatches;
    }

    public void Dispose() => _looking.Dispose();

    private async Task<bool> PrepareAsync(CancellationToken cancel)
    {
        await using var connection = await source.OpenConnectionAsync(cancel);
        await using var ask = new NpgsqlCommand(
            """
            SELECT coalesce((SELECT extversion FROM pg_extension WHERE extname = 'vector'),
                (SELECT default_version FROM pg_available_extensions WHERE name = 'vector'))
            """, connection);
        if (await ask.ExecuteScalarAsync(cancel) is not string version)
        {
            log.VectorsWithoutExtension("it is not installed", settings.VectorScanChunks);
            return false;
        }

        if (!Version.TryParse(version, out var parsed) || (parsed.Major, parsed.Minor).CompareTo((OldestMajor, OldestMinor)) < 0)
        {
            log.VectorsWithoutExtension($"it is version {version}, and 0.8 is needed", settings.VectorScanChunks);
            return false;
        }

        try
        {
            await using var transaction = await connection.BeginTransactionAsync(cancel);
            await using var schema = new NpgsqlCommand(Schema, connection);
            await schema.ExecuteNonQueryAsync(cancel);
            await transaction.CommitAsync(cancel);
        }
        catch (PostgresException refused) when (refused.SqlState is PostgresErrorCodes.InsufficientPrivilege or PostgresErrorCodes.FeatureNotSupported
            or PostgresErrorCodes.UndefinedFile)
        {
            log.VectorsWithoutExtension($"the database does not allow it ({refused.SqlState})", settings.VectorScanChunks);
            return false;
        }

        log.VectorsWithExtension(version);
        return true;
    }

    // The lock: of several gateways that start at once one makes it. Bound to the transaction, as poolers demand.
    private const string Schema =
        """
        SELECT pg_advisory_xact_lock(4711020640);
        CREATE EXTENSION IF NOT EXISTS vector;
        CREATE TABLE IF NOT EXISTS chunk_vectors (
            workspace_id uuid NOT NULL, dataset_id uuid NOT NULL, chunk_id uuid NOT NULL, model text NOT NULL, embedding halfvec NOT NULL,
            PRIMARY KEY (workspace_id, dataset_id, chunk_id),
            FOREIGN KEY (workspace_id, dataset_id, chunk_id) REFERENCES chunks (workspace_id, dataset_id, id) ON DELETE CASCADE)
        """;
}
