using System.Text.Json.Nodes;
using ChatKit;
using Gateway.ChatKit.Sessions;
using Gateway.Http;

namespace Gateway.ChatKit.Attachments;

/// <summary>Says which files a user may give, where the browser sends them, and deletes them.</summary>
internal sealed class AttachmentKeeper(
    AttachmentBytes bytes, AttachmentLinks links, SessionStore sessions, BodyLimits limits) : AttachmentStore<ChatKitUser>
{
    /// <summary>Of the record's metadata: how many bytes were announced, and so may come.</summary>
    public const string SizeMember = "size";

    private const int MaxNameLength = 255;
    private const int MaxTypeLength = 127;

    public override async Task<Attachment> CreateAttachmentAsync(AttachmentsCreateParams file, ChatKitUser context, CancellationToken cancel)
    {
        if (WhyNone(context) is { } why)
        {
            throw why;
        }

        Check(file.Name, file.MimeType, file.Size, context);
        await CountAsync(context, cancel);
        var made = Make(file.Name, file.MimeType, file.Size, context);
        return made with
        {
            UploadDescriptor = new UploadDescriptor { Url = links.Make(context, made.Id, AttachmentLinks.Upload), Method = UploadMethod.Put },
        };
    }

    public override Task DeleteAttachmentAsync(string attachmentId, ChatKitUser context, CancellationToken cancel) =>
        bytes.DeleteAsync(context.WorkspaceId, [attachmentId], cancel);

    /// <summary>Why a user may give no file at all; null: they may.</summary>
    public static RequestRefusedException? WhyNone(ChatKitUser user) =>
        user.Session is { Options.Files: false } ? new RequestRefusedException(403, "file_upload_disabled", "This session takes no files.") : null;

    /// <summary>Whether a file like this may come.</summary>
    /// <exception cref="RequestRefusedException">Why not.</exception>
    public void Check(string name, string mimeType, long size, ChatKitUser user)
    {
        var most = Most(user);
        if (name.Length is 0 or > MaxNameLength || name.Any(char.IsControl) || mimeType.Length > MaxTypeLength || mimeType.Any(char.IsControl)
            || !AttachmentTypes.IsAllowed(name, mimeType))
        {
            throw new RequestRefusedException(400, "unsupported_file", $"Expected {AttachmentTypes.Expected}; names have {MaxNameLength} characters at the most.");
        }

        if (size < 1)
        {
            throw new RequestRefusedException(400, "invalid_value", "The file is empty.");
        }

        if (size > most)
        {
            throw new RequestRefusedException(413, "file_too_large", $"The file is larger than {most} bytes.");
        }
    }

    /// <summary>Counts a file that comes, the last of what is asked of it: what is refused leaves room for another.</summary>
    /// <exception cref="RequestRefusedException">The session has had as many as there may be.</exception>
    public async Task CountAsync(ChatKitUser user, CancellationToken cancel)
    {
        if (user.Session is { } session && !await sessions.CountFileAsync(session, cancel))
        {
            throw new RequestRefusedException(403, "too_many_files", $"This session takes {session.Options.MostFiles} files at the most.");
        }
    }

    /// <summary>The record of a file, without where to send it.</summary>
    public Attachment Make(string name, string mimeType, long size, ChatKitUser user)
    {
        var id = GenerateAttachmentId(mimeType, user);
        var metadata = new JsonObject { [SizeMember] = size };
        return AttachmentTypes.IsPicture(mimeType)
            ? new ImageAttachment { Id = id, Name = name, MimeType = mimeType, Metadata = metadata, PreviewUrl = links.Make(user, id, AttachmentLinks.Preview) }
            : new FileAttachment { Id = id, Name = name, MimeType = mimeType, Metadata = metadata };
    }

    /// <summary>Largest file of a user, in bytes.</summary>
    public long Most(ChatKitUser user) => user.Session is { } session
        ? Math.Min(limits.MaxUploadBytes, session.Options.MostFileMegabytes * 1_048_576L)
        : limits.MaxUploadBytes;
}
