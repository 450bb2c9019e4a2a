using System.Text;
using ChatKit;
using Gateway.ChatKit.Threads;
using Npgsql;
using NpgsqlTypes;

namespace Gateway.ChatKit.Attachments;

/// <summary>Records of attachments by workspace and id alone: for who holds a signed link, and for the gateway itself.</summary>
internal sealed class AttachmentTable(NpgsqlDataSource database, AttachmentBytes bytes)
{
    /// <summary>Null: there is none.</summary>
    public async Task<Attachment?> FindAsync(Guid workspace, string id, CancellationToken cancel)
    {
        await using var find = database.CreateCommand("SELECT document FROM chatkit_attachments WHERE workspace_id = $1 AND id = $2");
        find.Parameters.AddWithValue(workspace);
        find.Parameters.AddWithValue(id);
        return await find.ExecuteScalarAsync(cancel) is string document ? ThreadStore.Read<Attachment>(document) : null;
    }

    /// <summary>
    /// Keeps the bytes of an upload and says that they are there, both or nothing: whoever looks meanwhile finds none.
    /// </summary>
    /// <returns>Whether these are the attachment's bytes; false: others were there before, and stay.</returns>
    public async Task<bool> KeepAsync(Guid workspace, Attachment attachment, byte[] content, CancellationToken cancel)
    {
        await using var connection = await database.OpenConnectionAsync(cancel);
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        await using var claim = new NpgsqlCommand(
            "UPDATE chatkit_attachments SET is_uploaded = true, size = $3, document = $4 WHERE workspace_id = $1 AND id = $2 AND NOT is_uploaded",
            connection, transaction);
        claim.Parameters.AddWithValue(workspace);
        claim.Parameters.AddWithValue(attachment.Id);
        claim.Parameters.AddWithValue((long)content.Length);
        claim.Parameters.Add(new NpgsqlParameter { Value = Encoding.UTF8.GetString(ChatKitJson.ToStore(attachment)), NpgsqlDbType = NpgsqlDbType.Json });
        // A second upload by the same link waits here for the end of the first.
        if (await claim.ExecuteNonQueryAsync(cancel) == 0)
        {
            return false;
        }

        await bytes.SaveAsync(workspace, attachment.Id, content, connection, cancel);
        await transaction.CommitAsync(cancel);
        return true;
    }
}
