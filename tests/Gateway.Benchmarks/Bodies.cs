using System.Text.Json;
using System.Text.Json.Nodes;

namespace Gateway.Benchmarks;

/// <summary>Bodies of requests, written as files for wrk and the load generator.</summary>
internal static class Bodies
{
    private const string Question = "Say something of three hundred characters, please.";

    /// <summary>A plain request of two messages.</summary>
    public static string Plain(Bench bench) => Write(bench, "plain.json", Chat(Models.Selector(Models.Plain)));

    /// <summary>The same for a stream with usage.</summary>
    /// <param name="model">As the gateway knows it.</param>
    public static string Stream(Bench bench, string model)
    {
        var body = Chat(Models.Selector(model));
        body["stream"] = true;
        body["stream_options"] = new JsonObject { ["include_usage"] = true };
        return Write(bench, $"stream-{model}.json", body);
    }

    /// <summary>A request for a bot, with two tools of the caller's.</summary>
    public static string Bot(Bench bench, string id, string name, string question = Question)
    {
        var body = new JsonObject
        {
            ["model"] = $"bot/id={id}",
            ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = question }),
            ["tools"] = new JsonArray(
                Tool("open_ticket", "Opens a ticket for a colleague.", "summary"), Tool("find_order", "Finds an order by its number.", "number")),
        };
        return Write(bench, name, body);
    }

    private static JsonObject Chat(string model) => new()
    {
        ["model"] = model,
        ["messages"] = new JsonArray(
            new JsonObject { ["role"] = "system", ["content"] = "You are a helpful assistant." },
            new JsonObject { ["role"] = "user", ["content"] = Question }),
        ["temperature"] = 0.2,
    };

    private static JsonObject Tool(string name, string description, string parameter) => new()
    {
        ["type"] = "function",
        ["function"] = new JsonObject
        {
            ["name"] = name,
            ["description"] = description,
            ["parameters"] = new JsonObject
            {
                ["type"] = "object",
                ["properties"] = new JsonObject { [parameter] = new JsonObject { ["type"] = "string" } },
                ["required"] = new JsonArray(parameter),
            },
        },
    };

    private static string Write(Bench bench, string name, JsonObject body)
    {
        var file = bench.File(name);
        File.WriteAllText(file, body.ToJsonString(JsonSerializerOptions.Default));
        return file;
    }
}
