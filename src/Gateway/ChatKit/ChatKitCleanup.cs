using Gateway.ChatKit.Attachments;
using Gateway.Data;
using Gateway.Observability;
using Npgsql;

namespace Gateway.ChatKit;

/// <summary>
/// Deletes sessions a day after their end, and files that no message has named for a day; once a day also those whose thread
/// went while it got them, and what is on the disk without a record.
/// </summary>
internal sealed class ChatKitCleanup(
    NpgsqlDataSource database, AttachmentBytes bytes, TimeProvider clock, ILogger<ChatKitCleanup> log)
    : TableCleanup(database, clock, TimeSpan.FromMinutes(10))
{
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    private readonly TimeProvider _clock = clock;
    private DateTimeOffset _lastSweep;

    protected override async Task CleanAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        await DeleteAsync(connection, "chatkit_sessions", "expires_at < now() - interval '1 day'", cancel);
        await DeleteFilesAsync(connection, "thread_id IS NULL AND created_at < now() - interval '1 day'", cancel);
        var now = _clock.GetUtcNow();
        if (now - _lastSweep >= Day)
        {
            await DeleteFilesAsync(
                connection,
                """
                thread_id IS NOT NULL AND created_at < now() - interval '1 day' AND NOT EXISTS (SELECT 1 FROM chatkit_threads t
                    WHERE t.workspace_id = chatkit_attachments.workspace_id AND t.id = chatkit_attachments.thread_id)
                """,
                cancel);
            await bytes.SweepAsync(now - Day, cancel);
            _lastSweep = now;
        }
    }

    protected override void TellFailed(string error) => log.ChatKitCleanupFailed(error);

    private async Task DeleteFilesAsync(NpgsqlConnection connection, string isOld, CancellationToken cancel)
    {
        await using var files = Batch(connection, "chatkit_attachments", isOld, "workspace_id, id");
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

            foreach (var file in gone.GroupBy(file => file.Workspace, file => file.Id))
            {
                await bytes.DeleteAsync(file.Key, file, cancel);
            }
        }
        while (gone.Count == BatchRows);
    }
}
