using System.Text.Json.Nodes;

namespace ChatKit.Tests.Support;

/// <summary>Makes records with upload URLs and notes of its own, and remembers what it made and deleted.</summary>
public sealed class FakeAttachmentStore : AttachmentStore<Caller>
{
    private int _last;

    public Dictionary<string, Attachment> Created { get; } = [];

    public List<string> Deleted { get; } = [];

    public override string GenerateAttachmentId(string mimeType, Caller context) => $"atc_{++_last}";

    public override Task<Attachment> CreateAttachmentAsync(AttachmentsCreateParams file, Caller context, CancellationToken cancel)
    {
        var id = GenerateAttachmentId(file.MimeType, context);
        var upload = new UploadDescriptor
        {
            Url = $"https://files.example/{id}",
            Method = UploadMethod.Put,
            Headers = new Dictionary<string, string> { ["X-Upload"] = "yes" },
        };
        var notes = new JsonObject { ["bucket"] = "secret-bucket" };
        Attachment attachment = file.MimeType.StartsWith("image/", StringComparison.Ordinal)
            ? new ImageAttachment
            {
                Id = id,
                Name = file.Name,
                MimeType = file.MimeType,
                UploadDescriptor = upload,
                Metadata = notes,
                PreviewUrl = $"https://files.example/{id}/preview",
            }
            : new FileAttachment { Id = id, Name = file.Name, MimeType = file.MimeType, UploadDescriptor = upload, Metadata = notes };
        Created[id] = attachment;
        return Task.FromResult(attachment);
    }

    public override Task DeleteAttachmentAsync(string attachmentId, Caller context, CancellationToken cancel)
    {
        Deleted.Add(attachmentId);
        return Task.CompletedTask;
    }
}
