using Gateway.ChatKit.Attachments;
using Gateway.Observability;
using Npgsql;

namespace Gateway.ChatKit;

/// <summary>
/// Deletes sessions a day after their end, and files that no message has named for a day. Every gateway does; they keep out of each
/// other's way.
/// </summary>
internal sealed class ChatKitCleanup(
    NpgsqlDataSource database, AttachmentBytes bytes, TimeProvider clock, ILogger<ChatKitCleanup> log) : BackgroundService
{
    private const int BatchRows = 500;
    private const int LimitSeconds = 10;
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(10);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                try
                {
                    await RunAsync(stoppingToken);
                }
                catch (Exception broken) when (!stoppingToken.IsCancellationRequested)
                {
                    log.ChatKitCleanupFailed(broken.GetType().Name);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Told to stop.
        }
    }

    /// <summary>Deletes all there is to delete, in small statements.</summary>
    internal async Task RunAsync(CancellationToken cancel)
    {
        await using var connection = await database.OpenConnectionAsync(cancel);
        await using (var sessions = Command(connection, "chatkit_sessions", "expires_at < now() - interval '1 day'", "id"))
        {
            while (await sessions.ExecuteNonQueryAsync(cancel) == BatchRows)
            {
                // There may be more.
            }
        }

        await using var files = Command(connection, "chatkit_attachments", "thread_id IS NULL AND created_at < now() - interval '1 day'", "workspace_id, id");
        List<(Guid Workspace, string Id)> gone;
        do
        {
            gone = [];
            await using (var reader = await files.ExecuteReaderAsync(cancel))
            {
                while (await reader.ReadAsync(cancel))
                {
                    gone.Add((reader.GetGuid(0), reader.GetString(1)));
                }
            }

            foreach (var (workspace, id) in gone)
            {
                await bytes.DeleteAsync(workspace, id, cancel);
            }
        }
        while (gone.Count == BatchRows);
    }

    private static NpgsqlCommand Command(NpgsqlConnection connection, string table, string isOld, string columns) => new(
        $"""
        DELETE FROM {table} WHERE ctid = ANY(ARRAY(SELECT ctid FROM {table} WHERE {isOld} LIMIT {BatchRows} FOR UPDATE SKIP LOCKED))
        RETURNING {columns}
        """,
        connection)
    { CommandTimeout = LimitSeconds };
}
