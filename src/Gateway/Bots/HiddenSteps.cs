using System.Security.Cryptography;
using System.Text;
using Gateway.Observability;
using Npgsql;
using NpgsqlTypes;

namespace Gateway.Bots;

/// <summary>A call that a caller comes back with.</summary>
/// <param name="Steps">
/// Of <see cref="HiddenMessages.Write"/>: what belongs in the place of the message with the calls. Null with all but the first of
/// a turn.
/// </param>
internal sealed record HiddenCall(string UpstreamId, byte[]? Steps);

/// <summary>
/// Keeps, for a day, what a turn's caller did not see before the turn ended in calls of the caller's tools: in Postgres, so that
/// any gateway finds it; in memory while that does not answer. Safe for concurrent use.
/// </summary>
internal sealed class HiddenSteps(NpgsqlDataSource database, TimeProvider clock, ILogger<HiddenSteps> log)
{
    private const string Prefix = "call_gw";
    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    private const int RandomLength = 22;

    private static readonly TimeSpan Kept = TimeSpan.FromHours(24);
    private static readonly TimeSpan LongestInsert = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LongestQuery = TimeSpan.FromSeconds(1);

    private readonly HiddenMemory _memory = new(Kept, clock);

    public static string NewCallId() => Prefix + RandomNumberGenerator.GetString(Alphabet, RandomLength);

    public static bool IsOurs(string callId) =>
        callId.Length == Prefix.Length + RandomLength && callId.StartsWith(Prefix, StringComparison.Ordinal);

    /// <summary>Keeps a turn's steps. Never fails, and takes two seconds at most.</summary>
    /// <param name="workspace">Null: the caller has none, and only this gateway's memory keeps them.</param>
    /// <param name="steps">Of <see cref="HiddenMessages.Write"/>.</param>
    public async Task KeepAsync(Guid? workspace, string bot, IReadOnlyList<StepCall> calls, byte[] steps)
    {
        try
        {
            if (workspace is { } id)
            {
                // Whoever gave up on it leaves it to itself: it may still come through, and does no harm then.
                await InsertAsync(id, bot, calls, steps).WaitAsync(LongestInsert, clock);
                return;
            }
        }
        catch (Exception lost) when (lost is NpgsqlException or TimeoutException or InvalidOperationException or IOException)
        {
            log.HiddenStepsNotKept(bot, lost.GetType().Name);
        }

        for (var i = 0; i < calls.Count; i++)
        {
            _memory.Keep((workspace ?? Guid.Empty, bot, calls[i].ShownId), new HiddenCall(calls[i].UpstreamId, i == 0 ? steps : null));
        }
    }

    /// <summary>Those of the calls that are kept, by the ids that the caller knows, in one query. Never fails.</summary>
    public async ValueTask<IReadOnlyDictionary<string, HiddenCall>> FindAsync(
        Guid? workspace, string bot, IReadOnlyCollection<string> callIds, CancellationToken cancel)
    {
        var found = new Dictionary<string, HiddenCall>(StringComparer.Ordinal);
        foreach (var id in callIds)
        {
            if (_memory.Find((workspace ?? Guid.Empty, bot, id)) is { } call)
            {
                found[id] = call;
            }
        }

        var missing = callIds.Where(id => !found.ContainsKey(id)).Distinct().ToArray();
        if (missing.Length == 0 || workspace is not { } owner)
        {
            return found;
        }

        try
        {
            foreach (var (id, call) in await QueryAsync(owner, bot, missing, cancel).WaitAsync(LongestQuery, clock, cancel))
            {
                found[id] = call;
            }
        }
        catch (Exception lost) when (lost is NpgsqlException or TimeoutException or InvalidOperationException or IOException)
        {
            log.HiddenStepsNotFound(bot, lost.GetType().Name);
        }

        return found;
    }

    private async Task InsertAsync(Guid workspace, string bot, IReadOnlyList<StepCall> calls, byte[] steps)
    {
        await using var insert = database.CreateCommand(
            """
            INSERT INTO hidden_steps (workspace_id, bot_id, turn_id, expires_at, call_id, upstream_id, messages)
            SELECT $1, $2, $3, $4, c.call_id, c.upstream_id, c.messages FROM unnest($5, $6, $7) AS c (call_id, upstream_id, messages)
            ON CONFLICT DO NOTHING
            """);
        insert.Parameters.AddWithValue(workspace);
        insert.Parameters.AddWithValue(bot);
        insert.Parameters.AddWithValue(Guid.CreateVersion7(clock.GetUtcNow()));
        insert.Parameters.AddWithValue((clock.GetUtcNow() + Kept).UtcDateTime);
        insert.Parameters.AddWithValue(calls.Select(c => c.ShownId).ToArray());
        insert.Parameters.AddWithValue(calls.Select(c => c.UpstreamId).ToArray());
        insert.Parameters.Add(new NpgsqlParameter
        {
            Value = calls.Select((_, i) => i == 0 ? Encoding.UTF8.GetString(steps) : null).ToArray(),
            NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text,
        });
        await insert.ExecuteNonQueryAsync(CancellationToken.None);
    }

    private async Task<List<(string Id, HiddenCall Call)>> QueryAsync(Guid workspace, string bot, string[] callIds, CancellationToken cancel)
    {
        await using var query = database.CreateCommand(
            """
            SELECT call_id, upstream_id, messages FROM hidden_steps
            WHERE workspace_id = $1 AND bot_id = $2 AND call_id = ANY($3) AND expires_at > $4
            """);
        query.Parameters.AddWithValue(workspace);
        query.Parameters.AddWithValue(bot);
        query.Parameters.AddWithValue(callIds);
        query.Parameters.AddWithValue(clock.GetUtcNow().UtcDateTime);
        var found = new List<(string, HiddenCall)>();
        await using var rows = await query.ExecuteReaderAsync(cancel);
        while (await rows.ReadAsync(cancel))
        {
            found.Add((rows.GetString(0), new HiddenCall(
                rows.GetString(1), await rows.IsDBNullAsync(2, cancel) ? null : Encoding.UTF8.GetBytes(rows.GetString(2)))));
        }

        return found;
    }
}
