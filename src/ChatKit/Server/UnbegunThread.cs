namespace ChatKit;

/// <summary>
/// A new thread whose stream did not begin: its client left or the store failed before anybody was told of it. Left behind it
/// would stand empty in its user's list for good.
/// </summary>
internal sealed class UnbegunThread<TContext>(ChatKitServer<TContext> server, TContext context)
{
    /// <summary>
    /// Deletes what of the thread was stored, and lets its files go, so that they can be sent again. Not on the request's
    /// token, which may be cancelled, but within <see cref="ChatKitServerOptions.SaveLimit"/>. What fails is logged.
    /// </summary>
    /// <param name="attachments">Of its message, as they were before.</param>
    public async Task TakeBackAsync(string threadId, IReadOnlyList<Attachment> attachments)
    {
        using var limit = new CancellationTokenSource(server.Options.SaveLimit, server.Options.Clock);
        try
        {
            // First: a store may delete a thread's files with it.
            foreach (var attachment in attachments)
            {
                await LetGoAsync(threadId, attachment, limit.Token);
            }

            await server.Store.DeleteThreadAsync(threadId, context, limit.Token);
        }
        catch (NotFoundException)
        {
            // It was not stored.
        }
        catch (Exception e)
        {
            Log.TakeBackFailed(server.Options.Logger, e, threadId);
        }
    }

    private async Task LetGoAsync(string threadId, Attachment attachment, CancellationToken cancel)
    {
        try
        {
            if ((await server.Store.LoadAttachmentAsync(attachment.Id, context, cancel)).ThreadId == threadId)
            {
                await server.Store.SaveAttachmentAsync(attachment, context, cancel);
            }
        }
        catch (NotFoundException)
        {
            // Deleted meanwhile.
        }
    }
}
