using Gateway.Data;
using Npgsql;

namespace Gateway.Bots.Datasets;

/// <summary>A job that this gateway works on.</summary>
/// <param name="Instance">Ours for this try; another gateway that took the job over has another.</param>
internal sealed record JobLease(DatasetScope Scope, Guid Id, Guid? FileId, Guid Instance, int Tries, DateTime CreatedAt);

/// <summary>The job was taken over by another gateway, or went with its dataset: what is left to do is not ours.</summary>
internal sealed class JobLostException : Exception;

/// <summary>Claims jobs, keeps them and ends them. A gateway that dies loses its jobs when their lease is over.</summary>
internal sealed class JobTable(NpgsqlDataSource source, GatewaySettings settings, TimeProvider clock)
{
    private static readonly TimeSpan KeptEnded = TimeSpan.FromDays(30);

    private DateTime Now => clock.GetUtcNow().UtcDateTime;

    /// <summary>
    /// Takes the job that is due longest; null when there is none. Not a second one of a dataset that is worked on: they would
    /// only wait for one another.
    /// </summary>
    public async Task<JobLease?> ClaimAsync(CancellationToken cancel)
    {
        await using var connection = await source.OpenConnectionAsync(cancel);
        // The lock, which the statement's own transaction gives back: two that look at once would see neither's job of a dataset.
        await using var command = new NpgsqlCommand(
            """
            SELECT pg_advisory_xact_lock(4711020641);
            UPDATE jobs SET state = 1, instance = @instance, tries = tries + 1, due_at = @until, reason = NULL, started_at = coalesce(started_at, @now)
            WHERE (workspace_id, id) IN (
                SELECT workspace_id, id FROM jobs j
                WHERE state IN (0, 1) AND due_at <= @now AND NOT EXISTS (
                    SELECT 1 FROM jobs o WHERE o.workspace_id = j.workspace_id AND o.dataset_id = j.dataset_id AND o.id <> j.id
                    AND o.state = 1 AND o.due_at > @now)
                ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
            RETURNING workspace_id, dataset_id, id, file_id, tries, created_at
            """, connection);
        var instance = Guid.NewGuid();
        command.Parameters.AddWithValue("instance", instance);
        command.Parameters.AddWithValue("now", Now);
        command.Parameters.AddWithValue("until", Now + settings.JobLease);
        await using var row = await command.ExecuteReaderAsync(cancel);
        await row.NextResultAsync(cancel);
        return !await row.ReadAsync(cancel) ? null : new JobLease(
            new DatasetScope(row.GetGuid(0), row.GetGuid(1)), row.GetGuid(2), row.IsDBNull(3) ? null : row.GetGuid(3), instance,
            row.GetInt32(4), row.GetDateTime(5));
    }

    /// <summary>Keeps the job for another while.</summary>
    /// <exception cref="JobLostException">It is not ours any more.</exception>
    public async Task RenewAsync(JobLease job, CancellationToken cancel)
    {
        await using var connection = await source.OpenConnectionAsync(cancel);
        await KeepAsync(connection, job, null, null, cancel);
    }

    /// <summary>Keeps the job, within the connection's transaction, and says how far it is.</summary>
    /// <param name="total">Chunks to embed; null: as it was.</param>
    /// <exception cref="JobLostException">It is not ours any more: nothing of the transaction may stay.</exception>
    public async Task KeepAsync(NpgsqlConnection connection, JobLease job, int? total, int? done, CancellationToken cancel)
    {
        var isOurs = await SetAsync(
            connection, job, "due_at = @until, total = coalesce(@total, total), done = coalesce(@done, done)",
            command =>
            {
                command.Parameters.AddWithValue("until", Now + settings.JobLease);
                command.Parameters.Add(new NpgsqlParameter<int?>("total", total));
                command.Parameters.Add(new NpgsqlParameter<int?>("done", done));
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
