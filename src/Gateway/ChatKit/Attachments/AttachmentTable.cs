using System.Text;
using ChatKit;
using Gateway.ChatKit.Threads;
using Npgsql;
using NpgsqlTypes;

namespace Gateway.ChatKit.Attachments;

/// <summary>Records of attachments by workspace and id alone: for who holds a signed link, and for the gateway itself.</summary>
internal sealed class AttachmentTable(NpgsqlDataSource database)
{
    /// <summary>Null: there is none.</summary>
    public async Task<Attachment?> FindAsync(Guid workspace, string id, CancellationToken cancel)
    {
        await using var find = database.CreateCommand("SELECT document FROM chatkit_attachments WHERE workspace_id = $1 AND id = $2");
        find.Parameters.AddWithValue(workspace);
        find.Parameters.AddWithValue(id);
        return await find.ExecuteScalarAsync(cancel) is string document ? ThreadStore.Read<Attachment>(document) : null;
    }

    /// <summary>Takes an attachment for the one upload whose bytes are kept; false: another was there before.</summary>
    /// <param name="size">How many bytes they are.</param>
    public Task<bool> ClaimAsync(Guid workspace, Attachment attachment, long size, CancellationToken cancel) => RunAsync(
        "UPDATE chatkit_attachments SET is_uploaded = true, size = $3, document = $4 WHERE workspace_id = $1 AND id = $2 AND NOT is_uploaded",
        workspace, attachment, size, cancel);

    /// <summary>The bytes did not come to be kept: another upload may bring them.</summary>
    public Task UnclaimAsync(Guid workspace, Attachment attachment, CancellationToken cancel) => RunAsync(
        "UPDATE chatkit_attachments SET is_uploaded = false, size = $3, document = $4 WHERE workspace_id = $1 AND id = $2 AND thread_id IS NULL",
        workspace, attachment, 0, cancel);

    private async Task<bool> RunAsync(string sql, Guid workspace, Attachment attachment, long size, CancellationToken cancel)
    {
        await using var command = database.CreateCommand(sql);
        command.Parameters.AddWithValue(workspace);
        command.Parameters.AddWithValue(attachment.Id);
        command.Parameters.AddWithValue(size);
        command.Parameters.Add(new NpgsqlParameter { Value = Encoding.UTF8.GetString(ChatKitJson.ToStore(attachment)), NpgsqlDbType = NpgsqlDbType.Json });
        return await command.ExecuteNonQueryAsync(cancel) == 1;
    }
}
