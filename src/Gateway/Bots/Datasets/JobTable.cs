using System.Collections.Concurrent;
using Gateway.Data;
using Npgsql;

namespace Gateway.Bots.Datasets;

/// <summary>A job that this gateway works on.</summary>
/// <param name="Tries">How often it was begun since it last got further, this time included.</param>
/// <param name="StartedAt">When it was first begun.</param>
/// <param name="Instance">Ours for this try; another gateway that took the job over has another.</param>
internal sealed record JobLease(DatasetScope Scope, Guid Id, Guid? FileId, Guid Instance, int Tries, DateTime StartedAt);

/// <summary>The job was taken over by another gateway, or went with its dataset: what is left to do is not ours.</summary>
internal sealed class JobLostException : Exception;

/// <summary>Claims jobs, keeps them and ends them. A gateway that dies loses its jobs when their lease is over.</summary>
internal sealed class JobTable(NpgsqlDataSource source, GatewaySettings settings, TimeProvider clock)
{
    private static readonly TimeSpan KeptEnded = TimeSpan.FromDays(30);
    private const int MostRemembered = 10_000;

    /// <summary>Workspaces in the order in which this gateway last took a job of theirs.</summary>
    private readonly ConcurrentDictionary<Guid, long> _turns = new();
    private long _turn;

    private DateTime Now => clock.GetUtcNow().UtcDateTime;

    /// <summary>
    /// How long until a job may be due, zero or less when one may be; null when there are none. Takes no lock, unlike
    /// <see cref="ClaimAsync"/>, for which there may be none all the same.
    /// </summary>
    public async Task<TimeSpan?> NextAsync(CancellationToken cancel)
    {
        await using var command = source.CreateCommand($"SELECT {DatabaseNews.JobDue}");
        return await command.ExecuteScalarAsync(cancel) is DateTime due ? due - Now : null;
    }

    /// <summary>
    /// Takes a job that is due; null when there is none. Workspaces take turns: first the one of which the fewest are worked on,
    /// of equals the one whose turn was longest ago, then the job that is due longest; so nobody waits for another's thousands.
    /// Not a second one of a dataset that is worked on: they would only wait for one another.
    /// </summary>
    public async Task<JobLease?> ClaimAsync(CancellationToken cancel)
    {
        await using var connection = await source.OpenConnectionAsync(cancel);
        // The lock, which the statement's own transaction gives back: two that look at once would see neither's job of a dataset.
        await using var command = new NpgsqlCommand(
            """
            SELECT pg_advisory_xact_lock(4711020641);
            WITH running AS MATERIALIZED (SELECT workspace_id, dataset_id FROM jobs WHERE state = 1 AND due_at > @now),
            firsts AS MATERIALIZED (
                SELECT DISTINCT ON (workspace_id) workspace_id, id, due_at FROM jobs j
                WHERE state IN (0, 1) AND due_at <= @now
                    AND NOT EXISTS (SELECT 1 FROM running r WHERE r.workspace_id = j.workspace_id AND r.dataset_id = j.dataset_id)
                ORDER BY workspace_id, due_at, id),
            next AS (
                SELECT j.workspace_id, j.id FROM firsts f JOIN jobs j ON j.workspace_id = f.workspace_id AND j.id = f.id
                LEFT JOIN unnest(@workspaces, @turns) AS t(workspace_id, turn) ON t.workspace_id = f.workspace_id
                ORDER BY (SELECT count(*) FROM running r WHERE r.workspace_id = f.workspace_id), t.turn NULLS FIRST, f.due_at, f.id
                LIMIT 1 FOR UPDATE OF j SKIP LOCKED)
            UPDATE jobs j SET state = 1, instance = @instance, tries = tries + 1, due_at = @until, reason = NULL, started_at = coalesce(started_at, @now)
            FROM next WHERE j.workspace_id = next.workspace_id AND j.id = next.id
            RETURNING j.workspace_id, j.dataset_id, j.id, j.file_id, j.tries, j.started_at
            """, connection);
        var instance = Guid.NewGuid();
        var turns = _turns.ToArray();
        command.Parameters.AddWithValue("instance", instance);
        command.Parameters.AddWithValue("now", Now);
        command.Parameters.AddWithValue("until", Now + settings.JobLease);
        command.Parameters.AddWithValue("workspaces", turns.Select(t => t.Key).ToArray());
        command.Parameters.AddWithValue("turns", turns.Select(t => t.Value).ToArray());
        await using var row = await command.ExecuteReaderAsync(cancel);
        await row.NextResultAsync(cancel);
        if (!await row.ReadAsync(cancel))
        {
            return null;
        }

        var job = new JobLease(
            new DatasetScope(row.GetGuid(0), row.GetGuid(1)), row.GetGuid(2), row.IsDBNull(3) ? null : row.GetGuid(3), instance,
            row.GetInt32(4), row.GetDateTime(5));
        Served(job.Scope.Workspace);
        return job;
    }

    /// <summary>Keeps the job for another while.</summary>
    /// <exception cref="JobLostException">It is not ours any more.</exception>
    public async Task RenewAsync(JobLease job, CancellationToken cancel)
    {
        await using var connection = await source.OpenConnectionAsync(cancel);
        await KeepAsync(connection, job, null, null, isFurther: false, cancel);
    }

    /// <summary>Keeps the job, within the connection's transaction, and says how far it is.</summary>
    /// <param name="total">Chunks to embed; null: as it was.</param>
    /// <param name="isFurther">
    /// Whether the transaction writes something that the next try will find: the tries are counted anew, since no try may be the
    /// one too many of a long job that gets further with each. How far it is would not tell, as each try counts from the start.
    /// </param>
    /// <exception cref="JobLostException">It is not ours any more: nothing of the transaction may stay.</exception>
    public async Task KeepAsync(NpgsqlConnection connection, JobLease job, int? total, int? done, bool isFurther, CancellationToken cancel)
    {
        var isOurs = await SetAsync(
            connection, job,
            "due_at = @until, total = coalesce(@total, total), done = coalesce(@done, done), tries = CASE WHEN @further THEN 1 ELSE tries END",
            command =>
            {
                command.Parameters.AddWithValue("until", Now + settings.JobLease);
                command.Parameters.Add(new NpgsqlParameter<int?>("total", total));
                command.Parameters.Add(new NpgsqlParameter<int?>("done", done));
                command.Parameters.AddWithValue("further", isFurther);
            },
            cancel);
        if (!isOurs)
        {
            throw new JobLostException();
        }
    }

    /// <summary>Ends the job, and forgets those of the dataset that ended long ago.</summary>
    /// <param name="reason">Why it failed; null: it is done.</param>
    public async Task EndAsync(JobLease job, string? reason, CancellationToken cancel)
    {
        await using var connection = await source.OpenConnectionAsync(cancel);
        await SetAsync(
            connection, job, "state = @state, reason = @reason, instance = NULL, ended_at = @now",
            command =>
            {
                command.Parameters.AddWithValue("state", (int)(reason is null ? JobState.Done : JobState.Failed));
                command.Parameters.Add(new NpgsqlParameter<string?>("reason", reason));
                command.Parameters.AddWithValue("now", Now);
            },
            cancel);
        await using var forget = job.Scope.Command(
            connection, "DELETE FROM jobs WHERE workspace_id = @ws AND dataset_id = @ds AND ended_at < @before");
        forget.Parameters.AddWithValue("before", Now - KeptEnded);
        await forget.ExecuteNonQueryAsync(cancel);
    }

    /// <summary>Gives the job back, to be tried again; that it was tried does not count.</summary>
    /// <param name="reason">What kept it from going on; null: this gateway stops.</param>
    public async Task PostponeAsync(JobLease job, TimeSpan wait, string? reason, CancellationToken cancel)
    {
        await using var connection = await source.OpenConnectionAsync(cancel);
        await SetAsync(
            connection, job, "state = 0, instance = NULL, tries = tries - 1, due_at = @due, reason = @reason",
            command =>
            {
                command.Parameters.AddWithValue("due", Now + wait);
                command.Parameters.Add(new NpgsqlParameter<string?>("reason", reason));
            },
            cancel);
    }

    private void Served(Guid workspace)
    {
        if (_turns.Count > MostRemembered)
        {
            _turns.Clear();
        }

        _turns[workspace] = Interlocked.Increment(ref _turn);
    }

    private static async Task<bool> SetAsync(
        NpgsqlConnection connection, JobLease job, string set, Action<NpgsqlCommand> bind, CancellationToken cancel)
    {
        await using var command = job.Scope.Command(
            connection, $"UPDATE jobs SET {set} WHERE workspace_id = @ws AND id = @id AND instance = @instance AND state = 1");
        command.Parameters.AddWithValue("id", job.Id);
        command.Parameters.AddWithValue("instance", job.Instance);
        bind(command);
        return await command.ExecuteNonQueryAsync(cancel) == 1;
    }
}
