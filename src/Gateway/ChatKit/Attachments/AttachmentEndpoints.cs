using ChatKit;
using Gateway.ChatKit.Threads;
using Gateway.Http;
using Microsoft.Net.Http.Headers;

namespace Gateway.ChatKit.Attachments;

/// <summary>
/// The bytes of attachments: <c>POST /v1/chatkit/attachments</c> takes a file at once, the signed links of an upload in two
/// phases and of a preview lead to <c>/v1/chatkit/attachments/{id}/content</c>.
/// </summary>
internal sealed class AttachmentEndpoints(
    ChatKitAuthentication authentication, AttachmentKeeper keeper, AttachmentBytes bytes, AttachmentLinks links,
    AttachmentTable table, ThreadStore store, SessionGate gate)
{
    /// <summary>Form overhead beside the file itself.</summary>
    private const int FormBytes = 64 * 1024;

    /// <summary>A whole upload: a form with the part <c>file</c>, with a session's secret.</summary>
    public async Task UploadAsync(HttpContext http)
    {
        var cancel = http.RequestAborted;
        var (user, refused) = await authentication.OfSessionAsync(http, cancel);
        // Before the file is read.
        refused ??= AttachmentKeeper.WhyNone(user!) is { } why ? ChatKitErrors.Of(why) : await gate.CountAsync(user!, cancel);
        if (refused is not null)
        {
            await refused.RefuseAsync(http);
            return;
        }

        var (file, error) = await UploadedFile.ReadAsync(http, keeper.Most(user!) + FormBytes, (_, _) => null, cancel);
        if (file is null)
        {
            await error!.RefuseAsync(http);
            return;
        }

        try
        {
            var type = file.ContentType.Length > 0 ? file.ContentType : "application/octet-stream";
            keeper.Check(file.Name, type, file.Content.Length, user!);
            if (!AttachmentTypes.LooksLike(type, file.Content))
            {
                await NotAsSaid(type).RefuseAsync(http);
                return;
            }

            await keeper.CountAsync(user!, cancel);
            var made = keeper.Make(file.Name, type, file.Content.Length, user!);
            await store.SaveAttachmentAsync(made, user!, cancel);
            await table.KeepAsync(user!.WorkspaceId, made, file.Content, cancel);
            await WriteAsync(http, made, cancel);
        }
        catch (RequestRefusedException wrong)
        {
            await ChatKitErrors.Of(wrong).RefuseAsync(http);
        }
    }

    /// <summary>The second phase: the bytes themselves, or a form with the part <c>file</c>.</summary>
    public async Task PutContentAsync(HttpContext http)
    {
        var cancel = http.RequestAborted;
        var id = (string)http.GetRouteValue("id")!;
        if (links.Check(http.Request, id, AttachmentLinks.Upload) is not { } workspace
            || await table.FindAsync(workspace, id, cancel) is not { } attachment)
        {
            await ApiError.LinkInvalid().RefuseAsync(http);
            return;
        }

        // Once in, bytes stay: a link that leaked later changes nothing.
        if (attachment.UploadDescriptor is null)
        {
            await ApiError.AlreadyExists("file under this link").RefuseAsync(http);
            return;
        }

        var most = (long?)attachment.Metadata?[AttachmentKeeper.SizeMember] ?? 0;
        byte[]? content;
        if (UploadedFile.IsForm(http.Request))
        {
            var (file, error) = await UploadedFile.ReadAsync(http, most + FormBytes, (_, _) => null, cancel);
            if (file is null)
            {
                await error!.RefuseAsync(http);
                return;
            }

            content = file.Content.Length > most ? null : file.Content;
        }
        else
        {
            content = http.Request.ContentLength > most ? null : await UploadedFile.ReadAllAsync(http.Request.Body, most, cancel);
        }

        if (content is null)
        {
            await RequestBody.TooLarge(http, most).RefuseAsync(http);
            return;
        }

        if (content.Length == 0)
        {
            await ApiError.InvalidValue("file", "it is empty.").RefuseAsync(http);
            return;
        }

        if (!AttachmentTypes.LooksLike(attachment.MimeType, content))
        {
            await NotAsSaid(attachment.MimeType).RefuseAsync(http);
            return;
        }

        var whole = attachment with { UploadDescriptor = null };
        if (!await table.KeepAsync(workspace, whole, content, cancel))
        {
            await ApiError.AlreadyExists("file under this link").RefuseAsync(http);
            return;
        }

        await WriteAsync(http, whole, cancel);
    }

    /// <summary>A picture, for the page to show.</summary>
    public async Task GetContentAsync(HttpContext http)
    {
        var cancel = http.RequestAborted;
        var id = (string)http.GetRouteValue("id")!;
        if (links.Check(http.Request, id, AttachmentLinks.Preview) is not { } workspace
            || await table.FindAsync(workspace, id, cancel) is not ImageAttachment picture
            || await bytes.LoadAsync(workspace, id, cancel) is not { } content)
        {
            await ApiError.LinkInvalid().RefuseAsync(http);
            return;
        }

        var headers = http.Response.Headers;
        http.Response.ContentType = picture.MimeType.ToLowerInvariant();
        http.Response.ContentLength = content.Length;
        // What users upload is shown as a picture or not at all.
        headers.XContentTypeOptions = "nosniff";
        headers.ContentSecurityPolicy = "default-src 'none'; sandbox";
        headers[HeaderNames.ContentDisposition] = "inline";
        headers.CacheControl = "private, max-age=600";
        await http.Response.BodyWriter.WriteAsync(content, cancel);
    }

    private static async Task WriteAsync(HttpContext http, Attachment attachment, CancellationToken cancel)
    {
        http.Response.ContentType = "application/json";
        await http.Response.BodyWriter.WriteAsync(ChatKitJson.ToWire(attachment), cancel);
    }

    private static ApiError NotAsSaid(string mimeType) => ApiError.InvalidValue("file", $"it is no {mimeType}.");
}
