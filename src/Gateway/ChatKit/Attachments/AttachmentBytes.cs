using Gateway.Data;
using Npgsql;
using NpgsqlTypes;

namespace Gateway.ChatKit.Attachments;

/// <summary>
/// The bytes of attachments, in the database or under <c>attachments</c> in the data directory, as the operator set it. Whoever
/// calls has made sure that the attachment is the user's.
/// </summary>
internal sealed class AttachmentBytes(NpgsqlDataSource database, GatewaySettings settings)
{
    private const string Disk = "disk";

    private bool IsOnDisk => settings.Attachments == Disk;

    /// <summary>Keeps what a stream holds, in the place of what was there.</summary>
    /// <returns>How many bytes it was.</returns>
    public async Task<long> SaveAsync(Guid workspace, string attachment, Stream content, CancellationToken cancel)
    {
        if (IsOnDisk)
        {
            var path = PathOf(workspace, attachment);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            // Under another name first, so that half an upload is not taken for a whole one.
            var part = $"{path}.{Guid.NewGuid():n}.part";
            try
            {
                long length;
                await using (var file = new FileStream(part, FileMode.CreateNew, FileAccess.Write, FileShare.None))
                {
                    await content.CopyToAsync(file, cancel);
                    length = file.Length;
                }

                File.Move(part, path, overwrite: true);
                return length;
            }
            catch
            {
                File.Delete(part);
                throw;
            }
        }

        await using var save = database.CreateCommand(
            """
            INSERT INTO chatkit_contents (workspace_id, attachment_id, content) VALUES ($1, $2, $3)
            ON CONFLICT (workspace_id, attachment_id) DO UPDATE SET content = EXCLUDED.content RETURNING length(content)
            """);
        save.Parameters.AddWithValue(workspace);
        save.Parameters.AddWithValue(attachment);
        save.Parameters.Add(new NpgsqlParameter { Value = content, NpgsqlDbType = NpgsqlDbType.Bytea });
        return (int)(await save.ExecuteScalarAsync(cancel))!;
    }

    /// <summary>All bytes of an attachment; null: there are none.</summary>
    public async Task<byte[]?> LoadAsync(Guid workspace, string attachment, CancellationToken cancel)
    {
        if (IsOnDisk)
        {
            var path = PathOf(workspace, attachment);
            return File.Exists(path) ? await File.ReadAllBytesAsync(path, cancel) : null;
        }

        await using var load = database.CreateCommand("SELECT content FROM chatkit_contents WHERE workspace_id = $1 AND attachment_id = $2");
        load.Parameters.AddWithValue(workspace);
        load.Parameters.AddWithValue(attachment);
        return (byte[]?)await load.ExecuteScalarAsync(cancel);
    }

    /// <summary>Deletes the bytes; does nothing when there are none.</summary>
    public async Task DeleteAsync(Guid workspace, string attachment, CancellationToken cancel)
    {
        if (IsOnDisk)
        {
            var path = PathOf(workspace, attachment);
            if (File.Exists(path))
            {
                File.Delete(path);
            }

            return;
        }

        await using var delete = database.CreateCommand("DELETE FROM chatkit_contents WHERE workspace_id = $1 AND attachment_id = $2");
        delete.Parameters.AddWithValue(workspace);
        delete.Parameters.AddWithValue(attachment);
        await delete.ExecuteNonQueryAsync(cancel);
    }

    /// <summary>Ids are ours, letters and digits; what else would come here is no file of ours.</summary>
    private string PathOf(Guid workspace, string attachment) => attachment.All(c => char.IsAsciiLetterOrDigit(c) || c == '_')
        ? Path.Combine(settings.AbsoluteDataDirectory, "attachments", workspace.ToString("n"), attachment)
        : throw new ArgumentException("Not an attachment's id.", nameof(attachment));
}
