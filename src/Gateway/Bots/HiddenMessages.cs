using System.Text.Json;
using System.Text.Json.Nodes;

namespace Gateway.Bots;

/// <summary>Puts hidden steps back into the conversation of a caller that comes with the results of its tools. Pure.</summary>
internal static class HiddenMessages
{
    /// <summary>The ids of ours under which the caller knows its calls.</summary>
    public static IReadOnlyCollection<string> Ids(TurnMessages messages)
    {
        HashSet<string>? ids = null;
        for (var i = 0; i < messages.All.Count; i++)
        {
            var message = messages.All[i];
            // Cheaper than to parse each message of a long conversation that holds none.
            if (message.Role == "assistant" && message.Json.Span.IndexOf("\"call_gw"u8) >= 0)
            {
                ids ??= new HashSet<string>(StringComparer.Ordinal);
                ids.UnionWith(CallIds(message.Json));
            }
        }

        return ids ?? (IReadOnlyCollection<string>)[];
    }

    /// <summary>The steps of a turn as they are kept, with the sources whose numbers stand in them.</summary>
    public static byte[] Write(IEnumerable<TurnMessage> messages, Citations citations) => JsonParts.Write(json =>
    {
        json.WriteStartObject();
        json.WriteStartArray("messages");
        foreach (var message in messages)
        {
            json.WriteRawValue(message.Json.Span, skipInputValidation: true);
        }

        json.WriteEndArray();
        json.WriteStartArray("citations");
        foreach (var source in citations.All)
        {
            json.WriteStartObject();
            json.WriteString("title", source.Title);
            json.WriteString("url", source.Url);
            json.WriteString("file_id", source.FileId);
            json.WriteString("file_name", source.FileName);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    });

    /// <summary>
    /// What is not found stays as the caller sent it: the turn goes on without. The numbers of sources go on where the last
    /// steps ended, so that a mark in the answer means what it means in them.
    /// </summary>
    public static void Restore(TurnMessages messages, IReadOnlyDictionary<string, HiddenCall> found, Citations citations)
    {
        var upstreamIds = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < messages.All.Count && found.Count > 0; i++)
        {
            var message = messages.All[i];
            if (message.Role == "assistant")
            {
                var calls = CallIds(message.Json).Where(found.ContainsKey).Distinct().ToDictionary(id => id, id => found[id]);
                if (calls.Values.FirstOrDefault(c => c.Steps is not null)?.Steps is { } hidden)
                {
                    var steps = JsonNode.Parse(hidden)!;
                    citations.Restore(steps["citations"]!.AsArray().Select(Source));
                    var put = Unfold(steps["messages"]!.AsArray(), [.. calls.Values.Select(c => c.UpstreamId)], message.Position);
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

    private static Citation Source(JsonNode? kept) =>
        new((string)kept!["title"]!, (string?)kept["url"], (string?)kept["file_id"], (string?)kept["file_name"]);

    /// <summary>The messages; of the calls in them those that nobody answers are left out: the caller has dropped them.</summary>
    private static List<TurnMessage> Unfold(JsonArray all, HashSet<string> answered, int? position)
    {
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
            (string)m!["role"]!, JsonParts.Write(json => m.WriteTo(json)), position, isHidden: true))];
    }

    private static List<string> CallIds(ReadOnlyMemory<byte> message)
    {
        using var json = JsonDocument.Parse(message);
        return [.. JsonParts.Items(json.RootElement, "tool_calls").Select(c => JsonParts.Text(c, "id"u8)).OfType<string>().Where(HiddenSteps.IsOurs)];
    }
}
