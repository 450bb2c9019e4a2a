using System.Text.Json;
using System.Text.Json.Nodes;

namespace Gateway.Bots;

/// <summary>Puts hidden steps back into the conversation of a caller that comes with the results of its tools. Pure.</summary>
internal static class HiddenMessages
{
    /// <summary>The ids of ours under which the caller knows its calls.</summary>
    public static IReadOnlyCollection<string> Ids(TurnMessages messages)
    {
        var ids = new HashSet<string>(StringComparer.Ordinal);
        foreach (var message in messages.All)
        {
            // Cheaper than to parse each message of a long conversation that holds none.
            if (message.Role == "assistant" && message.Json.AsSpan().IndexOf("\"call_gw"u8) >= 0)
            {
                ids.UnionWith(CallIds(message.Json));
            }
        }

        return ids;
    }

    public static byte[] Join(IEnumerable<TurnMessage> messages) => JsonParts.Write(json =>
    {
        json.WriteStartArray();
        foreach (var message in messages)
        {
            json.WriteRawValue(message.Json, skipInputValidation: true);
        }

        json.WriteEndArray();
    });

    /// <summary>What is not found stays as the caller sent it: the turn goes on without.</summary>
    public static void Restore(TurnMessages messages, IReadOnlyDictionary<string, HiddenCall> found)
    {
        var upstreamIds = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < messages.All.Count && found.Count > 0; i++)
        {
            var message = messages.All[i];
            if (message.Role == "assistant")
            {
                var calls = CallIds(message.Json).Where(found.ContainsKey).Distinct().ToDictionary(id => id, id => found[id]);
                if (calls.Values.FirstOrDefault(c => c.Messages is not null)?.Messages is { } hidden)
                {
                    var put = Unfold(hidden, [.. calls.Values.Select(c => c.UpstreamId)], message.Position);
                    messages.Replace(i, put);
                    i += put.Count - 1;
                    foreach (var (id, call) in calls)
                    {
                        upstreamIds[id] = call.UpstreamId;
                    }
                }
            }
            else if (message.Role == "tool")
            {
                Rename(messages, i, upstreamIds);
            }
        }
    }

    private static void Rename(TurnMessages messages, int at, Dictionary<string, string> upstreamIds)
    {
        var message = messages.All[at];
        using var json = JsonDocument.Parse(message.Json);
        if (JsonParts.Text(json.RootElement, "tool_call_id"u8) is { } id && upstreamIds.TryGetValue(id, out var known))
        {
            messages.Replace(at, new TurnMessage(
                message.Role, JsonParts.With(json.RootElement, "tool_call_id", w => w.WriteStringValue(known)), message.Position));
        }
    }

    /// <summary>The messages; of the calls in them those that nobody answers are left out: the caller has dropped them.</summary>
    private static List<TurnMessage> Unfold(byte[] hidden, HashSet<string> answered, int? position)
    {
        var all = JsonNode.Parse(hidden)!.AsArray();
        foreach (var message in all)
        {
            if ((string?)message!["tool_call_id"] is { } id)
            {
                answered.Add(id);
            }
        }

        foreach (var message in all)
        {
            if (message!["tool_calls"] is JsonArray calls)
            {
                calls.RemoveAll(call => !answered.Contains((string?)call!["id"] ?? ""));
            }
        }

        return [.. all.Select(m => new TurnMessage(
            (string)m!["role"]!, JsonParts.Write(json => m.WriteTo(json)), position))];
    }

    private static List<string> CallIds(byte[] message)
    {
        using var json = JsonDocument.Parse(message);
        return [.. JsonParts.Items(json.RootElement, "tool_calls").Select(c => JsonParts.Text(c, "id"u8)).OfType<string>().Where(HiddenSteps.IsOurs)];
    }
}
