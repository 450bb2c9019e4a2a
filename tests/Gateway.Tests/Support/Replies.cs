using System.Text.Json.Nodes;

namespace Gateway.Tests.Support;

/// <summary>Replies of a well-behaved upstream, for scripts of a <see cref="FakeUpstream"/>. All follow OpenAI's schemas.</summary>
public static class Replies
{
    private const string Id = "chatcmpl-scripted";
    private const int Created = 1_700_000_000;

    public static string Model(string id) => $$"""{"id":"{{id}}","object":"model","created":{{Created}},"owned_by":"fake"}""";

    public static string Completion(string model, string content) =>
        Completion(model, new JsonObject { ["role"] = "assistant", ["content"] = content, ["refusal"] = null }, "stop");

    /// <summary>A reply that calls one function.</summary>
    public static string ToolCall(string model, string name, string arguments, string id = "call_scripted") => Completion(
        model,
        new JsonObject
        {
            ["role"] = "assistant",
            ["content"] = null,
            ["refusal"] = null,
            ["tool_calls"] = new JsonArray(new JsonObject
            {
                ["id"] = id,
                ["type"] = "function",
                ["function"] = new JsonObject { ["name"] = name, ["arguments"] = arguments },
            }),
        },
        "tool_calls");

    /// <summary>The events of a stream that says these words: role, one chunk each, finish, usage, <c>[DONE]</c>.</summary>
    public static IReadOnlyList<string> WordEvents(string model, IEnumerable<string> words) =>
    [
        Event(Chunk(model, new JsonObject { ["role"] = "assistant", ["content"] = "", ["refusal"] = null })),
        .. words.Select(word => Event(Chunk(model, new JsonObject { ["content"] = word }))),
        Event(Chunk(model, [], "stop")),
        UsageEvent(model),
        Done,
    ];

    /// <summary>The events of a stream that calls one function, its arguments in two fragments.</summary>
    public static IReadOnlyList<string> ToolCallEvents(string model, string name, string arguments, string id = "call_scripted")
    {
        var half = arguments.Length / 2;
        return
        [
            Event(Chunk(model, new JsonObject { ["role"] = "assistant", ["content"] = null, ["refusal"] = null })),
            Event(Chunk(model, Call(new JsonObject
            {
                ["index"] = 0,
                ["id"] = id,
                ["type"] = "function",
                ["function"] = new JsonObject { ["name"] = name, ["arguments"] = "" },
            }))),
            Event(Chunk(model, Call(Fragment(arguments[..half])))),
            Event(Chunk(model, Call(Fragment(arguments[half..])))),
            Event(Chunk(model, [], "tool_calls")),
            UsageEvent(model),
            Done,
        ];
    }

    public static string Done => "data: [DONE]\n\n";

    /// <summary>A whole stream in one piece per event.</summary>
    public static UpstreamAnswer Stream(IEnumerable<string> events) => Answer.Stream([.. events.Select(Piece.Of)]);

    private static string Event(JsonObject chunk) => $"data: {chunk.ToJsonString()}\n\n";

    private static JsonObject Call(JsonObject call) => new() { ["tool_calls"] = new JsonArray(call) };

    private static JsonObject Fragment(string arguments) =>
        new() { ["index"] = 0, ["function"] = new JsonObject { ["arguments"] = arguments } };

    private static JsonObject Chunk(string model, JsonObject delta, string? finish = null) => new()
    {
        ["id"] = Id,
        ["object"] = "chat.completion.chunk",
        ["created"] = Created,
        ["model"] = model,
        ["choices"] = new JsonArray(new JsonObject { ["index"] = 0, ["delta"] = delta, ["logprobs"] = null, ["finish_reason"] = finish }),
        ["usage"] = null,
    };

    private static string UsageEvent(string model) => Event(new JsonObject
    {
        ["id"] = Id,
        ["object"] = "chat.completion.chunk",
        ["created"] = Created,
        ["model"] = model,
        ["choices"] = new JsonArray(),
        ["usage"] = Usage(),
    });

    private static JsonObject Usage() => new() { ["prompt_tokens"] = 7, ["completion_tokens"] = 5, ["total_tokens"] = 12 };

    private static string Completion(string model, JsonObject message, string finish) => new JsonObject
    {
        ["id"] = Id,
        ["object"] = "chat.completion",
        ["created"] = Created,
        ["model"] = model,
        ["choices"] = new JsonArray(new JsonObject { ["index"] = 0, ["message"] = message, ["logprobs"] = null, ["finish_reason"] = finish }),
        ["usage"] = Usage(),
    }.ToJsonString();
}
