namespace ChatKit;

/// <summary>
/// Where the bytes of attachments are kept. The records are the <see cref="ChatKitStore{TContext}"/>'s: the server saves,
/// reads and deletes those. All methods may be called concurrently.
/// </summary>
/// <typeparam name="TContext">What you know of a request, for instance its user.</typeparam>
public abstract class AttachmentStore<TContext>
{
    /// <summary>An id for a new attachment, unique among all. By default <c>atc_</c> and 24 hexadecimal digits.</summary>
    /// <param name="mimeType">As the client says.</param>
    public virtual string GenerateAttachmentId(string mimeType, TContext context) => ChatKitIds.NewAttachmentId();

    /// <summary>
    /// The first phase of a two-phase upload: makes the record, with an <see cref="Attachment.UploadDescriptor"/> that says
    /// where the client is to send the bytes. The server saves the record. Check size and type here: no one else does.
    /// </summary>
    /// <param name="file">What the client announces, untrusted.</param>
    /// <exception cref="RequestRefusedException">
    /// Too large, or of a type that is not allowed; by default always, with status 501: only direct uploads are supported.
    /// </exception>
    public virtual Task<Attachment> CreateAttachmentAsync(AttachmentsCreateParams file, TContext context, CancellationToken cancel) =>
        throw RequestRefusedException.NotSupported("uploads in two phases");

    /// <summary>Deletes the bytes. Does nothing when there are none. Called only for attachments that the context may see.</summary>
    public abstract Task DeleteAttachmentAsync(string attachmentId, TContext context, CancellationToken cancel);
}
