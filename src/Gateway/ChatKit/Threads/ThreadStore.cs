using System.Globalization;
using System.Text;
using ChatKit;
using Gateway.ChatKit.Attachments;
using Npgsql;
using NpgsqlTypes;

namespace Gateway.ChatKit.Threads;

/// <summary>
/// Threads, items and attachments' records in Postgres. Every statement carries the workspace, the bot and the user, so what is
/// another's does not exist.
/// </summary>
internal sealed class ThreadStore(NpgsqlDataSource database, ThreadLeases leases, AttachmentBytes bytes, AttachmentLinks links)
    : ChatKitStore<ChatKitUser>
{
    /// <summary>Judgements kept of one thread.</summary>
    private const int MostFeedback = 1_000;

    public override async Task<ChatThread> LoadThreadAsync(string threadId, ChatKitUser context, CancellationToken cancel) =>
        Read<ChatThread>(await LoadDocumentAsync(threadId, context, cancel));

    public override async Task SaveThreadAsync(ChatThread thread, ChatKitUser context, CancellationToken cancel)
    {
        await using var save = database.CreateCommand(
            """
            INSERT INTO chatkit_threads (workspace_id, id, bot_id, user_id, created_at, document) VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (workspace_id, id) DO UPDATE SET document = EXCLUDED.document
                WHERE chatkit_threads.bot_id = EXCLUDED.bot_id AND chatkit_threads.user_id = EXCLUDED.user_id
            """);
        save.Parameters.AddWithValue(context.WorkspaceId);
        save.Parameters.AddWithValue(thread.Id);
        save.Parameters.AddWithValue(context.BotId);
        save.Parameters.AddWithValue(context.UserId);
        save.Parameters.AddWithValue(thread.CreatedAt.UtcDateTime);
        save.Parameters.Add(Document(thread));
        if (await save.ExecuteNonQueryAsync(cancel) == 0)
        {
            throw NotFoundException.Thread(thread.Id);
        }
    }

    /// <summary>In one statement, which writes nothing when another came in between: then the change is made to what that one wrote.</summary>
    public override async Task<ChatThread> UpdateThreadAsync(
        string threadId, Action<ChatThread> change, ChatKitUser context, CancellationToken cancel)
    {
        while (true)
        {
            var document = await LoadDocumentAsync(threadId, context, cancel);
            var thread = Read<ChatThread>(document);
            change(thread);
            if (await ReplaceThreadAsync(thread, document, context, cancel))
            {
                return thread;
            }

            if (context.LeaseOn(threadId) is not null)
            {
                await CheckHeldAsync(threadId, context, cancel);
            }
        }
    }

    public override async Task<Page<ChatThread>> LoadThreadsAsync(
        int limit, string? after, SortOrder order, ChatKitUser context, CancellationToken cancel)
    {
        await using var select = new ThreadQuery(database, context);
        select.Add($"SELECT t.id, t.document FROM chatkit_threads t WHERE {select.Visible}");
        if (after is not null)
        {
            await using var find = new ThreadQuery(database, context);
            select.Behind("t", await find.ThreadCursorAsync(find.Visible, after, cancel) ?? throw NotFoundException.Thread(after), order);
        }

        return await select.PageAsync("t", limit, order, (_, document) => Read<ChatThread>(document), cancel);
    }

    /// <summary>Deletes a thread with its items and files.</summary>
    /// <exception cref="NotFoundException">There is no such thread, or it is another's.</exception>
    public override async Task DeleteThreadAsync(string threadId, ChatKitUser context, CancellationToken cancel)
    {
        await using var delete = new ThreadQuery(database, context);
        var files = await delete.DeleteThreadAsync(threadId, cancel) ?? throw NotFoundException.Thread(threadId);
        await bytes.DeleteAsync(context.WorkspaceId, files, cancel);
    }

    public override async Task<Page<ThreadItem>> LoadThreadItemsAsync(
        string threadId, string? after, int limit, SortOrder order, ChatKitUser context, CancellationToken cancel)
    {
        await using var select = new ThreadQuery(database, context);
        select.Items("i.id, i.document", threadId);
        if (after is not null)
        {
            await using var find = new ThreadQuery(database, context);
            select.Behind("i", await find.ItemCursorAsync(threadId, after, cancel) ?? throw NotFoundException.Item(after), order);
        }

        return await select.PageAsync("i", limit, order, (_, document) => Fresh(Read<ThreadItem>(document), context), cancel);
    }

    public override Task AddThreadItemAsync(string threadId, ThreadItem item, ChatKitUser context, CancellationToken cancel) =>
        SaveItemAsync(
            threadId, context.LeaseOn(threadId) is { } lease ? item with { CreatedAt = lease.InOrder(item.CreatedAt) } : item, context, cancel);

    public override async Task SaveItemAsync(string threadId, ThreadItem item, ChatKitUser context, CancellationToken cancel)
    {
        await using var save = new ThreadQuery(database, context);
        save.Add("INSERT INTO chatkit_items (workspace_id, thread_id, id, created_at, document) SELECT t.workspace_id, t.id, ")
            .Value(item.Id).Add(", ").Value(item.CreatedAt.UtcDateTime).Add(", ").Value(Document(item))
            // Locked, so that nobody takes the thread between the look at its lease and the writing.
            .Add($" FROM chatkit_threads t WHERE {save.Own}{save.Held(threadId)} AND t.id = ").Value(threadId).Add(" FOR SHARE OF t")
            .Add(" ON CONFLICT (workspace_id, thread_id, id) DO UPDATE SET document = EXCLUDED.document");
        if (await save.RunAsync(cancel) == 0)
        {
            await CheckHeldAsync(threadId, context, cancel);
        }
    }

    public override async Task<ThreadItem> LoadItemAsync(string threadId, string itemId, ChatKitUser context, CancellationToken cancel)
    {
        await using var select = new ThreadQuery(database, context);
        select.Items("i.document", threadId).Add(" AND i.id = ").Value(itemId);
        return await select.ScalarAsync(cancel) is string document ? Fresh(Read<ThreadItem>(document), context) : throw NotFoundException.Item(itemId);
    }

    public override async Task DeleteThreadItemAsync(string threadId, string itemId, ChatKitUser context, CancellationToken cancel)
    {
        await using var delete = new ThreadQuery(database, context);
        delete.Add($"WITH mine AS (SELECT t.workspace_id, t.id FROM chatkit_threads t WHERE {delete.Own}{delete.Held(threadId)} AND t.id = ")
            .Value(threadId)
            .Add(
                """
                 FOR SHARE OF t)
                DELETE FROM chatkit_items i USING mine WHERE i.workspace_id = mine.workspace_id AND i.thread_id = mine.id AND i.id = 
                """)
            .Value(itemId);
        if (await delete.RunAsync(cancel) == 0 && context.LeaseOn(threadId) is not null)
        {
            await CheckHeldAsync(threadId, context, cancel);
        }
    }

    /// <summary>Keeps the record of a file that is to come, or gives one that came to the thread of the message that names it.</summary>
    /// <exception cref="NotFoundException">A message names it, and it is not there, or not any more; or the id is another's.</exception>
    /// <exception cref="RequestRefusedException">A message names it, and its bytes have not come, or it is another thread's (409).</exception>
    public override async Task SaveAttachmentAsync(Attachment attachment, ChatKitUser context, CancellationToken cancel)
    {
        if (attachment.ThreadId is { } thread)
        {
            await GiveToThreadAsync(attachment, thread, context, cancel);
            return;
        }

        await using var save = database.CreateCommand(
            """
            INSERT INTO chatkit_attachments (workspace_id, id, bot_id, user_id, mime_type, size, is_uploaded, created_at, document)
            SELECT $1, $2, $3, $4, $5, 0, false, now(), $6
            ON CONFLICT (workspace_id, id) DO UPDATE SET thread_id = NULL, document = EXCLUDED.document
                WHERE chatkit_attachments.bot_id = EXCLUDED.bot_id AND chatkit_attachments.user_id = EXCLUDED.user_id
                    AND (chatkit_attachments.thread_id IS NULL OR chatkit_attachments.thread_id = $7)
            """);
        save.Parameters.AddWithValue(context.WorkspaceId);
        save.Parameters.AddWithValue(attachment.Id);
        save.Parameters.AddWithValue(context.BotId);
        save.Parameters.AddWithValue(context.UserId);
        save.Parameters.AddWithValue(attachment.MimeType);
        save.Parameters.Add(Document(attachment));
        // The request that gave it to a thread may take it back, where nothing comes of the thread.
        save.Parameters.Add(new NpgsqlParameter { Value = (object?)context.Lease?.Thread ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
        if (await save.ExecuteNonQueryAsync(cancel) == 0)
        {
            throw NotFoundException.Attachment(attachment.Id);
        }
    }

    public override async Task<Attachment> LoadAttachmentAsync(string attachmentId, ChatKitUser context, CancellationToken cancel)
    {
        await using var select = new ThreadQuery(database, context);
        select.Add($"SELECT t.document FROM chatkit_attachments t WHERE {select.Own} AND t.id = ").Value(attachmentId);
        return await select.ScalarAsync(cancel) is string document
            ? Fresh(Read<Attachment>(document), context) : throw NotFoundException.Attachment(attachmentId);
    }

    public override async Task DeleteAttachmentAsync(string attachmentId, ChatKitUser context, CancellationToken cancel)
    {
        await using var delete = new ThreadQuery(database, context);
        delete.Add($"DELETE FROM chatkit_attachments t WHERE {delete.Own} AND t.id = ").Value(attachmentId);
        await delete.RunAsync(cancel);
    }

    public override async ValueTask<IThreadLease?> TryAcquireThreadAsync(string threadId, ChatKitUser context, CancellationToken cancel)
    {
        var lease = await leases.TakeAsync(context.WorkspaceId, threadId, cancel);
        context.Lease = lease ?? context.Lease;
        return lease;
    }

    /// <summary>Keeps a user's judgement of those items that there are, beside the thread, so that no stream's saving overwrites it.</summary>
    /// <param name="kind"><c>positive</c> or <c>negative</c>.</param>
    public async Task AddFeedbackAsync(string threadId, IReadOnlyList<string> itemIds, string kind, ChatKitUser context, CancellationToken cancel)
    {
        var known = itemIds.Where(id => !id.Contains('\0', StringComparison.Ordinal)).ToArray();
        await using var save = new ThreadQuery(database, context);
        save.Add(
            """
            UPDATE chatkit_threads t SET feedback = t.feedback || jsonb_build_array(jsonb_build_object('at', now(), 'kind', 
            """).Value(kind).Add(
            """
            ::text, 'items', (SELECT coalesce(jsonb_agg(i.id), '[]') FROM chatkit_items i
                WHERE i.workspace_id = t.workspace_id AND i.thread_id = t.id AND i.id = ANY(
            """).Value(known)
            .Add(string.Create(CultureInfo.InvariantCulture, $")))) WHERE {save.Own} AND jsonb_array_length(t.feedback) < {MostFeedback} AND t.id = "))
            .Value(threadId)
            // Of nothing that is there, it is no judgement.
            .Add(" AND EXISTS (SELECT 1 FROM chatkit_items i WHERE i.workspace_id = t.workspace_id AND i.thread_id = t.id AND i.id = ANY(")
            .Value(known).Add("))");
        await save.RunAsync(cancel);
    }

    /// <summary>
    /// Of a record that is there, once: what was deleted meanwhile does not come back, and no thread takes another's file along when
    /// it is deleted.
    /// </summary>
    private async Task GiveToThreadAsync(Attachment attachment, string thread, ChatKitUser context, CancellationToken cancel)
    {
        await using var give = new ThreadQuery(database, context);
        give.Add("UPDATE chatkit_attachments t SET thread_id = ").Value(thread).Add(", document = ").Value(Document(attachment))
            .Add($" WHERE {give.Own} AND t.is_uploaded AND (t.thread_id IS NULL OR t.thread_id = ").Value(thread)
            .Add(") AND t.id = ").Value(attachment.Id);
        if (await give.RunAsync(cancel) > 0)
        {
            return;
        }

        throw (await LoadAttachmentAsync(attachment.Id, context, cancel)).ThreadId is null
            ? new RequestRefusedException(409, "attachment_not_uploaded", $"The attachment '{attachment.Id}' has not been uploaded yet.")
            : new RequestRefusedException(409, "attachment_in_use", $"The attachment '{attachment.Id}' was sent in another thread: upload the file again.");
    }

    private async Task<string> LoadDocumentAsync(string threadId, ChatKitUser context, CancellationToken cancel)
    {
        await using var select = new ThreadQuery(database, context);
        select.Add($"SELECT t.document FROM chatkit_threads t WHERE {select.Own} AND t.id = ").Value(threadId);
        return await select.ScalarAsync(cancel) as string ?? throw NotFoundException.Thread(threadId);
    }

    /// <summary>Whether there was such a thread, as it was expected and still the request's.</summary>
    /// <param name="expected">The document as it was read.</param>
    private async Task<bool> ReplaceThreadAsync(ChatThread thread, string expected, ChatKitUser context, CancellationToken cancel)
    {
        await using var update = new ThreadQuery(database, context);
        update.Add("UPDATE chatkit_threads t SET document = ").Value(Document(thread))
            .Add($" WHERE {update.Own}{update.Held(thread.Id)} AND t.id = ").Value(thread.Id)
            .Add(" AND t.document::text = ").Value(expected);
        return await update.RunAsync(cancel) > 0;
    }

    /// <summary>Finds out why a write found nothing to write to. A lease that does not hold any more learns of it.</summary>
    /// <exception cref="NotFoundException">There is no such thread, or none any more.</exception>
    /// <exception cref="RequestRefusedException">It is another stream's by now (409).</exception>
    private async Task CheckHeldAsync(string threadId, ChatKitUser context, CancellationToken cancel)
    {
        if (context.LeaseOn(threadId) is not { } lease)
        {
            throw NotFoundException.Thread(threadId);
        }

        await using var find = new ThreadQuery(database, context);
        find.Add($"SELECT t.lease_id FROM chatkit_threads t WHERE {find.Own} AND t.id = ").Value(threadId);
        switch (await find.ScalarAsync(cancel))
        {
            case Guid holder when holder == lease.Id:
                break;
            case null:
                lease.Lose("the thread was deleted");
                throw NotFoundException.Thread(threadId);
            default:
                lease.Lose("a write was refused, because the thread was another stream's");
                throw new RequestRefusedException(409, "thread_busy", "Another reply was begun in this thread.");
        }
    }

    /// <summary>Links to previews hold for minutes, so each reading makes new ones.</summary>
    private ThreadItem Fresh(ThreadItem item, ChatKitUser user) => item is UserMessageItem { Attachments.Count: > 0 } message
        ? message with { Attachments = [.. message.Attachments.Select(attachment => Fresh(attachment, user))] }
        : item;

    private Attachment Fresh(Attachment attachment, ChatKitUser user) => attachment is ImageAttachment picture
        ? picture with { PreviewUrl = links.Make(user, picture.Id, AttachmentLinks.Preview) }
        : attachment;

    internal static T Read<T>(string document) => ChatKitJson.FromStore<T>(Encoding.UTF8.GetBytes(document));

    private static NpgsqlParameter Document<T>(T value) where T : notnull =>
        new() { Value = Encoding.UTF8.GetString(ChatKitJson.ToStore(value)), NpgsqlDbType = NpgsqlDbType.Json };
}
