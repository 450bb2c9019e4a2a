using System.Text.Json.Nodes;
using Gateway.Tests.Support;

namespace Gateway.Tests.ChatKit;

/// <summary>
/// Requests of the protocol with something changed, dropped or added, at the real door: nothing of it is a fault of the gateway's.
/// The library's own tests read many more. A failure prints its seed.
/// </summary>
[Collection(ChatKitTestsShareOneGateway.Name)]
public sealed class MutatedRequestTests(ChatKitSetup setup, ChatKitContract contract)
{
    private const int Cases = 300;

    private static readonly JsonNode?[] Values =
    [
        null, 0, -1, 1.5, 1e300, true, "", "\0", "\ud83d\ude00", new string('x', 5_000), new JsonArray(), new JsonObject(),
        new JsonArray((JsonNode?)null), new JsonObject { ["type"] = "input_text" },
    ];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Nothing_is_a_fault_of_the_gateway_s()
    {
        using var page = await ChatPage.OpenAsync(
            setup.Gateway, setup.Key.Text, contract, "mutant", session: """{"chatkit_configuration":{"automatic_thread_titling":{"enabled":false}}}""");
        var (thread, _) = await page.CreateAsync("say:Hi.");
        var item = (string)(await page.ItemsAsync(thread))[0]["id"]!;
        var seed = Random.Shared.Next();
        var random = new Random(seed);

        for (var i = 0; i < Cases; i++)
        {
            var request = Request(random.Next(11), thread, item);
            for (var changes = random.Next(1, 4); changes > 0; changes--)
            {
                Change(request, random);
            }

            var body = request.ToJsonString();
            var reply = await RawReply.PostAsync(page.Client, "/chatkit", body, Cancel);

            // What bots do not do at all is 501, said with a code.
            var isFine = reply.Status is < 500 or 501;
            Assert.True(isFine, $"seed {seed}, case {i}: {body} gives {reply.Status} {reply.Text}");
            if (reply.Status != 200)
            {
                Assert.NotEmpty((string)JsonNode.Parse(reply.Text)!["error"]!["message"]!);
            }
        }
    }

    private static JsonObject Request(int kind, string thread, string item)
    {
        var (type, parameters) = kind switch
        {
            0 => ("threads.create", new JsonObject { ["input"] = ChatPage.Message("say:Hi.") }),
            1 => ("threads.add_user_message", new JsonObject { ["thread_id"] = thread, ["input"] = ChatPage.Message("say:Hi.") }),
            2 => ("threads.add_client_tool_output", new JsonObject { ["thread_id"] = thread, ["result"] = new JsonObject() }),
            3 => ("threads.retry_after_item", new JsonObject { ["thread_id"] = thread, ["item_id"] = item }),
            4 => ("threads.get_by_id", new JsonObject { ["thread_id"] = thread }),
            5 => ("threads.list", new JsonObject { ["limit"] = 3, ["order"] = "asc", ["after"] = thread }),
            6 => ("items.list", new JsonObject { ["thread_id"] = thread, ["limit"] = 3, ["after"] = item }),
            7 => ("items.feedback", new JsonObject { ["thread_id"] = thread, ["item_ids"] = new JsonArray(item), ["kind"] = "negative" }),
            8 => ("threads.update", new JsonObject { ["thread_id"] = thread, ["title"] = "New" }),
            9 => ("attachments.create", new JsonObject { ["name"] = "a.txt", ["size"] = 3, ["mime_type"] = "text/plain" }),
            _ => ("input.transcribe", new JsonObject { ["audio_base64"] = "AAAA", ["mime_type"] = "audio/webm" }),
        };
        return new JsonObject { ["type"] = type, ["params"] = parameters, ["metadata"] = new JsonObject() };
    }

    private static void Change(JsonObject request, Random random)
    {
        var all = new List<(JsonNode Parent, string? Name, int Index)>();
        Collect(request, all);
        var (parent, name, index) = all[random.Next(all.Count)];
        var value = Values[random.Next(Values.Length)]?.DeepClone();
        switch (parent)
        {
            case JsonObject owner when random.Next(4) == 0:
                owner.Remove(name!);
                break;
            case JsonObject owner when random.Next(5) == 0:
                owner[$"{name}_more"] = value;
                break;
            case JsonObject owner:
                owner[name!] = value;
                break;
            case JsonArray list:
                list[index] = value;
                break;
        }
    }

    private static void Collect(JsonNode node, List<(JsonNode Parent, string? Name, int Index)> all)
    {
        if (node is JsonObject members)
        {
            foreach (var (name, value) in members)
            {
                all.Add((node, name, 0));
                if (value is not null)
                {
                    Collect(value, all);
                }
            }
        }
        else if (node is JsonArray list)
        {
            for (var i = 0; i < list.Count; i++)
            {
                all.Add((node, null, i));
                if (list[i] is { } value)
                {
                    Collect(value, all);
                }
            }
        }
    }
}
