using ChatKit;
using Gateway.Bots;
using Gateway.ChatKit.Attachments;
using Gateway.Http;
using Gateway.Selectors;
using Npgsql;

namespace Gateway.ChatKit.Threads;

/// <param name="After">The page begins behind the element with this id, and ends before <paramref name="Before"/>; null: no bound.</param>
internal sealed record ThreadPage(int Limit, SortOrder Order, string? After, string? Before)
{
    /// <summary>Ids of elements that the page lies behind, each in an order.</summary>
    public IEnumerable<(string Id, SortOrder Order)> Bounds
    {
        get
        {
            if (After is not null)
            {
                yield return (After, Order);
            }

            if (Before is not null)
            {
                yield return (Before, Order == SortOrder.Asc ? SortOrder.Desc : SortOrder.Asc);
            }
        }
    }
}

/// <summary>A thread with whose it is.</summary>
/// <param name="Feedback">A JSON array.</param>
internal sealed record OwnedThread(string Id, string BotId, string UserId, ChatThread Thread, string Feedback);

/// <summary>
/// A workspace's threads over all its users, for keys. Every statement carries the workspace, and the key's bots where it may not
/// use all: who may sees the threads of bots that were removed, too.
/// </summary>
internal sealed class ThreadTable(NpgsqlDataSource database, BotCatalog bots, AttachmentBytes bytes)
{
    private const string Columns = "t.id, t.document, t.bot_id, t.user_id, t.feedback::text";

    /// <summary>A thread of a bot that the key may use; null: there is none.</summary>
    public async Task<OwnedThread?> FindAsync(Caller caller, string id, CancellationToken cancel)
    {
        await using var find = Query(caller);
        find.Add($"SELECT {Columns} FROM chatkit_threads t WHERE {find.Own} AND t.id = ").Value(id);
        return (await find.PageAsync("t", 1, SortOrder.Asc, Read, cancel)).Data.SingleOrDefault();
    }

    /// <param name="user">Null: of all users.</param>
    public async Task<Page<OwnedThread>> ListAsync(Caller caller, string? user, ThreadPage page, CancellationToken cancel)
    {
        await using var list = Query(caller);
        list.Add($"SELECT {Columns} FROM chatkit_threads t WHERE {list.Own}");
        if (user is not null)
        {
            list.Add(" AND t.user_id = ").Value(user);
        }

        foreach (var (id, order) in page.Bounds)
        {
            await using var find = Query(caller);
            if (await find.ThreadCursorAsync(find.Own, id, cancel) is not { } cursor)
            {
                return new Page<OwnedThread> { Data = [] };
            }

            list.Behind("t", cursor, order);
        }

        return await list.PageAsync("t", page.Limit, page.Order, Read, cancel);
    }

    /// <summary>A thread's items of the kinds that OpenAI's list has a form for.</summary>
    public async Task<Page<ThreadItem>> ListItemsAsync(Caller caller, string thread, ThreadPage page, CancellationToken cancel)
    {
        var found = new List<ThreadItem>();
        for (var after = page; ;)
        {
            // Told apart here and not there: the database takes a document apart whole, and does not take U+0000.
            var read = await ReadItemsAsync(caller, thread, after, cancel);
            foreach (var item in read.Data.Where(HasForm))
            {
                if (found.Count == page.Limit)
                {
                    return new Page<ThreadItem> { Data = found, HasMore = true, After = found[^1].Id };
                }

                found.Add(item);
            }

            if (!read.HasMore)
            {
                return new Page<ThreadItem> { Data = found };
            }

            if (found.Count > 0 && read.Data.Count < after.Limit)
            {
                // It ended because it had become large.
                return new Page<ThreadItem> { Data = found, HasMore = true, After = found[^1].Id };
            }

            after = after with { After = read.After };
        }
    }

    /// <summary>Deletes a thread with its items and files.</summary>
    /// <returns>False: there is none that the key may see.</returns>
    public async Task<bool> DeleteAsync(Caller caller, string thread, CancellationToken cancel)
    {
        await using var delete = Query(caller);
        if (await delete.DeleteThreadAsync(thread, cancel) is not { } files)
        {
            return false;
        }

        await bytes.DeleteAsync(caller.WorkspaceId ?? Guid.Empty, files, cancel);
        return true;
    }

    private async Task<Page<ThreadItem>> ReadItemsAsync(Caller caller, string thread, ThreadPage page, CancellationToken cancel)
    {
        await using var list = Query(caller);
        list.Items("i.id, i.document", thread);
        foreach (var (id, order) in page.Bounds)
        {
            await using var find = Query(caller);
            if (await find.ItemCursorAsync(thread, id, cancel) is not { } cursor)
            {
                return new Page<ThreadItem> { Data = [] };
            }

            list.Behind("i", cursor, order);
        }

        return await list.PageAsync("i", page.Limit, page.Order, (_, document) => ThreadStore.Read<ThreadItem>(document), cancel);
    }

    private static bool HasForm(ThreadItem item) =>
        item is UserMessageItem or AssistantMessageItem or ClientToolCallItem or WidgetItem or TaskItem or WorkflowItem;

    private ThreadQuery Query(Caller caller) => new(
        database,
        caller.WorkspaceId ?? Guid.Empty,
        caller.Selectors.Length == 0 ? null
            : [.. bots.List(caller).Where(bot => caller.MayUse(Selector.ForBot(bot.Id))).Select(bot => bot.Id)]);

    private static OwnedThread Read(NpgsqlDataReader row, string document) =>
        new(row.GetString(0), row.GetString(2), row.GetString(3), ThreadStore.Read<ChatThread>(document), row.GetString(4));
}
