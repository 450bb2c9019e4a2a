using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;

namespace Gateway.Tests.ChatKit;

/// <summary>Where a <see cref="MutatedChat"/> goes.</summary>
internal enum MutatedKind
{
    /// <summary>A request of the protocol.</summary>
    Chat,

    /// <summary>A file at once: a form.</summary>
    Form,

    /// <summary>The second phase of an upload: bytes, to the link that the first gave.</summary>
    Bytes,
}

/// <summary>A request to the door that was valid once, changed in up to three places and sometimes damaged as bytes.</summary>
/// <param name="Body">Names a thread and what is in it by marks such as <c>@thread@</c>, until <see cref="On"/>.</param>
internal sealed record MutatedChat(MutatedKind Kind, byte[] Body)
{
    /// <summary>Between the parts of a form.</summary>
    public const string Boundary = "----between";

    private const string Options = """{"tool_choice":{"id":"pick_color"},"model":"bot/id=page"}""";

    private static readonly string[] Whole =
    [
        """{"type":"threads.create","params":{"input":{"content":[{"type":"input_text","text":"say:Hi."}],"attachments":[],"inference_options":{}}}}""",
        """{"type":"threads.create","params":{"input":{"content":[{"type":"input_text","text":"say:See."}],"attachments":["@file@","@picture@"],"quoted_text":"q","inference_options":{}}}}""",
        $$$"""{"type":"threads.add_user_message","params":{"thread_id":"@thread@","input":{"content":[{"type":"input_text","text":"say:Hi."},{"type":"input_tag","id":"e","text":"Emma","data":{"a":null},"group":"g","interactive":true}],"attachments":["@file@"],"quoted_text":"q","inference_options":{{{Options}}}}},"metadata":{"a":[1]}}""",
        """{"type":"threads.add_user_message","params":{"thread_id":"@pending@","input":{"content":[{"type":"input_text","text":"say:Never mind."}],"attachments":[],"inference_options":{}}}}""",
        """{"type":"threads.add_client_tool_output","params":{"thread_id":"@pending@","result":{"answer":"mauve","more":[null]}}}""",
        """{"type":"threads.add_structured_input","params":{"thread_id":"@thread@","item_id":"@reply@","input":{"status":"answered","answers":{"size":{"values":["S","L"],"skipped":false}}}}}""",
        """{"type":"threads.retry_after_item","params":{"thread_id":"@thread@","item_id":"@question@"}}""",
        """{"type":"threads.custom_action","params":{"thread_id":"@thread@","item_id":"@reply@","action":{"type":"save","payload":{"a":1}}}}""",
        """{"type":"threads.sync_custom_action","params":{"thread_id":"@thread@","item_id":"@reply@","action":{"type":"save","payload":{"a":1}}}}""",
        """{"type":"threads.get_by_id","params":{"thread_id":"@thread@"}}""",
        """{"type":"threads.list","params":{"limit":5,"order":"asc","after":"@thread@"}}""",
        """{"type":"items.list","params":{"thread_id":"@thread@","limit":2,"after":"@reply@","order":"desc"}}""",
        """{"type":"threads.update","params":{"thread_id":"@thread@","title":"Title"}}""",
        """{"type":"threads.delete","params":{"thread_id":"@pending@"}}""",
        """{"type":"items.feedback","params":{"thread_id":"@thread@","item_ids":["@reply@","@question@"],"kind":"positive"}}""",
        """{"type":"attachments.create","params":{"name":"a.txt","size":5,"mime_type":"text/plain"}}""",
        """{"type":"attachments.create","params":{"name":"a.png","size":68,"mime_type":"image/png"}}""",
        """{"type":"attachments.delete","params":{"attachment_id":"@open@"}}""",
        """{"type":"input.transcribe","params":{"audio_base64":"AQID","mime_type":"audio/webm;codecs=opus"}}""",
    ];

    private static readonly string[] Values =
    [
        "null", "true", "0", "-1", "1", "2147483648", "1e400", "0.5", "[]", "{}", "[null]", "[[[[]]]]", "\"\"", "\"a\"", "\"asc\"", "\"\\ud800\"",
        "\"\\u0000\"", "\"say:\\u0000.\"", "\"@thread@\"", "\"@pending@\"", "\"@question@\"", "\"@reply@\"", "\"@call@\"", "\"@file@\"", "\"@open@\"",
        "\"../../etc/passwd\"", "\"ä😀\"", "\"input_text\"", "\"input_tag\"", "\"answered\"", "\"skipped\"", "[\"@file@\",\"@file@\"]", "[{}]",
        "{\"type\":\"input_text\"}", "{\"type\":null}", "{\"values\":null}", "{\"id\":\"web_search\"}", "{\"id\":\"none\"}", Options,
        "\"bot/id=sales\"", "\"model/name=sim\"", "\"bot/id=none\"", "\"conversation/1\"", "123456789012345678901234567890",
        "\"call:pick_color {\\\"of\\\":1}\"", "\"" + new string('x', 3_000) + "\"", "\"threads.create\"", "\"threads.custom_action\"", "\"items.list\"",
    ];

    private static readonly string[] FileNames = ["a.txt", "a.md", "a.png", "a", "", "a.exe", "../a.txt", "ä😀.csv", "a\tb.txt", "a\\\".txt", "a.pdf", "a.docx"];

    private static readonly string[] FileTypes = ["text/plain", "image/png", "application/pdf", "", "x", "IMAGE/PNG", "text/plain; charset=utf-16", "image/svg+xml"];

    private static readonly byte[][] Contents =
        ["hello"u8.ToArray(), [], [0x89, (byte)'P', (byte)'N', (byte)'G', 1, 2], "%PDF-1.7\n"u8.ToArray(), [0xFF, 0xFE, 0, 0], new byte[3_000]];

    private static readonly byte[][] Splinters =
        [[0xFF], [0xEF, 0xBB, 0xBF], [0xED, 0xA0, 0x80], [0], "{"u8.ToArray(), "]"u8.ToArray(), "\""u8.ToArray(), ","u8.ToArray(), "\\"u8.ToArray(), "\r\n"u8.ToArray()];

    public static Gen<MutatedChat> Generator()
    {
        var change =
            from kind in Gen.Choose(0, 4)
            from place in Gen.Choose(0, 1_000)
            from value in Gen.Elements(Values)
            select (kind, place, value);
        var chat =
            from whole in Gen.Elements(Whole)
            from changes in change.ListOf()
            select new MutatedChat(MutatedKind.Chat, Changed(whole, changes.Take(3)));
        var form =
            from name in Gen.Elements(FileNames)
            from type in Gen.Elements(FileTypes)
            from content in Gen.Elements(Contents)
            from part in Gen.Frequency((9, Gen.Constant("file")), (1, Gen.Constant("other")))
            select new MutatedChat(MutatedKind.Form, Form(part, name, type, content));
        var bytes = Gen.Elements(Contents).Select(content => new MutatedChat(MutatedKind.Bytes, content));
        return from request in Gen.Frequency((18, chat), (1, form), (1, bytes))
               from damage in Gen.Frequency((12, Gen.Constant(0)), (1, Gen.Constant(1)), (1, Gen.Constant(2)), (1, Gen.Constant(3)))
               from at in Gen.Choose(0, 1_000_000)
               from splinter in Gen.Elements(Splinters)
               select request with { Body = Damage(request.Body, damage, at, splinter) };
    }

    /// <summary>With the ids of what is really there in place of their marks.</summary>
    public byte[] On(IReadOnlyDictionary<string, string> ids)
    {
        if (Kind != MutatedKind.Chat)
        {
            return Body;
        }

        // Latin-1 keeps every byte, whatever it was meant to be.
        var text = Encoding.Latin1.GetString(Body);
        foreach (var (mark, id) in ids)
        {
            text = text.Replace(mark, id, StringComparison.Ordinal);
        }

        return Encoding.Latin1.GetBytes(text);
    }

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
            var inserted = JsonValue.Create(string.Create(CultureInfo.InvariantCulture, $"%{texts.Count}%"));
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
                    members[$"{name}%%"] = inserted;
                    break;
                case JsonArray list when kind == 2:
                    list.RemoveAt(int.Parse(name, CultureInfo.InvariantCulture));
                    break;
                case JsonArray list:
                    list.Add((JsonNode?)inserted);
                    break;
            }
        }

        var text = root.ToJsonString().Replace("%%\"", "\"", StringComparison.Ordinal);
        foreach (var (index, value) in texts.Index())
        {
            text = text.Replace($"\"%{index}%\"", value, StringComparison.Ordinal);
        }

        return Encoding.UTF8.GetBytes(text);
    }

    private static IEnumerable<(JsonNode Parent, string Name)> PlacesIn(JsonNode node)
    {
        var children = node switch
        {
            JsonObject members => members.Select(member => (member.Key, member.Value)),
            JsonArray list => list.Select((element, index) => (index.ToString(CultureInfo.InvariantCulture), element)),
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

    private static byte[] Form(string part, string name, string type, byte[] content) =>
    [
        .. Encoding.UTF8.GetBytes(
            $"--{Boundary}\r\nContent-Disposition: form-data; name=\"{part}\"; filename=\"{name}\"\r\nContent-Type: {type}\r\n\r\n"),
        .. content,
        .. Encoding.ASCII.GetBytes($"\r\n--{Boundary}--\r\n"),
    ];

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
