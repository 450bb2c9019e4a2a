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

    /// <summary>The bytes are in.</summary>
    /// <param name="size">How many they are.</param>
    public async Task MarkUploadedAsync(Guid workspace, Attachment attachment, long size, CancellationToken cancel)
    {
        await using var mark = database.CreateCommand(
            "UPDATE chatkit_attachments SET is_uploaded = true, size = $3, document = $4 WHERE workspace_id = $1 AND id = $2");
        mark.Parameters.AddWithValue(workspace);
        mark.Parameters.AddWithValue(attachment.Id);
        mark.Parameters.AddWithValue(size);
        mark.Parameters.Add(new NpgsqlParameter { Value = Encoding.UTF8.GetString(ChatKitJson.ToStore(attachment)), NpgsqlDbType = NpgsqlDbType.Json });
        await mark.ExecuteNonQueryAsync(cancel);
    }
}
