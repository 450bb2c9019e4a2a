using System.Collections.Concurrent;
using System.Globalization;
using Gateway.Observability;
using Npgsql;

namespace Gateway.Bots.Datasets;

/// <summary>
/// The indexes of large datasets, each over the rows of one dataset in the one table of all. They are made and dropped beside
/// everything else, which goes on reading and writing: that takes statements outside of transactions, which leave a broken index
/// where they end early.
/// </summary>
internal sealed class VectorIndexes(NpgsqlDataSource source, TimeProvider clock, ILogger<VectorIndexes> log)
{
    /// <summary>pgvector's limit for an index over half-precision numbers. Vectors with more are compared one by one.</summary>
    public const int MostDimensions = 4_000;

    private const string Pattern = "^chunk_vectors_[0-9a-f]{32}_[0-9]+$";
    private static readonly TimeSpan LongestBuild = TimeSpan.FromHours(12);
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    /// <summary>After a build that failed: the next one may do as much work for nothing.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(10);

    private enum State
    {
        Absent,
        Broken,
        Ready,

        /// <summary>Somebody makes or drops an index, or vacuums.</summary>
        Busy,
    }

    private readonly ConcurrentDictionary<(DatasetScope Scope, int Dimensions), bool> _wanted = new();
    private readonly ConcurrentDictionary<(DatasetScope Scope, int Dimensions), long> _failedAt = new();

    /// <summary>Asks for a dataset's index, which may be there. It is made some time later, on this gateway.</summary>
    public void Want(DatasetScope scope, int dimensions)
    {
        if (!_failedAt.TryGetValue((scope, dimensions), out var at) || clock.GetElapsedTime(at) > Pause)
        {
            _wanted.TryAdd((scope, dimensions), true);
        }
    }

    /// <summary>Makes what was asked for, one after another. What fails is left for a while, and until it is asked for again.</summary>
    public async Task MakeWantedAsync(CancellationToken cancel)
    {
        foreach (var wanted in _wanted.Keys)
        {
            try
            {
                await EnsureAsync(wanted.Scope, wanted.Dimensions, cancel);
            }
            catch (PostgresException failed)
            {
                _failedAt[wanted] = clock.GetTimestamp();
                log.VectorIndexFailed(wanted.Scope.Dataset, failed.SqlState);
            }
            finally
            {
                _wanted.TryRemove(wanted, out _);
            }
        }
    }

    /// <summary>
    /// Makes the dataset's index unless it is there and whole. While an index of any dataset is made, by any gateway, it waits:
    /// Postgres makes one of a table at a time, and of two that wait for one another it would end the older after all its work.
    /// </summary>
    /// <exception cref="PostgresException">It cannot be made.</exception>
    public async Task EnsureAsync(DatasetScope scope, int dimensions, CancellationToken cancel)
    {
        var name = NameOf(scope, dimensions);
        while (true)
        {
            await using var connection = await source.OpenConnectionAsync(cancel);
            switch (await StateAsync(connection, name, cancel))
            {
                case State.Ready:
                    return;
                case State.Broken when await TryAsync(connection, $"DROP INDEX CONCURRENTLY IF EXISTS {name}", cancel):
                case State.Absent when await MakeAsync(connection, scope, dimensions, name, cancel):
                    continue;
                default:
                    await connection.CloseAsync();
                    await Task.Delay(Look, clock, cancel);
                    continue;
            }
        }
    }

    /// <summary>Drops indexes that nobody needs: of datasets that are gone or have another model now, and what a broken build left.</summary>
    public async Task TidyAsync(CancellationToken cancel)
    {
        await using var connection = await source.OpenConnectionAsync(cancel);
        foreach (var name in await UnneededAsync(connection, cancel))
        {
            if (await IsBusyAsync(connection, cancel))
            {
                return;
            }

            if (await TryAsync(connection, $"DROP INDEX CONCURRENTLY IF EXISTS {name}", cancel))
            {
                log.VectorIndexDropped(name);
            }
        }
    }

    /// <summary>
    /// Whether somebody has the lock that making and dropping an index take. Asked for instead of waited for: who waits for it
    /// holds a snapshot, for whose end the one that makes an index waits in turn. Locks of other databases on tables of the same
    /// number are none of ours, and neither are those of the server's own vacuuming, which gives way to whoever waits for it: its
    /// processes are nobody's (their kind is not shown to everybody).
    /// </summary>
    public static async Task<bool> IsBusyAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var ask = new NpgsqlCommand(
            """
            SELECT EXISTS (SELECT 1 FROM pg_locks l WHERE l.relation = to_regclass('chunk_vectors') AND l.mode = 'ShareUpdateExclusiveLock'
                AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                AND NOT EXISTS (SELECT 1 FROM pg_stat_activity a WHERE a.pid = l.pid AND a.usesysid IS NULL))
            """, connection);
        return (bool)(await ask.ExecuteScalarAsync(cancel))!;
    }

    /// <summary>Whether the dataset's index is there and whole.</summary>
    public static async Task<bool> IsReadyAsync(NpgsqlConnection connection, DatasetScope scope, int dimensions, CancellationToken cancel) =>
        await IsWholeAsync(connection, NameOf(scope, dimensions), cancel) == true;

    /// <summary>Which rows the index is over. Vectors of other dimensions, of the model before, stay out of it.</summary>
    /// <param name="table">The table's alias with a dot, or nothing.</param>
    public static string Condition(DatasetScope scope, int dimensions, string table = "") => string.Create(
        CultureInfo.InvariantCulture, $"{table}dataset_id = '{scope.Dataset:D}' AND vector_dims({table}embedding) = {dimensions}");

    private static string NameOf(DatasetScope scope, int dimensions) => NameOf(scope.Dataset, dimensions);

    private static string NameOf(Guid dataset, int dimensions) =>
        string.Create(CultureInfo.InvariantCulture, $"chunk_vectors_{dataset:N}_{dimensions}");

    private async Task<bool> MakeAsync(NpgsqlConnection connection, DatasetScope scope, int dimensions, string name, CancellationToken cancel)
    {
        var started = clock.GetTimestamp();
        var isMade = await TryAsync(
            connection,
            $"""
            CREATE INDEX CONCURRENTLY {name} ON chunk_vectors USING hnsw ((embedding::halfvec({dimensions})) halfvec_ip_ops)
            WITH (m = 16, ef_construction = 100) WHERE {Condition(scope, dimensions)}
            """, cancel);
        if (isMade)
        {
            log.VectorIndexMade(scope.Dataset, clock.GetElapsedTime(started).TotalSeconds);
        }

        return isMade;
    }

    private static async Task<State> StateAsync(NpgsqlConnection connection, string name, CancellationToken cancel)
    {
        var isWhole = await IsWholeAsync(connection, name, cancel);
        return isWhole == true ? State.Ready
            : await IsBusyAsync(connection, cancel) ? State.Busy
            : isWhole is null ? State.Absent : State.Broken;
    }

    /// <summary>Null when there is no such index.</summary>
    private static async Task<bool?> IsWholeAsync(NpgsqlConnection connection, string name, CancellationToken cancel)
    {
        await using var ask = new NpgsqlCommand(
            "SELECT indisvalid AND indisready FROM pg_index WHERE indrelid = to_regclass('chunk_vectors') AND indexrelid = to_regclass(@name)", connection);
        ask.Parameters.AddWithValue("name", name);
        return (bool?)await ask.ExecuteScalarAsync(cancel);
    }

    private static async Task<List<string>> UnneededAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        var indexes = await IndexesAsync(connection, cancel);
        if (indexes.Count == 0)
        {
            return [];
        }

        await using var ask = new NpgsqlCommand(
            "SELECT d.id, m.dimensions FROM datasets d JOIN embedding_models m ON m.name = d.embedding_model WHERE d.id = ANY(@ids)", connection);
        ask.Parameters.AddWithValue("ids", indexes.Select(i => Guid.ParseExact(i.Name.Split('_')[2], "N")).ToArray());
        await using var rows = await ask.ExecuteReaderAsync(cancel);
        var needed = new HashSet<string>(StringComparer.Ordinal);
        while (await rows.ReadAsync(cancel))
        {
            needed.Add(NameOf(rows.GetGuid(0), rows.GetInt32(1)));
        }

        return [.. indexes.Where(i => !i.IsWhole || !needed.Contains(i.Name)).Select(i => i.Name)];
    }

    private static async Task<List<(string Name, bool IsWhole)>> IndexesAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var ask = new NpgsqlCommand(
            """
            SELECT c.relname, i.indisvalid AND i.indisready FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
            WHERE i.indrelid = to_regclass('chunk_vectors') AND c.relname ~ @pattern
            """, connection);
        ask.Parameters.AddWithValue("pattern", Pattern);
        await using var rows = await ask.ExecuteReaderAsync(cancel);
        var indexes = new List<(string, bool)>();
        while (await rows.ReadAsync(cancel))
        {
            indexes.Add((rows.GetString(0), rows.GetBoolean(1)));
        }

        return indexes;
    }

    /// <returns>False when another gateway did the same in that moment; looking again shows what came of it.</returns>
    private static async Task<bool> TryAsync(NpgsqlConnection connection, string sql, CancellationToken cancel)
    {
        try
        {
            await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = (int)LongestBuild.TotalSeconds };
            await command.ExecuteNonQueryAsync(cancel);
            return true;
        }
        catch (PostgresException raced) when (raced.SqlState is PostgresErrorCodes.DuplicateTable or PostgresErrorCodes.UniqueViolation
            or PostgresErrorCodes.DeadlockDetected)
        {
            return false;
        }
    }
}
