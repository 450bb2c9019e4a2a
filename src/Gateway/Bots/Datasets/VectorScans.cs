using System.Numerics.Tensors;
using Npgsql;

namespace Gateway.Bots.Datasets;

/// <summary>
/// Vectors of the datasets that are searched, in memory, where the database has no extension for them. Those searched least
/// lately make room. A dataset's are read again when a job has worked on it since; what was deleted since is no longer found
/// where its chunk is looked up.
/// </summary>
internal sealed class VectorScans(NpgsqlDataSource source, TimeProvider clock) : IDisposable
{
    private const long MostBytes = 256L * 1_048_576;
    private const int Rescored = 200;
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    /// <summary>While a job writes, each search would read everything again.</summary>
    private static readonly TimeSpan ShortestLife = TimeSpan.FromSeconds(5);

    private sealed record Entry(VectorScan Scan, string Stamp, long ReadAt)
    {
        public long LookedAt { get; set; } = ReadAt;

        public long UsedAt { get; set; } = ReadAt;
    }

    private readonly Lock _lock = new();
    private readonly Dictionary<(DatasetScope, string), Entry> _entries = [];

    /// <summary>One search of a dataset reads it, others wait; those of most other datasets do not.</summary>
    private readonly SemaphoreSlim[] _reading = [.. Enumerable.Range(0, 32).Select(_ => new SemaphoreSlim(1))];

    /// <summary>The most similar chunks, best first.</summary>
    /// <param name="mostChunks">How many vectors are compared at most.</param>
    public async Task<List<(Guid Chunk, double Similarity)>> SearchAsync(
        DatasetScope scope, string model, float[] query, MetadataFilter? filter, int most, int mostChunks, CancellationToken cancel)
    {
        var scan = await ScanAsync(scope, model, query.Length, mostChunks, cancel);
        var among = filter is null ? null : await AmongAsync(scope, filter, cancel);
        var found = scan.Find(query, Rescored, among);
        return [.. (await RescoreAsync(scope, model, found, query, cancel)).OrderByDescending(f => f.Similarity).Take(most)];
    }

    public void Dispose() => Array.ForEach(_reading, r => r.Dispose());

    private async Task<VectorScan> ScanAsync(DatasetScope scope, string model, int dimensions, int mostChunks, CancellationToken cancel)
    {
        var reading = _reading[(uint)scope.GetHashCode() % _reading.Length];
        await reading.WaitAsync(cancel);
        try
        {
            var known = Known((scope, model));
            if (known is not null && clock.GetElapsedTime(known.LookedAt) < LookInterval)
            {
                return known.Scan;
            }

            var stamp = await StampAsync(scope, cancel);
            if (known is not null && (known.Stamp == stamp || clock.GetElapsedTime(known.ReadAt) < ShortestLife))
            {
                known.LookedAt = clock.GetTimestamp();
                return known.Scan;
            }

            var scan = await VectorScan.ReadAsync(source, scope, model, dimensions, mostChunks, cancel);
            Keep((scope, model), new Entry(scan, stamp, clock.GetTimestamp()));
            return scan;
        }
        finally
        {
            reading.Release();
        }
    }

    private Entry? Known((DatasetScope, string) key)
    {
        lock (_lock)
        {
            var known = _entries.GetValueOrDefault(key);
            if (known is not null)
            {
                known.UsedAt = clock.GetTimestamp();
            }

            return known;
        }
    }

    private void Keep((DatasetScope, string) key, Entry entry)
    {
        lock (_lock)
        {
            _entries[key] = entry;
            while (_entries.Count > 1 && _entries.Values.Sum(e => e.Scan.Bytes) > MostBytes)
            {
                _entries.Remove(_entries.Where(e => e.Key != key).MinBy(e => e.Value.UsedAt).Key);
            }
        }
    }

    /// <summary>Differs once a job has written vectors.</summary>
    private async Task<string> StampAsync(DatasetScope scope, CancellationToken cancel)
    {
        await using var connection = await source.OpenConnectionAsync(cancel);
        await using var command = scope.Command(
            connection, "SELECT concat_ws('/', count(*), max(ended_at), sum(done), max(started_at)) FROM jobs WHERE workspace_id = @ws AND dataset_id = @ds");
        return (string)(await command.ExecuteScalarAsync(cancel))!;
    }

    private async Task<HashSet<Guid>> AmongAsync(DatasetScope scope, MetadataFilter filter, CancellationToken cancel)
    {
        await using var connection = await source.OpenConnectionAsync(cancel);
        await using var command = scope.Command(
            connection,
            $"SELECT c.id FROM chunks c {MetadataFilter.Join(filter, "c.id")} WHERE c.workspace_id = @ws AND c.dataset_id = @ds {filter.Sql}");
        filter.Bind(command);
        await using var rows = await command.ExecuteReaderAsync(cancel);
        var among = new HashSet<Guid>();
        while (await rows.ReadAsync(cancel))
        {
            among.Add(rows.GetGuid(0));
        }

        return among;
    }

    private async Task<List<(Guid Chunk, double Similarity)>> RescoreAsync(
        DatasetScope scope, string model, List<Guid> ids, float[] query, CancellationToken cancel)
    {
        await using var connection = await source.OpenConnectionAsync(cancel);
        await using var command = scope.Command(
            connection, "SELECT id, vector FROM chunks WHERE workspace_id = @ws AND dataset_id = @ds AND id = ANY(@ids) AND vector_model = @model AND vector IS NOT NULL");
        command.Parameters.AddWithValue("ids", ids.ToArray());
        command.Parameters.AddWithValue("model", model);
        await using var rows = await command.ExecuteReaderAsync(cancel);
        var scored = new List<(Guid, double)>();
        while (await rows.ReadAsync(cancel))
        {
            var vector = VectorBytes.FromHalves(rows.GetFieldValue<byte[]>(1));
            if (vector.Length == query.Length)
            {
                scored.Add((rows.GetGuid(0), TensorPrimitives.Dot(vector, query)));
            }
        }

        return scored;
    }
}
