using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using ChatKit.Tests.Support;
using FsCheck;
using FsCheck.Fluent;

namespace ChatKit.Tests.Requests;

/// <summary>
/// Whatever a body holds, it is read or refused with a message. <c>GATEWAY_PROPERTY_CASES</c> says how many (2,000 without
/// it), <c>GATEWAY_PROPERTY_SEED</c> repeats a run.
/// </summary>
public sealed class MutatedRequestTests(ITestOutputHelper output)
{
    private static readonly string[] Values =
    [
        "null", "true", "0", "-1", "1.5", "1e400", "99999999999999999999", "\"\"", "\"x\"", "\"half\"", "\"\\u0000\"", "\"😀\"", "[]", "{}", "[null]",
        "[[[[[[]]]]]]", "{\"type\":null}", "{\"type\":\"input_text\"}", "{\"type\":7,\"$id\":1}", "{\"\":{}}", "{\"a\":null,\"b\":[1,null]}",
    ];

    private static readonly string[] Names =
        ["type", "params", "metadata", "input", "content", "attachments", "inference_options", "thread_id", "limit", "order", "action", "payload", "answers", "$ref", "", "ü"];

    [Fact]
    public void Every_body_is_read_or_refused_with_a_message()
    {
        // Arrange
        var cases = Setting("GATEWAY_PROPERTY_CASES") is { } count ? (int)count : 2_000;
        var seed = Setting("GATEWAY_PROPERTY_SEED") ?? BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8));
        var again = string.Create(CultureInfo.InvariantCulture, $"GATEWAY_PROPERTY_SEED={seed} GATEWAY_PROPERTY_CASES={cases}");
        output.WriteLine(again);
        var bodies =
            from sample in Gen.Elements(Samples.Requests.ToArray())
            from choice in Gen.Choose(0, int.MaxValue)
            select Mutated(sample, new Random(choice));

        // Act
        var failures = new List<string>();
        var read = 0;
        foreach (var body in bodies.Sample(cases, new Rnd(seed), 10))
        {
            try
            {
                var request = ChatKitRequest.Parse(body);
                read++;
                if (ChatKitRequest.Parse(ChatKitJson.ToWire(request)).GetType() != request.GetType())
                {
                    failures.Add($"read as another request when written again: {Encoding.UTF8.GetString(body)}");
                }
            }
            catch (InvalidRequestException refused) when (refused.Message.Length > 0)
            {
            }
            catch (Exception e)
            {
                failures.Add($"{e}\n{Encoding.UTF8.GetString(body)}");
            }
        }

        // Assert
        Assert.True(failures.Count == 0, $"{again}\n{failures.Count} failures, such as:\n{string.Join("\n\n", failures.Take(3))}");
        Assert.InRange(read, cases / 10, cases * 9 / 10);
    }

    private static byte[] Mutated(JsonObject sample, Random random)
    {
        var body = sample.DeepClone().AsObject();
        for (var changes = random.Next(1, 4); changes > 0; changes--)
        {
            Change(body, random);
        }

        // Half a surrogate pair cannot be written, only be put into what is written.
        var bytes = Encoding.UTF8.GetBytes(body.ToJsonString().Replace("half", "\\ud800", StringComparison.Ordinal));
        switch (random.Next(12))
        {
            case 0:
                return bytes[..random.Next(bytes.Length)];
            case 1:
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
                return bytes;
            case 2:
                // A whole value in the middle of nowhere, or two members of one name.
                var text = Encoding.UTF8.GetString(bytes);
                var at = text.IndexOf(',', random.Next(text.Length));
                return Encoding.UTF8.GetBytes(at < 0 ? text + text : text.Insert(at, $",\"type\":{Values[random.Next(Values.Length)]}"));
            default:
                return bytes;
        }
    }

    /// <summary>Walks to some object or list and sets, adds or removes something there.</summary>
    private static void Change(JsonNode node, Random random)
    {
        while (Inner(node, random) is { } inner && random.Next(3) > 0)
        {
            node = inner;
        }

        var value = JsonNode.Parse(Values[random.Next(Values.Length)]);
        switch (node)
        {
            case JsonObject json when json.Count > 0 && random.Next(3) > 0:
                var name = json.ElementAt(random.Next(json.Count)).Key;
                if (random.Next(3) == 0)
                {
                    json.Remove(name);
                }
                else
                {
                    json[name] = value;
                }

                break;
            case JsonObject json:
                json[Names[random.Next(Names.Length)]] = value;
                break;
            case JsonArray list:
                list.Insert(random.Next(list.Count + 1), value);
                break;
        }
    }

    private static JsonNode? Inner(JsonNode node, Random random)
    {
        var inside = node switch
        {
            JsonObject json => [.. json.Select(member => member.Value)],
            JsonArray list => list.ToList(),
            _ => new List<JsonNode?>(),
        };
        var containers = inside.Where(child => child is JsonObject or JsonArray).ToList();
        return containers.Count == 0 ? null : containers[random.Next(containers.Count)];
    }

    private static ulong? Setting(string name) =>
        ulong.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : null;
}
