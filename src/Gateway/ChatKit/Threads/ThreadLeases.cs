using ChatKit;
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
        var id = Guid.NewGuid();
        await using var take = Command(
            """
            UPDATE chatkit_threads SET lease_id = $3, lease_until = now() + $4
            WHERE workspace_id = $1 AND id = $2 AND (lease_id IS NULL OR lease_until < now())
            """,
            workspace, thread, id);
        take.Parameters.AddWithValue(Length);
        return await take.ExecuteNonQueryAsync(cancel) == 1 ? new ThreadLease(this, workspace, thread, id, clock) : null;
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

    public async Task GiveBackAsync(Guid workspace, string thread, Guid lease, CancellationToken cancel)
    {
        await using var give = Command(
            "UPDATE chatkit_threads SET lease_id = NULL, lease_until = NULL WHERE workspace_id = $1 AND id = $2 AND lease_id = $3",
            workspace, thread, lease);
        await give.ExecuteNonQueryAsync(cancel);
    }

    public void TellLost(string why) => log.ThreadLeaseLost(why);

    private NpgsqlCommand Command(string sql, Guid workspace, string thread, Guid lease)
    {
        var command = database.CreateCommand(sql);
        command.Parameters.AddWithValue(workspace);
        command.Parameters.AddWithValue(thread);
        command.Parameters.AddWithValue(lease);
        return command;
    }
}

/// <summary>A thread that is one stream's, until it is disposed.</summary>
internal sealed class ThreadLease : IThreadLease
{
    /// <summary>Three renewals may fail before the lease is lost.</summary>
    private static readonly TimeSpan Interval = ThreadLeases.Length / 4;

    private readonly ThreadLeases _leases;
    private readonly (Guid Workspace, string Thread, Guid Id) _key;
    private readonly TimeProvider _clock;
    private readonly CancellationTokenSource _lost = new();
    private readonly CancellationTokenSource _over = new();
    private readonly Task _renewing;
    private int _isDisposed;

    public ThreadLease(ThreadLeases leases, Guid workspace, string thread, Guid id, TimeProvider clock)
    {
        (_leases, _key, _clock) = (leases, (workspace, thread, id), clock);
        Lost = _lost.Token;
        _renewing = RenewAsync();
    }

    /// <summary>Cancelled when the thread may be another stream's, so that this one writes no more.</summary>
    public CancellationToken Lost { get; }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
        {
            return;
        }

        await _over.CancelAsync();
        await _renewing;
        try
        {
            using var limit = new CancellationTokenSource(ThreadLeases.Length, _clock);
            await _leases.GiveBackAsync(_key.Workspace, _key.Thread, _key.Id, limit.Token);
        }
        catch (Exception away) when (away is NpgsqlException or OperationCanceledException or InvalidOperationException)
        {
            // It ends by itself.
        }

        _lost.Dispose();
        _over.Dispose();
    }

    private async Task RenewAsync()
    {
        var renewed = _clock.GetTimestamp();
        while (!_over.IsCancellationRequested)
        {
            await Task.Delay(Interval, _clock, _over.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            var began = _clock.GetTimestamp();
            try
            {
                if (_over.IsCancellationRequested)
                {
                    return;
                }

                using var limit = CancellationTokenSource.CreateLinkedTokenSource(_over.Token);
                limit.CancelAfter(Interval);
                if (!await _leases.RenewAsync(_key.Workspace, _key.Thread, _key.Id, limit.Token))
                {
                    await LoseAsync("it is another stream's, or the thread was deleted");
                    return;
                }

                renewed = began;
            }
            catch (Exception away) when (away is NpgsqlException or OperationCanceledException or InvalidOperationException)
            {
                if (!_over.IsCancellationRequested && _clock.GetElapsedTime(renewed) >= ThreadLeases.Length)
                {
                    await LoseAsync("the database did not answer");
                    return;
                }
            }
        }
    }

    private Task LoseAsync(string why)
    {
        _leases.TellLost(why);
        return _lost.CancelAsync();
    }
}
