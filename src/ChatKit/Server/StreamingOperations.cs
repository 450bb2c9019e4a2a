namespace ChatKit;

/// <summary>
/// The six operations whose answer is a stream. All that can be wrong with a request is found here, before the stream
/// begins, so that it can still be refused with a status.
/// </summary>
internal sealed class StreamingOperations<TContext>(ChatKitServer<TContext> server, TContext context)
{
    /// <summary>How many of the newest items are searched for calls of client tools.</summary>
    private const int CallsLookBack = 20;

    /// <summary>Only ids are wanted of the items behind a message, so that no more of them than these are held at a time.</summary>
    private const int RetryPageSize = 10;

    private readonly ChatKitStore<TContext> _store = server.Store;

    public async Task<StreamingResult> StartAsync(StreamingRequest request, CancellationToken cancel)
    {
        var turn = new Turn<TContext>(server, context, cancel);
        try
        {
            await (request switch
            {
                ThreadsCreateRequest create => CreateThreadAsync(turn, create.Params.Input, cancel),
                ThreadsAddUserMessageRequest add => AddUserMessageAsync(turn, add.Params, cancel),
                ThreadsAddClientToolOutputRequest output => AddToolOutputAsync(turn, output.Params, cancel),
                ThreadsAddStructuredInputRequest answers => AddAnswersAsync(turn, answers.Params, cancel),
                ThreadsRetryAfterItemRequest retry => RetryAsync(turn, retry.Params, cancel),
                ThreadsCustomActionRequest action => ActAsync(turn, action.Params, cancel),
                _ => throw new ArgumentException($"There is no operation for {request.GetType()}.", nameof(request)),
            });
        }
        catch
        {
            await turn.DisposeAsync();
            throw;
        }

        var events = turn.RunAsync(CancellationToken.None);
        if (server.Options.KeepAlive is { } silence)
        {
            events = ServerSentEvent.WithKeepAlive(events, silence, server.Options.Clock, CancellationToken.None);
        }

        return new StreamingResult(events, turn.GiveUpAsync);
    }

    private async Task CreateThreadAsync(Turn<TContext> turn, UserMessageInput input, CancellationToken cancel)
    {
        var attachments = await AttachmentsOfAsync(input, cancel);
        var thread = new ChatThread { Id = _store.GenerateThreadId(context), CreatedAt = server.Options.Clock.GetUtcNow() };
        try
        {
            await _store.SaveThreadAsync(thread, context, cancel);
            await turn.TakeAsync(thread, cancel);
            turn.Opening.Add(new ThreadCreatedEvent { Thread = ThreadView.Of(thread) });
            await AnswerMessageAsync(turn, input, attachments, cancel);
        }
        catch
        {
            // Nobody was told of it: the client sends its message again, in another thread.
            await new UnbegunThread<TContext>(server, context).TakeBackAsync(thread.Id, attachments);
            throw;
        }
    }

    private async Task AddUserMessageAsync(Turn<TContext> turn, ThreadsAddUserMessageParams parameters, CancellationToken cancel)
    {
        await TakeActiveAsync(turn, parameters.ThreadId, cancel);
        var attachments = await AttachmentsOfAsync(parameters.Input, cancel);
        await AnswerMessageAsync(turn, parameters.Input, attachments, cancel);
    }

    private async Task AnswerMessageAsync(
        Turn<TContext> turn, UserMessageInput input, IReadOnlyList<Attachment> attachments, CancellationToken cancel)
    {
        var owned = attachments.Select(attachment => attachment with { ThreadId = turn.Thread.Id }).ToArray();
        foreach (var attachment in owned)
        {
            await _store.SaveAttachmentAsync(attachment, context, cancel);
        }

        var message = new UserMessageItem
        {
            Id = _store.GenerateItemId(ItemKind.Message, turn.Thread, context),
            ThreadId = turn.Thread.Id,
            CreatedAt = server.Options.Clock.GetUtcNow(),
            Content = input.Content,
            Attachments = owned,
            QuotedText = input.QuotedText,
            InferenceOptions = input.InferenceOptions,
        };
        await _store.AddThreadItemAsync(turn.Thread.Id, message, context, cancel);
        turn.Opening.Add(new ThreadItemDoneEvent { Item = message });
        await AddOptionsAsync(turn, cancel);
        turn.Handler = stopping => server.RespondAsync(turn.Thread, message, context, stopping);
    }

    private async Task AddToolOutputAsync(Turn<TContext> turn, ThreadsAddClientToolOutputParams parameters, CancellationToken cancel)
    {
        var id = parameters.ThreadId;
        await turn.TakeAsync(id, cancel);
        var newest = await _store.LoadThreadItemsAsync(id, after: null, CallsLookBack, SortOrder.Desc, context, cancel);

        // Behind a user's message it would be the call of a turn that is over. What else may follow a call (hidden notes, the
        // end of a workflow) does not make the client's answer wrong.
        var call = newest.Data.TakeWhile(item => item is not UserMessageItem).OfType<ClientToolCallItem>().FirstOrDefault();
        if (call is not { Status: ClientToolCallStatus.Pending })
        {
            throw RequestRefusedException.NoPendingCall();
        }

        var completed = call with { Output = parameters.Result, Status = ClientToolCallStatus.Completed };
        await _store.SaveItemAsync(id, completed, context, cancel);
        foreach (var left in newest.Data.OfType<ClientToolCallItem>().Where(other => other.Status == ClientToolCallStatus.Pending && other.Id != call.Id))
        {
            await _store.DeleteThreadItemAsync(id, left.Id, context, cancel);
        }

        await AddOptionsAsync(turn, cancel);
        turn.Handler = stopping => server.RespondAsync(turn.Thread, null, context, stopping);
    }

    private async Task AddAnswersAsync(Turn<TContext> turn, ThreadsAddStructuredInputParams parameters, CancellationToken cancel)
    {
        var id = parameters.ThreadId;
        await TakeActiveAsync(turn, id, cancel);
        if (await _store.LoadItemAsync(id, parameters.ItemId, context, cancel) is not StructuredInputItem questions)
        {
            throw new InvalidRequestException("'params.item_id' holds no questions.", "params.item_id");
        }

        if (questions.Status != StructuredInputStatus.Pending)
        {
            throw RequestRefusedException.NotPending();
        }

        var answered = StructuredInputAnswers.Apply(questions, parameters.Input, out var unknown);
        if (unknown > 0)
        {
            Log.UnknownAnswers(server.Options.Logger, id, unknown);
        }

        await _store.SaveItemAsync(id, answered, context, cancel);
        await AddOptionsAsync(turn, cancel);
        turn.Opening.Add(new ThreadItemReplacedEvent { Item = answered });
        turn.Handler = stopping => server.RespondAsync(turn.Thread, null, context, stopping);
    }

    private async Task RetryAsync(Turn<TContext> turn, ThreadsRetryAfterItemParams parameters, CancellationToken cancel)
    {
        var id = parameters.ThreadId;
        await TakeActiveAsync(turn, id, cancel);
        var newer = new List<string>();
        ThreadItem? found = null;
        await foreach (var item in StoreReading.AllItemsAsync(_store, id, SortOrder.Desc, context, cancel, RetryPageSize))
        {
            if (item.Id == parameters.ItemId)
            {
                found = item;
                break;
            }

            newer.Add(item.Id);
        }

        if (found is null)
        {
            // The protocol's answer to this is a stream without events.
            return;
        }

        var message = found as UserMessageItem
            ?? throw new InvalidRequestException("'params.item_id' is not a user message.", "params.item_id");
        foreach (var item in newer)
        {
            await _store.DeleteThreadItemAsync(id, item, context, cancel);
        }

        await AddOptionsAsync(turn, cancel);
        turn.Handler = stopping => server.RespondAsync(turn.Thread, message, context, stopping);
    }

    private async Task ActAsync(Turn<TContext> turn, CustomActionParams parameters, CancellationToken cancel)
    {
        await TakeActiveAsync(turn, parameters.ThreadId, cancel);
        var (sender, isWidget) = await StoreReading.SenderAsync(_store, parameters, context, cancel);
        if (!isWidget)
        {
            turn.Opening.Add(new ErrorEvent { Code = ErrorEvent.StreamErrorCode, AllowRetry = false });
            return;
        }

        // Called here and not with the first step, so that a server without actions can say so with a status.
        var events = server.ActionAsync(turn.Thread, parameters.Action, sender, context, turn.Stopping);
        await AddOptionsAsync(turn, cancel);
        turn.Handler = _ => events;
    }

    private async Task TakeActiveAsync(Turn<TContext> turn, string threadId, CancellationToken cancel)
    {
        await turn.TakeAsync(threadId, cancel);
        StoreReading.RefuseInactive(turn.Thread, server.Options);
    }

    private async Task<IReadOnlyList<Attachment>> AttachmentsOfAsync(UserMessageInput input, CancellationToken cancel)
    {
        var attachments = new List<Attachment>();
        foreach (var id in input.Attachments)
        {
            attachments.Add(await _store.LoadAttachmentAsync(id, context, cancel));
        }

        return attachments;
    }

    private async Task AddOptionsAsync(Turn<TContext> turn, CancellationToken cancel) =>
        turn.Opening.Add(new StreamOptionsEvent { StreamOptions = await server.GetStreamOptionsAsync(turn.Thread, context, cancel) });
}
