using System.Globalization;
using System.Text;
using ChatKit;
using Gateway.ChatKit.Sessions;
using Npgsql;

namespace Gateway.ChatKit.Threads;

/// <summary>
/// One statement over what a user may see, or a key, put together of texts and values. Threads and attachments are <c>t</c> in
/// it, items <c>i</c>.
/// </summary>
internal sealed class ThreadQuery : IAsyncDisposable
{
    /// <summary>Of the documents of a page, in bytes, whatever its limit: it ends before it would have more, but has one.</summary>
    private const int MostPageBytes = 8 * 1_048_576;

    private readonly NpgsqlCommand _command;
    private readonly StringBuilder _text = new();
    private readonly ChatKitUser? _user;

    /// <summary>Over what is a user's.</summary>
    public ThreadQuery(NpgsqlDataSource database, ChatKitUser user)
    {
        (_command, _user) = (database.CreateCommand(), user);
        Own = $"t.workspace_id = {Parameter(user.WorkspaceId)} AND t.bot_id = {Parameter(user.BotId)} AND t.user_id = {Parameter(user.UserId)}";
    }

    /// <summary>Over what a workspace's users have.</summary>
    /// <param name="bots">With which bots; null: with any, also with one that is not there any more.</param>
    public ThreadQuery(NpgsqlDataSource database, Guid workspace, string[]? bots)
    {
        _command = database.CreateCommand();
        Own = $"t.workspace_id = {Parameter(workspace)}" + (bots is null ? "" : $" AND t.bot_id = ANY({Parameter(bots)})");
    }

    /// <summary>What is theirs: a condition on <c>t</c>.</summary>
    public string Own { get; }

    /// <summary>What of that the session lets the user see.</summary>
    public string Visible => field ??= Own + History(_user?.Session);

    /// <summary>That a thread is still the request's, where the request took it: a further condition on <c>t</c>.</summary>
    public string Held(string thread) => _user?.LeaseOn(thread) is { } lease ? $" AND t.lease_id = {Parameter(lease.Id)}" : "";

    public ThreadQuery Add(string text)
    {
        _text.Append(text);
        return this;
    }

    public ThreadQuery Value(object value)
    {
        _text.Append(value is NpgsqlParameter made ? Take(made) : Parameter(value));
        return this;
    }

    /// <summary>Begins with a thread's items.</summary>
    public ThreadQuery Items(string columns, string thread) => Add(
        $"""
        SELECT {columns} FROM chatkit_items i JOIN chatkit_threads t ON t.workspace_id = i.workspace_id AND t.id = i.thread_id
        WHERE {Own} AND t.id = 
        """).Value(thread);

    /// <summary>Goes on strictly behind an element, in an order.</summary>
    public void Behind(string table, (DateTime At, long Sequence) cursor, SortOrder order) => Add(
        $" AND ({table}.created_at, {table}.sequence) {(order == SortOrder.Asc ? '>' : '<')} ({Parameter(cursor.At)}, {Parameter(cursor.Sequence)})");

    /// <summary>Where a thread stands in lists; null: there is none.</summary>
    /// <param name="among"><see cref="Own"/> or <see cref="Visible"/>.</param>
    public Task<(DateTime At, long Sequence)?> ThreadCursorAsync(string among, string thread, CancellationToken cancel) =>
        Add($"SELECT t.created_at, t.sequence FROM chatkit_threads t WHERE {among} AND t.id = ").Value(thread).CursorAsync(cancel);

    /// <summary>Where an item stands among its thread's; null: there is none.</summary>
    public Task<(DateTime At, long Sequence)?> ItemCursorAsync(string thread, string item, CancellationToken cancel) =>
        Items("i.created_at, i.sequence", thread).Add(" AND i.id = ").Value(item).CursorAsync(cancel);

    /// <summary>Runs a query whose first column is an id, and whose second is a document.</summary>
    /// <param name="read">Gets the row and its document.</param>
    /// <param name="mostBytes">Of the documents; for a query that bounds them itself another than a page's.</param>
    public async Task<Page<T>> PageAsync<T>(
        string table, int limit, SortOrder order, Func<NpgsqlDataReader, string, T> read, CancellationToken cancel,
        long mostBytes = MostPageBytes)
    {
        var way = order == SortOrder.Asc ? "ASC" : "DESC";
        Add(string.Create(CultureInfo.InvariantCulture, $" ORDER BY {table}.created_at {way}, {table}.sequence {way} LIMIT {limit + 1L}"));
        var data = new List<T>();
        var bytes = 0L;
        string? last = null;
        await using var reader = await Ready().ExecuteReaderAsync(cancel);
        while (await reader.ReadAsync(cancel))
        {
            var document = reader.GetString(1);
            bytes += Encoding.UTF8.GetByteCount(document);
            if (data.Count == limit || (data.Count > 0 && bytes > mostBytes))
            {
                return new Page<T> { Data = data, HasMore = true, After = last };
            }

            last = reader.GetString(0);
            data.Add(read(reader, document));
        }

        return new Page<T> { Data = data };
    }

    /// <summary>Deletes a thread with its items and its files' records.</summary>
    /// <returns>The files' ids: their bytes are left. Null: there is no such thread.</returns>
    public async Task<IReadOnlyList<string>?> DeleteThreadAsync(string thread, CancellationToken cancel)
    {
        Add($"WITH gone AS (DELETE FROM chatkit_threads t WHERE {Own} AND t.id = ").Value(thread).Add(
            """
             RETURNING t.workspace_id, t.id),
            files AS (DELETE FROM chatkit_attachments a USING gone WHERE a.workspace_id = gone.workspace_id AND a.thread_id = gone.id RETURNING a.id)
            SELECT ARRAY(SELECT id FROM files) FROM gone
            """);
        return (string[]?)await ScalarAsync(cancel);
    }

    /// <summary>The first value of a row, as the driver gives it; null: there is no row.</summary>
    public Task<object?> ScalarAsync(CancellationToken cancel) => Ready().ExecuteScalarAsync(cancel);

    /// <summary>How many rows were written.</summary>
    public Task<int> RunAsync(CancellationToken cancel) => Ready().ExecuteNonQueryAsync(cancel);

    public ValueTask DisposeAsync() => _command.DisposeAsync();

    private async Task<(DateTime At, long Sequence)?> CursorAsync(CancellationToken cancel)
    {
        await using var reader = await Ready().ExecuteReaderAsync(cancel);
        return await reader.ReadAsync(cancel) ? (reader.GetDateTime(0), reader.GetInt64(1)) : null;
    }

    /// <summary>Sessions may hide what was before them, or all but the newest threads.</summary>
    private string History(Session? session) => session switch
    {
        { Options.History: false } => $" AND t.created_at >= {Parameter(session.CreatedAt.UtcDateTime)}",
        { Options.RecentThreads: { } recent } =>
            $"""
             AND t.sequence IN (SELECT t.sequence FROM chatkit_threads t WHERE {Own}
                ORDER BY t.created_at DESC, t.sequence DESC LIMIT {Parameter(recent)})
            """,
        _ => "",
    };

    private NpgsqlCommand Ready()
    {
        _command.CommandText = _text.ToString();
        return _command;
    }

    /// <summary>Nothing here has U+0000 in it, which the database does not even compare.</summary>
    private string Parameter(object value) =>
        Take(new NpgsqlParameter { Value = value is string text ? text.Replace('\0', '\uFFFD') : value });

    private string Take(NpgsqlParameter parameter)
    {
        _command.Parameters.Add(parameter);
        return string.Create(CultureInfo.InvariantCulture, $"${_command.Parameters.Count}");
    }
}
