using Gateway.Data;
using Npgsql;

namespace Gateway.ChatKit.Attachments;

/// <summary>
/// The bytes of attachments, in the database or under <c>attachments</c> in the data directory, as the operator set it. Whoever
/// calls has made sure that the attachment is the user's.
/// </summary>
internal sealed class AttachmentBytes(NpgsqlDataSource database, GatewaySettings settings)
{
    private const string Disk = "disk";

    /// <summary>Files whose records are looked for at once.</summary>
    private const int SweepFiles = 500;

    private bool IsOnDisk => settings.Attachments == Disk;

    private string Root => Path.Combine(settings.AbsoluteDataDirectory, "attachments");

    /// <summary>Keeps an attachment's bytes, in the place of what was there.</summary>
    /// <param name="connection">Whose transaction says that they are there.</param>
    public async Task SaveAsync(Guid workspace, string attachment, byte[] content, NpgsqlConnection connection, CancellationToken cancel)
    {
        if (IsOnDisk)
        {
            await SaveFileAsync(PathOf(workspace, attachment), content, cancel);
            return;
        }

        await using var save = new NpgsqlCommand(
            """
            INSERT INTO chatkit_contents (workspace_id, attachment_id, content) VALUES ($1, $2, $3)
            ON CONFLICT (workspace_id, attachment_id) DO UPDATE SET content = EXCLUDED.content
            """,
            connection);
        save.Parameters.AddWithValue(workspace);
        save.Parameters.AddWithValue(attachment);
        save.Parameters.AddWithValue(content);
        await save.ExecuteNonQueryAsync(cancel);
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

    /// <summary>Deletes the bytes of attachments whose records are gone, or soon will be; does nothing where there are none.</summary>
    public async Task DeleteAsync(Guid workspace, IEnumerable<string> attachments, CancellationToken cancel)
    {
        if (IsOnDisk)
        {
            foreach (var path in attachments.Select(attachment => PathOf(workspace, attachment)).Where(File.Exists))
            {
                File.Delete(path);
            }

            return;
        }

        await using var delete = database.CreateCommand("DELETE FROM chatkit_contents WHERE workspace_id = $1 AND attachment_id = ANY($2)");
        delete.Parameters.AddWithValue(workspace);
        delete.Parameters.AddWithValue(attachments.ToArray());
        await delete.ExecuteNonQueryAsync(cancel);
    }

    /// <summary>
    /// Deletes files that have no record: their gateway ended between the one and the other, half an upload was left, or their
    /// workspace was removed. Records of bytes in the database take those along.
    /// </summary>
    /// <param name="before">Younger files stay: their records may be on the way.</param>
    public async Task SweepAsync(DateTimeOffset before, CancellationToken cancel)
    {
        if (!IsOnDisk || !Directory.Exists(Root))
        {
            return;
        }

        foreach (var folder in Directory.GetDirectories(Root))
        {
            if (!Guid.TryParseExact(Path.GetFileName(folder), "n", out var workspace))
            {
                continue;
            }

            foreach (var paths in Directory.GetFiles(folder).Where(path => File.GetLastWriteTimeUtc(path) < before.UtcDateTime).Chunk(SweepFiles))
            {
                var known = await KnownAsync(workspace, [.. paths.Select(path => Path.GetFileName(path))], cancel);
                foreach (var path in paths.Where(path => !known.Contains(Path.GetFileName(path))))
                {
                    File.Delete(path);
                }
            }
        }
    }

    /// <summary>Those of some ids that have records.</summary>
    private async Task<HashSet<string>> KnownAsync(Guid workspace, string[] ids, CancellationToken cancel)
    {
        await using var find = database.CreateCommand("SELECT id FROM chatkit_attachments WHERE workspace_id = $1 AND id = ANY($2)");
        find.Parameters.AddWithValue(workspace);
        find.Parameters.AddWithValue(ids);
        var known = new HashSet<string>(StringComparer.Ordinal);
        await using var reader = await find.ExecuteReaderAsync(cancel);
        while (await reader.ReadAsync(cancel))
        {
            known.Add(reader.GetString(0));
        }

        return known;
    }

    private static async Task SaveFileAsync(string path, byte[] content, CancellationToken cancel)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        // Under another name first, so that half an upload is not taken for a whole one.
        var part = $"{path}.{Guid.NewGuid():n}.part";
        try
        {
            await File.WriteAllBytesAsync(part, content, cancel);
            File.Move(part, path, overwrite: true);
        }
        catch
        {
            File.Delete(part);
            throw;
        }
    }

    /// <summary>Ids are ours, letters and digits; what else would come here is no file of ours.</summary>
    private string PathOf(Guid workspace, string attachment) => attachment.All(c => char.IsAsciiLetterOrDigit(c) || c == '_')
        ? Path.Combine(Root, workspace.ToString("n"), attachment)
        : throw new ArgumentException("Not an attachment's id.", nameof(attachment));
}
