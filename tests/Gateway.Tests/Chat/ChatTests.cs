using System.Text;
using System.Text.Json.Nodes;
using Gateway.Tests.Support;

namespace Gateway.Tests.Chat;

[CollectionDefinition(Name)]
public sealed class ChatTestsShareOneGateway : ICollectionFixture<ScriptedGateway>
{
    public const string Name = "Chat completions";
}

/// <summary>Chunks as they stand on the wire, for tests that must say every byte themselves.</summary>
internal static class Wire
{
    public const string Done = "data: [DONE]\n\n";

    public static string Event(string json) => $"data: {json}\n\n";

    /// <param name="choice">The members of one choice behind its index.</param>
    public static string Chunk(string choice, int index = 0) =>
        Event($$"""{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"plain","choices":[{"index":{{index}},{{choice}}}]}""");

    public static string Role(int index = 0) =>
        Chunk(""" "delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null """.Trim(), index);

    public static string Text(string text, int index = 0) =>
        Chunk($$""" "delta":{"content":{{JsonValue.Create(text)!.ToJsonString()}}},"logprobs":null,"finish_reason":null """.Trim(), index);

    public static string Finish(string reason = "stop", int index = 0) =>
        Chunk($$""" "delta":{},"logprobs":null,"finish_reason":"{{reason}}" """.Trim(), index);

    public static string Usage { get; } = Event(
        """{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"plain","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}""");

    /// <summary>A good stream without usage.</summary>
    public static string Whole { get; } = Role() + Text("Hello, ") + Text("wörld 😀") + Finish() + Done;

    public static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    /// <param name="more">Members behind the others, beginning with a comma.</param>
    public static string Ask(string selector = "model/name=plain", bool stream = true, string more = "") =>
        $$"""{"model":"{{selector}}","messages":[{"role":"user","content":"hi"}]{{(stream ? ",\"stream\":true" : "")}}{{more}}}""";

    /// <summary>An answer that is an event stream of these bytes, written in pieces of this size.</summary>
    public static UpstreamAnswer Stream(byte[] bytes, int pieceBytes = int.MaxValue) =>
        Answer.Stream([.. bytes.Chunk(Math.Min(pieceBytes, Math.Max(bytes.Length, 1))).Select(Piece.Of)]);

    public static UpstreamAnswer Stream(string text) => Stream(Bytes(text));
}
