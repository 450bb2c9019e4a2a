using System.Text.Json.Nodes;
using ChatKit;

namespace Gateway.ChatKit.Turns;

/// <summary>
/// A page runs one tool at a time, a model may call several at once: those that wait stand in the thread's metadata. Items of
/// one such group share the first one's id: <c>tc_1</c>, <c>tc_1-2</c>, so that they become one message of calls again.
/// </summary>
internal static class PendingCalls
{
    private const string Member = "waiting_calls";

    /// <summary>The first call's item; the others wait.</summary>
    /// <param name="taken">
    /// Ids of the thread's calls, to which these are added. There are upstreams whose calls all have one id, or none: such a call
    /// has its item's.
    /// </param>
    public static ClientToolCallItem Begin(
        ChatThread thread, IReadOnlyList<ClientCall> calls, string itemId, HashSet<string> taken, DateTimeOffset now)
    {
        var items = calls.Select((call, i) =>
        {
            var id = i == 0 ? itemId : $"{itemId}-{i + 1}";
            return Item(thread, id, call.Id.Length > 0 && taken.Add(call.Id) ? call.Id : id, call.Name, call.Arguments, now);
        }).ToList();
        Set(thread, [.. items.Skip(1).Select(item => new JsonObject
        {
            ["id"] = item.Id,
            ["call_id"] = item.CallId,
            ["name"] = item.Name,
            ["arguments"] = item.Arguments.DeepClone(),
        })]);
        return items[0];
    }

    /// <summary>The next call that waits; null: none does.</summary>
    public static ClientToolCallItem? Next(ChatThread thread, DateTimeOffset now)
    {
        if (thread.Metadata[Member] is not JsonArray { Count: > 0 } waiting || waiting[0] is not JsonObject call)
        {
            return null;
        }

        Set(thread, [.. waiting.Skip(1).Select(rest => rest!.DeepClone())]);
        return Item(
            thread, (string)call["id"]!, (string)call["call_id"]!, (string)call["name"]!, (JsonObject)call["arguments"]!.DeepClone(), now);
    }

    /// <summary>A new message of the user's: nobody waits for the calls any more.</summary>
    public static void Clear(ChatThread thread) => Set(thread, []);

    /// <summary>The same for all calls of a group.</summary>
    public static string GroupOf(ClientToolCallItem item) => item.Id.Split('-')[0];

    private static void Set(ChatThread thread, JsonArray waiting)
    {
        // A new object: the thread is seen to have changed by what its members hold.
        var metadata = (JsonObject)thread.Metadata.DeepClone();
        metadata.Remove(Member);
        if (waiting.Count > 0)
        {
            metadata[Member] = waiting;
        }

        thread.Metadata = metadata;
    }

    private static ClientToolCallItem Item(
        ChatThread thread, string id, string callId, string name, JsonObject arguments, DateTimeOffset now) => new()
        {
            Id = id,
            ThreadId = thread.Id,
            CreatedAt = now,
            CallId = callId,
            Name = name,
            Arguments = arguments,
        };
}
