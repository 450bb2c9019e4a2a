using Gateway.ChatKit.Attachments;
using Gateway.Data;
using Gateway.Observability;
using Npgsql;

namespace Gateway.ChatKit;

/// <summary>Deletes sessions a day after their end, and files that no message has named for a day.</summary>
internal sealed class ChatKitCleanup(
    NpgsqlDataSource database, AttachmentBytes bytes, TimeProvider clock, ILogger<ChatKitCleanup> log)
    : TableCleanup(database, clock, TimeSpan.FromMinutes(10))
{
    protected override async Task CleanAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        await DeleteAsync(connection, "chatkit_sessions", "expires_at < now() - interval '1 day'", cancel);
        await using var files = Batch(
            connection, "chatkit_attachments", "thread_id IS NULL AND created_at < now() - interval '1 day'", "workspace_id, id");
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

    protected override void TellFailed(string error) => log.ChatKitCleanupFailed(error);
}
