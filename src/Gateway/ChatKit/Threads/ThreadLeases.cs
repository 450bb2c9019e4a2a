using Gateway.Observability;
using Npgsql;

namespace Gateway.ChatKit.Threads;

/// <summary>
/// Lets one stream at a time write to a thread, whichever gateway it is on: a lease in the thread's row that its holder renews.
/// No connection is held for it, so that it holds through a pooler and a failover; a gateway that dies loses its leases within
/// <see cref="Length"/>.
/// </summary>
internal sealed class ThreadLeases(NpgsqlDataSource database, TimeProvider clock, ILogger<ThreadLeases> log)
{
    /// <summary>How long a lease holds without being renewed.</summary>
    public static readonly TimeSpan Length = TimeSpan.FromSeconds(10);

    /// <summary>Takes a thread, which must exist.</summary>
    /// <returns>Null: another stream writes to it.</returns>
    public async Task<ThreadLease?> TakeAsync(Guid workspace, string thread, CancellationToken cancel)
    {
        var (id, began) = (Guid.NewGuid(), clock.GetTimestamp());
        try
        {
            await using var take = Command(
                """
                UPDATE chatkit_threads SET lease_id = $3, lease_until = now() + $4
                WHERE workspace_id = $1 AND id = $2 AND (lease_id IS NULL OR lease_until < now())
                """,
                workspace, thread, id);
            take.Parameters.AddWithValue(Length);
            if (await take.ExecuteNonQueryAsync(cancel) == 0)
            {
                return null;
            }

            var newest = await NewestAsync(workspace, thread, cancel);
            return new ThreadLease(this, workspace, thread, id, began, clock) { Newest = newest };
        }
        catch
        {
            // It may be taken all the same, and nobody would renew it or give it back.
            await TryGiveBackAsync(workspace, thread, id, Length / 4);
            throw;
        }
    }

    /// <summary>Whether the lease was still held, and is for another while.</summary>
    public async Task<bool> RenewAsync(Guid workspace, string thread, Guid lease, CancellationToken cancel)
    {
        await using var renew = Command(
            "UPDATE chatkit_threads SET lease_until = now() + $4 WHERE workspace_id = $1 AND id = $2 AND lease_id = $3",
            workspace, thread, lease);
        renew.Parameters.AddWithValue(Length);
        return await renew.ExecuteNonQueryAsync(cancel) == 1;
    }

    /// <summary>Lets a thread go, if the lease holds it. Where that fails, it ends by itself.</summary>
    /// <param name="limit">How long it may take.</param>
    public async Task TryGiveBackAsync(Guid workspace, string thread, Guid lease, TimeSpan limit)
    {
        try
        {
            using var ending = new CancellationTokenSource(limit);
            await using var give = Command(
                "UPDATE chatkit_threads SET lease_id = NULL, lease_until = NULL WHERE workspace_id = $1 AND id = $2 AND lease_id = $3",
                workspace, thread, lease);
            await give.ExecuteNonQueryAsync(ending.Token);
        }
        catch (Exception broken)
        {
            TellTrouble(broken);
        }
    }

    public void TellLost(string why) => log.ThreadLeaseLost(why);

    public void TellTrouble(Exception broken) => log.ThreadLeaseTrouble(broken.GetType().Name);

    /// <summary>
    /// In a statement of its own, which sees what was committed while the one before it waited: an item of a stream that was
    /// still writing when its lease had run out.
    /// </summary>
    private async Task<DateTimeOffset> NewestAsync(Guid workspace, string thread, CancellationToken cancel)
    {
        await using var find = database.CreateCommand("SELECT max(created_at) FROM chatkit_items WHERE workspace_id = $1 AND thread_id = $2");
        find.Parameters.AddWithValue(workspace);
        find.Parameters.AddWithValue(thread);
        return await find.ExecuteScalarAsync(cancel) is DateTime time ? time : default;
    }

    private NpgsqlCommand Command(string sql, Guid workspace, string thread, Guid lease)
    {
        var command = database.CreateCommand(sql);
        command.Parameters.AddWithValue(workspace);
        command.Parameters.AddWithValue(thread);
        command.Parameters.AddWithValue(lease);
        return command;
    }
}
