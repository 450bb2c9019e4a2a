namespace ChatKit;

/// <summary>The ten operations whose answer is one document.</summary>
internal sealed class NonStreamingOperations<TContext>(ChatKitServer<TContext> server, TContext context)
{
    private readonly ChatKitStore<TContext> _store = server.Store;

    public async Task<JsonResult> AnswerAsync(NonStreamingRequest request, CancellationToken cancel) => new(ChatKitJson.ToWire<object>(request switch
    {
        ThreadsGetByIdRequest get => await GetThreadAsync(get.Params.ThreadId, cancel),
        ThreadsListRequest list => await ListThreadsAsync(list.Params, cancel),
        ThreadsUpdateRequest update => await RenameThreadAsync(update.Params, cancel),
        ThreadsDeleteRequest delete => await DeleteThreadAsync(delete.Params.ThreadId, cancel),
        ThreadsSyncCustomActionRequest action => await ActAsync(action.Params, cancel),
        ItemsListRequest list => await ListItemsAsync(list.Params, cancel),
        ItemsFeedbackRequest feedback => await TakeFeedbackAsync(feedback.Params, cancel),
        AttachmentsCreateRequest create => await CreateAttachmentAsync(create.Params, cancel),
        AttachmentsDeleteRequest delete => await DeleteAttachmentAsync(delete.Params.AttachmentId, cancel),
        InputTranscribeRequest transcribe => await TranscribeAsync(transcribe.Params, cancel),
        _ => throw new ArgumentException($"There is no operation for {request.GetType()}.", nameof(request)),
    }));

    private async Task<ThreadView> GetThreadAsync(string threadId, CancellationToken cancel)
    {
        var thread = await _store.LoadThreadAsync(threadId, context, cancel);
        var items = await _store.LoadThreadItemsAsync(
            threadId, after: null, ChatKitServerOptions.DefaultPageSize, SortOrder.Asc, context, cancel);
        return ThreadView.Of(thread, items);
    }

    private async Task<Page<ThreadView>> ListThreadsAsync(ThreadsListParams parameters, CancellationToken cancel)
    {
        var page = await _store.LoadThreadsAsync(LimitOf(parameters.Limit), parameters.After, parameters.Order, context, cancel);
        return new Page<ThreadView> { Data = [.. page.Data.Select(thread => ThreadView.Of(thread))], HasMore = page.HasMore, After = page.After };
    }

    /// <summary>The title alone: a reply may be streaming in the thread, and change the rest of it.</summary>
    private async Task<ThreadView> RenameThreadAsync(ThreadsUpdateParams parameters, CancellationToken cancel) => ThreadView.Of(
        await _store.UpdateThreadAsync(parameters.ThreadId, thread => thread.Title = parameters.Title, context, cancel));

    private async Task<EmptyResponse> DeleteThreadAsync(string threadId, CancellationToken cancel)
    {
        if (server.Options.DeleteAttachmentsWithThread)
        {
            await DeleteAttachmentsOfAsync(threadId, cancel);
        }

        await _store.DeleteThreadAsync(threadId, context, cancel);
        return new EmptyResponse();
    }

    private async Task DeleteAttachmentsOfAsync(string threadId, CancellationToken cancel)
    {
        var sent = new HashSet<string>(StringComparer.Ordinal);
        await foreach (var item in StoreReading.AllItemsAsync(_store, threadId, SortOrder.Asc, context, cancel))
        {
            sent.UnionWith(item is UserMessageItem message ? message.Attachments.Select(attachment => attachment.Id) : []);
        }

        foreach (var id in sent)
        {
            try
            {
                // One that was sent again in another thread belongs to that one now.
                if ((await _store.LoadAttachmentAsync(id, context, cancel)).ThreadId == threadId)
                {
                    await DeleteBytesAndRecordAsync(id, cancel);
                }
            }
            catch (NotFoundException)
            {
                // Deleted before.
            }
        }
    }

    private async Task<SyncActionResult> ActAsync(CustomActionParams parameters, CancellationToken cancel)
    {
        var thread = await _store.LoadThreadAsync(parameters.ThreadId, context, cancel);
        StoreReading.RefuseInactive(thread, server.Options);
        var (sender, isWidget) = await StoreReading.SenderAsync(_store, parameters, context, cancel);
        if (!isWidget)
        {
            throw new InvalidRequestException("'params.item_id' is not a widget.", "params.item_id");
        }

        var changes = new ThreadChanges(thread);
        var result = await server.SyncActionAsync(thread, parameters.Action, sender, context, cancel);
        await changes.SaveAsync(_store, context, cancel);
        return result.UpdatedItem is { IsHidden: true } ? new SyncActionResult() : result;
    }

    private async Task<Page<ThreadItem>> ListItemsAsync(ItemsListParams parameters, CancellationToken cancel)
    {
        // Someone else's thread has no items for this caller; to say that it is not there is clearer.
        await _store.LoadThreadAsync(parameters.ThreadId, context, cancel);
        var page = await _store.LoadThreadItemsAsync(
            parameters.ThreadId, parameters.After, LimitOf(parameters.Limit), parameters.Order, context, cancel);
        return page with { Data = [.. page.Data.Where(item => !item.IsHidden)] };
    }

    private async Task<EmptyResponse> TakeFeedbackAsync(ItemsFeedbackParams parameters, CancellationToken cancel)
    {
        await _store.LoadThreadAsync(parameters.ThreadId, context, cancel);
        await server.AddFeedbackAsync(parameters.ThreadId, parameters.ItemIds, parameters.Kind, context, cancel);
        return new EmptyResponse();
    }

    private async Task<Attachment> CreateAttachmentAsync(AttachmentsCreateParams parameters, CancellationToken cancel)
    {
        var attachment = await AttachmentStore().CreateAttachmentAsync(parameters, context, cancel);
        await _store.SaveAttachmentAsync(attachment, context, cancel);
        return attachment;
    }

    private async Task<EmptyResponse> DeleteAttachmentAsync(string attachmentId, CancellationToken cancel)
    {
        _ = AttachmentStore();
        await _store.LoadAttachmentAsync(attachmentId, context, cancel);
        await DeleteBytesAndRecordAsync(attachmentId, cancel);
        return new EmptyResponse();
    }

    private async Task DeleteBytesAndRecordAsync(string attachmentId, CancellationToken cancel)
    {
        if (server.Attachments is { } bytes)
        {
            await bytes.DeleteAttachmentAsync(attachmentId, context, cancel);
        }

        await _store.DeleteAttachmentAsync(attachmentId, context, cancel);
    }

    private async Task<TranscriptionResult> TranscribeAsync(InputTranscribeParams parameters, CancellationToken cancel) =>
        await server.TranscribeAsync(new AudioInput { Data = parameters.Audio, MimeType = parameters.MimeType }, context, cancel);

    private AttachmentStore<TContext> AttachmentStore() => server.Attachments ?? throw RequestRefusedException.NotSupported("attachments");

    private int LimitOf(int? asked) =>
        asked is > 0 ? Math.Min(asked.Value, server.Options.MaxPageSize) : ChatKitServerOptions.DefaultPageSize;
}
