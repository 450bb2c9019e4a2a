using System.Globalization;
using Gateway.Data;
using Gateway.Observability;
using Npgsql;

namespace Gateway.Bots.Datasets;

/// <summary>
/// Vectors in the pgvector extension, where the database has 0.8 or newer and allows it: a table that this makes itself, since
/// a migration could not where there is no such type. A dataset above <see cref="GatewaySettings.VectorScanChunks"/> gets an index of its own.
/// </summary>
internal sealed class VectorIndex(NpgsqlDataSource source, GatewaySettings settings, ILogger<VectorIndex> log) : IDisposable
{
    private const int OldestMajor = 0;
    private const int OldestMinor = 8;
    private static readonly TimeSpan LongestBuild = TimeSpan.FromHours(2);

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
    /// <param name="isLarge">Whether the dataset's index is to be used.</param>
    public async Task<List<(Guid Chunk, double Similarity)>> SearchAsync(
        DatasetScope scope, string model, float[] query, MetadataFilter? filter, int most, bool isLarge, CancellationToken cancel)
    {
        await using var connection = await source.OpenConnectionAsync(cancel);
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        // The index is used where the query says what it was made for: its expression, and its dataset as a constant.
        var (vector, dataset) = isLarge
            ? ($"(v.embedding::halfvec({query.Length}))", $"v.dataset_id = '{scope.Dataset:D}'")
            : ("v.embedding", "v.dataset_id = @ds");
        if (isLarge)
        {
            await RunAsync(connection, "SET LOCAL hnsw.ef_search = 200; SET LOCAL hnsw.iterative_scan = strict_order", cancel);
        }

        await using var command = scope.Command(
            connection,
            $"""
            SELECT v.chunk_id, -({vector} <#> @query::halfvec) FROM chunk_vectors v {MetadataFilter.Join(filter, "v.chunk_id")}
            WHERE v.workspace_id = @ws AND {dataset} AND v.model = @model {filter?.Sql}
            ORDER BY {vector} <#> @query::halfvec LIMIT {most}
            """);
        command.Parameters.AddWithValue("model", model);
        command.Parameters.AddWithValue("query", VectorBytes.ToText(query));
        filter?.Bind(command);
        await using var rows = await command.ExecuteReaderAsync(cancel);
        var found = new List<(Guid, double)>();
        while (await rows.ReadAsync(cancel))
        {
            found.Add((rows.GetGuid(0), rows.GetDouble(1)));
        }

        return found;
    }

    /// <summary>Makes the dataset's index unless it is there. All its vectors must be of these dimensions.</summary>
    public async Task EnsureIndexAsync(DatasetScope scope, int dimensions, CancellationToken cancel)
    {
        await using var connection = await source.OpenConnectionAsync(cancel);
        await RunAsync(
            connection,
            $"""
            CREATE INDEX IF NOT EXISTS {NameOf(scope, dimensions)} ON chunk_vectors USING hnsw ((embedding::halfvec({dimensions})) halfvec_ip_ops)
            WITH (m = 16, ef_construction = 100) WHERE dataset_id = '{scope.Dataset:D}'
            """, cancel);
    }

    /// <summary>Takes away indexes of the dataset for other dimensions, which would refuse vectors of these.</summary>
    public async Task DropOtherIndexesAsync(DatasetScope scope, int dimensions, CancellationToken cancel)
    {
        await using var connection = await source.OpenConnectionAsync(cancel);
        foreach (var other in await IndexesAsync(connection, $"chunk_vectors_{scope.Dataset:N}_%", cancel))
        {
            if (other != NameOf(scope, dimensions))
            {
                await RunAsync(connection, $"DROP INDEX IF EXISTS {other}", cancel);
            }
        }
    }

    private static string NameOf(DatasetScope scope, int dimensions) =>
        string.Create(CultureInfo.InvariantCulture, $"chunk_vectors_{scope.Dataset:N}_{dimensions}");

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
            await RunAsync(connection, Schema, cancel);
            await transaction.CommitAsync(cancel);
            await DropOrphansAsync(connection, cancel);
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

    /// <summary>Indexes of datasets that are gone: rows go with their dataset, an index does not.</summary>
    private static async Task DropOrphansAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        var datasets = new HashSet<string>(StringComparer.Ordinal);
        await using (var ask = new NpgsqlCommand("SELECT id FROM datasets", connection))
        await using (var rows = await ask.ExecuteReaderAsync(cancel))
        {
            while (await rows.ReadAsync(cancel))
            {
                datasets.Add(rows.GetGuid(0).ToString("N"));
            }
        }

        foreach (var index in await IndexesAsync(connection, "chunk_vectors_%", cancel))
        {
            if (index.Split('_') is [_, _, { Length: 32 } dataset, _] && !datasets.Contains(dataset))
            {
                await RunAsync(connection, $"DROP INDEX IF EXISTS {index}", cancel);
            }
        }
    }

    private static async Task<List<string>> IndexesAsync(NpgsqlConnection connection, string like, CancellationToken cancel)
    {
        await using var ask = new NpgsqlCommand(
            "SELECT indexname FROM pg_indexes WHERE tablename = 'chunk_vectors' AND indexname LIKE @like AND indexname ~ '_[0-9a-f]{32}_[0-9]+$'", connection);
        ask.Parameters.AddWithValue("like", like);
        await using var rows = await ask.ExecuteReaderAsync(cancel);
        var names = new List<string>();
        while (await rows.ReadAsync(cancel))
        {
            names.Add(rows.GetString(0));
        }

        return names;
    }

    private static async Task RunAsync(NpgsqlConnection connection, string sql, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = (int)LongestBuild.TotalSeconds };
        await command.ExecuteNonQueryAsync(cancel);
    }
}
