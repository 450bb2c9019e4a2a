using System.Security.Cryptography;
using System.Text;

namespace ChatKit;

/// <summary>
/// Keeps the bytes of attachments as files under one folder, for development. File names are hashes of user and id:
/// nothing that a client sends becomes part of a path. Safe for concurrent use.
/// </summary>
/// <remarks>
/// It stores and reads; the endpoint that takes the bytes is yours. A two-phase upload ends with <see cref="WriteAsync"/>
/// and with saving the record without its <see cref="Attachment.UploadDescriptor"/>.
/// </remarks>
/// <typeparam name="TContext">What you know of a request, for instance its user.</typeparam>
/// <param name="folder">Made when it is not there.</param>
/// <param name="uploadUrl">
/// Absolute URL that takes the bytes of the attachment with this id by PUT and serves those of pictures by GET. Null: only
/// direct uploads are supported.
/// </param>
/// <param name="userOf">Whose request it is; null: all share everything.</param>
/// <param name="maxBytes">Largest attachment, in bytes; 25 MiB by default.</param>
public class DiskAttachmentStore<TContext>(
    string folder, Func<string, Uri>? uploadUrl = null, Func<TContext, string>? userOf = null, long maxBytes = 25 * 1_048_576)
    : AttachmentStore<TContext>
{
    private const int BufferBytes = 64 * 1024;

    /// <summary>Makes the record: an <see cref="ImageAttachment"/> for a MIME type <c>image/…</c>, else a <see cref="FileAttachment"/>.</summary>
    /// <exception cref="RequestRefusedException">Too large (413), of a negative size (400), or no URL for uploads was given (501).</exception>
    public override Task<Attachment> CreateAttachmentAsync(AttachmentsCreateParams file, TContext context, CancellationToken cancel)
    {
        if (uploadUrl is null)
        {
            return base.CreateAttachmentAsync(file, context, cancel);
        }

        if (file.Size > maxBytes)
        {
            throw RequestRefusedException.TooLarge(maxBytes);
        }

        if (file.Size < 0)
        {
            throw new InvalidRequestException("'params.size' must not be negative.", "params.size");
        }

        var id = GenerateAttachmentId(file.MimeType, context);
        var url = uploadUrl(id).AbsoluteUri;
        var upload = new UploadDescriptor { Url = url, Method = UploadMethod.Put };
        Attachment attachment = file.MimeType.StartsWith("image/", StringComparison.OrdinalIgnoreCase)
            ? new ImageAttachment { Id = id, Name = file.Name, MimeType = file.MimeType, UploadDescriptor = upload, PreviewUrl = url }
            : new FileAttachment { Id = id, Name = file.Name, MimeType = file.MimeType, UploadDescriptor = upload };
        return Task.FromResult(attachment);
    }

    /// <summary>Writes an attachment's bytes, all or none; what was there before is replaced.</summary>
    /// <param name="bytes">Read to its end, not disposed.</param>
    /// <returns>How many bytes.</returns>
    /// <exception cref="RequestRefusedException">Too large (413).</exception>
    public async Task<long> WriteAsync(string attachmentId, Stream bytes, TContext context, CancellationToken cancel)
    {
        var path = PathOf(attachmentId, context);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var unfinished = $"{path}.{RandomNumberGenerator.GetHexString(16, lowercase: true)}";
        try
        {
            var length = await CopyAsync(bytes, unfinished, cancel);
            File.Move(unfinished, path, overwrite: true);
            return length;
        }
        finally
        {
            File.Delete(unfinished);
        }
    }

    /// <summary>Opens an attachment's bytes for reading.</summary>
    /// <exception cref="NotFoundException">There are none, or they are not this context's.</exception>
    public Stream OpenRead(string attachmentId, TContext context)
    {
        try
        {
            return new FileStream(PathOf(attachmentId, context), FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, BufferBytes, useAsync: true);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw NotFoundException.Attachment(attachmentId);
        }
    }

    /// <inheritdoc/>
    public override Task DeleteAttachmentAsync(string attachmentId, TContext context, CancellationToken cancel)
    {
        var path = PathOf(attachmentId, context);
        if (File.Exists(path))
        {
            File.Delete(path);
        }

        return Task.CompletedTask;
    }

    private static string NameOf(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private string PathOf(string attachmentId, TContext context) =>
        Path.Combine(folder, NameOf(userOf?.Invoke(context) ?? string.Empty), NameOf(attachmentId));

    private async Task<long> CopyAsync(Stream bytes, string path, CancellationToken cancel)
    {
        await using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, BufferBytes, useAsync: true);
        var buffer = new byte[BufferBytes];
        var length = 0L;
        while (await bytes.ReadAsync(buffer, cancel) is var read and > 0)
        {
            length += read;
            if (length > maxBytes)
            {
                throw RequestRefusedException.TooLarge(maxBytes);
            }

            await file.WriteAsync(buffer.AsMemory(0, read), cancel);
        }

        return length;
    }
}
