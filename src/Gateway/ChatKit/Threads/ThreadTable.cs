using System.Globalization;
using System.Text;
using ChatKit;
using Gateway.Bots;
using Gateway.ChatKit.Attachments;
using Gateway.Http;
using Gateway.Selectors;
using Npgsql;
using NpgsqlTypes;

namespace Gateway.ChatKit.Threads;

/// <param name="After">The page begins behind the element with this id, and ends before <paramref name="Before"/>; null: no bound.</param>
internal sealed record ThreadPage(int Limit, SortOrder Order, string? After, string? Before);

/// <summary>A thread with whose it is.</summary>
/// <param name="Feedback">A JSON array.</param>
internal sealed record OwnedThread(Guid WorkspaceId, string Id, string BotId, string UserId, ChatThread Thread, string Feedback);

/// <summary>A workspace's threads over all its users, for keys. Every statement carries the workspace and the key's bots.</summary>
internal sealed class ThreadTable(NpgsqlDataSource database, BotCatalog bots, AttachmentBytes bytes)
{
    private const string Columns = "t.id, t.bot_id, t.user_id, t.document, t.feedback::text";

    /// <summary>A thread of a bot that the key may use; null: there is none.</summary>
    public async Task<OwnedThread?> FindAsync(Caller caller, string id, CancellationToken cancel)
    {
        await using var find = Command($"SELECT {Columns} FROM chatkit_threads t WHERE t.workspace_id = $1 AND t.bot_id = ANY($2) AND t.id = $3");
        Own(find, caller);
        find.Parameters.AddWithValue(Known(id));
        await using var reader = await find.ExecuteReaderAsync(cancel);
        return await reader.ReadAsync(cancel) ? Read(caller.WorkspaceId!.Value, reader) : null;
    }

    /// <param name="user">Null: of all users.</param>
    public async Task<Page<OwnedThread>> ListAsync(Caller caller, string? user, ThreadPage page, CancellationToken cancel)
    {
        await using var list = Command("");
        Own(list, caller);
        list.Parameters.Add(Text(user));
        list.CommandText =
            $"""
            SELECT {Columns} FROM chatkit_threads t
            WHERE t.workspace_id = $1 AND t.bot_id = ANY($2) AND ($3 IS NULL OR t.user_id = $3)
            {Bounds("t", "chatkit_threads", "c.workspace_id = $1", page, list)}
            """;
        var found = new List<OwnedThread>();
        await using var reader = await list.ExecuteReaderAsync(cancel);
        while (await reader.ReadAsync(cancel))
        {
            found.Add(Read(caller.WorkspaceId!.Value, reader));
        }

        return Cut(found, page.Limit, thread => thread.Id);
    }

    /// <summary>A thread's items of the kinds that OpenAI's list has a form for.</summary>
    public async Task<Page<ThreadItem>> ListItemsAsync(OwnedThread thread, ThreadPage page, CancellationToken cancel)
    {
        var found = new List<ThreadItem>();
        (DateTime At, long Sequence)? behind = null;
        int read;
        do
        {
            // Told apart here and not there: the database takes a document apart whole, and does not take U+0000.
            (read, behind) = await ReadItemsAsync(thread, page, behind, found, cancel);
        }
        while (read > page.Limit && found.Count <= page.Limit);

        return Cut(found, page.Limit, item => item.Id);
    }

    private async Task<(int Read, (DateTime At, long Sequence)? Last)> ReadItemsAsync(
        OwnedThread thread, ThreadPage page, (DateTime At, long Sequence)? behind, List<ThreadItem> found, CancellationToken cancel)
    {
        await using var list = Command("");
        list.Parameters.AddWithValue(thread.WorkspaceId);
        list.Parameters.AddWithValue(thread.Id);
        var further = "";
        if (behind is { } last)
        {
            list.Parameters.AddWithValue(last.At);
            list.Parameters.AddWithValue(last.Sequence);
            further = $"AND (i.created_at, i.sequence) {(page.Order == SortOrder.Asc ? '>' : '<')} ($3, $4)";
        }

        list.CommandText =
            $"""
            SELECT i.document, i.created_at, i.sequence FROM chatkit_items i WHERE i.workspace_id = $1 AND i.thread_id = $2 {further}
            {Bounds("i", "chatkit_items", "c.workspace_id = $1 AND c.thread_id = $2", page, list)}
            """;
        var read = 0;
        await using var reader = await list.ExecuteReaderAsync(cancel);
        while (await reader.ReadAsync(cancel))
        {
            read++;
            behind = (reader.GetDateTime(1), reader.GetInt64(2));
            var item = ThreadStore.Read<ThreadItem>(reader.GetString(0));
            if (item is UserMessageItem or AssistantMessageItem or ClientToolCallItem or WidgetItem or TaskItem or WorkflowItem)
            {
                found.Add(item);
            }
        }

        return (read, behind);
    }

    public async Task DeleteAsync(OwnedThread thread, CancellationToken cancel)
    {
        await using var delete = Command(
            """
            WITH gone AS (DELETE FROM chatkit_threads t WHERE t.workspace_id = $1 AND t.id = $2)
            DELETE FROM chatkit_attachments a WHERE a.workspace_id = $1 AND a.thread_id = $2 RETURNING a.id
            """);
        delete.Parameters.AddWithValue(thread.WorkspaceId);
        delete.Parameters.AddWithValue(thread.Id);
        var attachments = new List<string>();
        await using (var reader = await delete.ExecuteReaderAsync(cancel))
        {
            while (await reader.ReadAsync(cancel))
            {
                attachments.Add(reader.GetString(0));
            }
        }

        foreach (var attachment in attachments)
        {
            await bytes.DeleteAsync(thread.WorkspaceId, attachment, cancel);
        }
    }

    private static string Bounds(string table, string of, string owner, ThreadPage page, NpgsqlCommand command)
    {
        var isAscending = page.Order == SortOrder.Asc;
        var text = new StringBuilder();
        foreach (var (id, isAfter) in new[] { (page.After, true), (page.Before, false) })
        {
            if (id is not null)
            {
                command.Parameters.AddWithValue(Known(id));
                text.Append(CultureInfo.InvariantCulture,
                    $" AND ({table}.created_at, {table}.sequence) {(isAfter == isAscending ? '>' : '<')} (SELECT c.created_at, c.sequence FROM {of} c WHERE {owner} AND c.id = ${command.Parameters.Count})");
            }
        }

        var way = isAscending ? "ASC" : "DESC";
        return text.Append(CultureInfo.InvariantCulture, $" ORDER BY {table}.created_at {way}, {table}.sequence {way} LIMIT {page.Limit + 1}").ToString();
    }

    private static Page<T> Cut<T>(List<T> found, int limit, Func<T, string> id)
    {
        var hasMore = found.Count > limit;
        var data = hasMore ? found[..limit] : found;
        return new Page<T> { Data = data, HasMore = hasMore, After = hasMore ? id(data[^1]) : null };
    }

    private void Own(NpgsqlCommand command, Caller caller)
    {
        command.Parameters.AddWithValue(caller.WorkspaceId ?? Guid.Empty);
        command.Parameters.AddWithValue(
            bots.List(caller).Where(bot => caller.MayUse(Selector.ForBot(bot.Id))).Select(bot => bot.Id).ToArray());
    }

    private static OwnedThread Read(Guid workspace, NpgsqlDataReader reader) => new(
        workspace, reader.GetString(0), reader.GetString(1), reader.GetString(2), ThreadStore.Read<ChatThread>(reader.GetString(3)),
        reader.GetString(4));

    private NpgsqlCommand Command(string sql) => database.CreateCommand(sql);

    /// <summary>Nothing here has U+0000 in it, which the database does not even compare.</summary>
    private static string Known(string id) => id.Replace('\0', '\uFFFD');

    private static NpgsqlParameter Text(string? value) =>
        new() { Value = (object?)(value is null ? null : Known(value)) ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text };
}
