using System.Text;
using System.Text.Json.Nodes;
using ChatKit.Tests.Support;
using FsCheck;
using FsCheck.Fluent;

namespace ChatKit.Tests.Server;

/// <summary>A request that was valid once, changed in up to three places and sometimes damaged as text.</summary>
internal sealed record MutatedRequest(byte[] Body)
{
    private static readonly string[] Whole =
    [
        Ask.Create().ToJsonString(),
        Ask.Create("See this.", "atc_1").ToJsonString(),
        Ask.Add("thr_1").ToJsonString(),
        """{"type":"threads.add_user_message","params":{"thread_id":"thr_1","input":{"content":[{"type":"input_tag","id":"e","text":"Emma","data":{"a":null},"group":"g","interactive":true}],"attachments":["atc_1"],"quoted_text":"q","inference_options":{"tool_choice":{"id":"t"},"model":"m"}}},"metadata":{"a":[1]}}""",
        Ask.Output("thr_1", new JsonObject { ["a"] = null }).ToJsonString(),
        """{"type":"threads.add_structured_input","params":{"thread_id":"thr_1","item_id":"msg_q","input":{"status":"answered","answers":{"size":{"values":["S","L"],"skipped":false}}}}}""",
        Ask.Retry("thr_1", "msg_1").ToJsonString(),
        Ask.Action("thr_1", "msg_w", "save", new JsonObject { ["a"] = 1 }).ToJsonString(),
        Ask.Action("thr_1", "msg_w", sync: true).ToJsonString(),
        Ask.Thread("thr_1").ToJsonString(),
        Ask.Threads(5, "thr_1", "asc").ToJsonString(),
        Ask.Items("thr_1", 2, "msg_w", "desc").ToJsonString(),
        Ask.Rename("thr_1", "Title").ToJsonString(),
        Ask.Delete("thr_1").ToJsonString(),
        Ask.Feedback("thr_1", "positive", "msg_w").ToJsonString(),
        Ask.Upload("a.png", "image/png").ToJsonString(),
        Ask.DeleteAttachment("atc_1").ToJsonString(),
        """{"type":"input.transcribe","params":{"audio_base64":"AQID","mime_type":"audio/webm;codecs=opus"}}""",
    ];

    private static readonly string[] Values =
    [
        "null", "true", "0", "-1", "1", "2147483648", "1e400", "0.5", "[]", "{}", "[null]", "[[[[]]]]", "\"\"", "\"a\"", "\"asc\"", "\"\\ud800\"",
        "\"\\u0000\"", "\"thr_1\"", "\"msg_1\"", "\"msg_w\"", "\"msg_q\"", "\"tc_1\"", "\"shcx_1\"", "\"atc_1\"", "\"../../etc/passwd\"", "\"ä😀\"",
        "\"input_text\"", "\"input_tag\"", "\"answered\"", "\"skipped\"", "[\"atc_1\",\"atc_1\"]", "[{}]", "{\"type\":\"input_text\"}", "{\"type\":null}",
        "{\"values\":null}", "123456789012345678901234567890", "\"" + new string('x', 3_000) + "\"",
        "\"threads.create\"", "\"threads.custom_action\"", "\"items.list\"", "\"hidden_context_item\"",
    ];

    private static readonly byte[][] Splinters =
        [[0xFF], [0xEF, 0xBB, 0xBF], [0xED, 0xA0, 0x80], [0], "{"u8.ToArray(), "]"u8.ToArray(), "\""u8.ToArray(), ","u8.ToArray(), "\\"u8.ToArray(), "//"u8.ToArray()];

    public static Gen<MutatedRequest> Generator()
    {
        var change =
            from kind in Gen.Choose(0, 4)
            from place in Gen.Choose(0, 1_000)
            from value in Gen.Elements(Values)
            select (kind, place, value);
        return from whole in Gen.Elements(Whole)
               from changes in change.ListOf()
               from damage in Gen.Frequency((12, Gen.Constant(0)), (1, Gen.Constant(1)), (1, Gen.Constant(2)), (1, Gen.Constant(3)))
               from at in Gen.Choose(0, 1_000_000)
               from splinter in Gen.Elements(Splinters)
               select new MutatedRequest(Damage(Changed(whole, changes.Take(3)), damage, at, splinter));
    }

    /// <summary>For messages of failures.</summary>
    public override string ToString() => Encoding.UTF8.GetString(Body);

    /// <summary>The values are put in as text at the end: half a surrogate pair is no value that a document can hold.</summary>
    private static byte[] Changed(string whole, IEnumerable<(int Kind, int Place, string Value)> changes)
    {
        var root = JsonNode.Parse(whole)!;
        var texts = new List<string>();
        foreach (var (kind, place, value) in changes)
        {
            var places = PlacesIn(root).ToList();
            if (places.Count == 0)
            {
                break;
            }

            var (parent, name) = places[place % places.Count];
            var inserted = JsonValue.Create($"<{texts.Count}>");
            texts.Add(value);
            switch (parent)
            {
                case JsonObject members when kind is 0 or 1:
                    members[name] = inserted;
                    break;
                case JsonObject members when kind == 2:
                    members.Remove(name);
                    break;
                case JsonObject members when kind == 3:
                    members["unknown"] = inserted;
                    break;
                case JsonObject members:
                    // Two members of one name, once the mark is gone.
                    members[$"{name}\u0001"] = inserted;
                    break;
                case JsonArray list when kind == 2:
                    list.RemoveAt(int.Parse(name, System.Globalization.CultureInfo.InvariantCulture));
                    break;
                case JsonArray list:
                    list.Add((JsonNode?)inserted);
                    break;
            }
        }

        var text = root.ToJsonString().Replace("\\u0001", string.Empty, StringComparison.Ordinal).Replace("\\u003C", "<", StringComparison.Ordinal).Replace("\\u003E", ">", StringComparison.Ordinal);
        foreach (var (index, value) in texts.Index())
        {
            text = text.Replace($"\"<{index}>\"", value, StringComparison.Ordinal);
        }

        return Encoding.UTF8.GetBytes(text);
    }

    private static IEnumerable<(JsonNode Parent, string Name)> PlacesIn(JsonNode node)
    {
        var children = node switch
        {
            JsonObject members => members.Select(member => (member.Key, member.Value)),
            JsonArray list => list.Select((element, index) => (index.ToString(System.Globalization.CultureInfo.InvariantCulture), element)),
            _ => [],
        };
        foreach (var (name, child) in children.ToList())
        {
            yield return (node, name);
            foreach (var deeper in child is null ? [] : PlacesIn(child))
            {
                yield return deeper;
            }
        }
    }

    private static byte[] Damage(byte[] body, int damage, int at, byte[] splinter)
    {
        at %= Math.Max(body.Length, 1);
        return damage switch
        {
            1 => body[..at],
            2 => [.. body[..at], .. splinter, .. body[at..]],
            3 => [.. body[..at], .. body[Math.Min(at + 1, body.Length)..]],
            _ => body,
        };
    }
}
