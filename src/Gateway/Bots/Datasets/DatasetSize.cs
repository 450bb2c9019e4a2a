using System.Collections.Concurrent;
using Npgsql;

namespace Gateway.Bots.Datasets;

/// <summary>How many chunks datasets have: counted at most every few seconds, since every search asks.</summary>
internal sealed class DatasetSize(NpgsqlDataSource source, TimeProvider clock)
{
    private const int MostRemembered = 10_000;
    private static readonly TimeSpan Freshness = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<DatasetScope, (long Count, long At)> _counts = new();

    public async ValueTask<long> OfAsync(DatasetScope scope, CancellationToken cancel)
    {
        if (_counts.TryGetValue(scope, out var known) && clock.GetElapsedTime(known.At) < Freshness)
        {
            return known.Count;
        }

        if (_counts.Count > MostRemembered)
        {
            _counts.Clear();
        }

        var count = await CountAsync(source, scope, cancel);
        _counts[scope] = (count, clock.GetTimestamp());
        return count;
    }

    public static async Task<long> CountAsync(NpgsqlDataSource source, DatasetScope scope, CancellationToken cancel)
    {
        await using var connection = await source.OpenConnectionAsync(cancel);
        await using var command = scope.Command(connection, "SELECT count(*) FROM chunks WHERE workspace_id = @ws AND dataset_id = @ds");
        return (long)(await command.ExecuteScalarAsync(cancel))!;
    }
}
