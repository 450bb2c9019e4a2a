using ChatKit;
using Gateway.ChatKit.Threads;
using Gateway.Http;
using Npgsql;

namespace Gateway.ChatKit.Turns;

/// <summary>What a model is told of a thread: its newest items, hidden ones too, in a bounded number of bytes.</summary>
internal sealed class ThreadHistory(NpgsqlDataSource database, BodyLimits limits)
{
    /// <summary>Beyond that a model would not get them anyway.</summary>
    private const int MostItems = 400;

    /// <summary>
    /// Oldest first. It stops at the item with which their bytes reach what the body of one request may have: nobody who sends a
    /// conversation himself may send more, and each turn holds all of it in memory.
    /// </summary>
    public async Task<IReadOnlyList<ThreadItem>> ReadAsync(string thread, ChatKitUser user, CancellationToken cancel)
    {
        await using var select = new ThreadQuery(database, user);
        select.Add("SELECT i.id, i.document FROM (")
            .Items(
                """
                i.id, i.document, i.created_at, i.sequence, octet_length(i.document::text) AS bytes,
                sum(octet_length(i.document::text)) OVER (ORDER BY i.created_at DESC, i.sequence DESC) AS bytes_so_far
                """,
                thread)
            .Add(" ORDER BY i.created_at DESC, i.sequence DESC LIMIT ").Value(MostItems)
            .Add(") i WHERE i.bytes_so_far - i.bytes < ").Value((long)limits.MaxRequestBytes);
        var page = await select.PageAsync(
            "i", MostItems, SortOrder.Desc, (_, document) => ThreadStore.Read<ThreadItem>(document), cancel, mostBytes: long.MaxValue);
        return [.. page.Data.Reverse()];
    }
}
