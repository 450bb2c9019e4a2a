using System.Net;
using System.Text.Json.Nodes;

namespace Gateway.Tests.Support;

/// <summary>One request that the <see cref="FakeUpstream"/> received.</summary>
/// <param name="Target">Path and query, exactly as they stood in the request line.</param>
/// <param name="Headers">Names compare without case; several values are joined by ", ".</param>
/// <param name="Disconnected">Ends when the caller closed the connection before it had the whole answer.</param>
/// <param name="Answered">Ends when the scripted answer was written to its end. Never ends if the caller left before.</param>
public sealed record UpstreamRequest(
    string Method, string Target, IReadOnlyDictionary<string, string> Headers, byte[] Body, Task Disconnected, Task Answered)
{
    /// <summary>The body as JSON. Throws where it is none.</summary>
    public JsonNode Json => JsonNode.Parse(Body)!;

    /// <summary>The name the gateway asked for, which is the deployment's and not the caller's.</summary>
    public string Model => Json["model"]!.GetValue<string>();
}

/// <summary>Writes the answer to one request.</summary>
public delegate Task UpstreamAnswer(Microsoft.AspNetCore.Http.HttpContext http, UpstreamRequest request);

/// <summary>A part of a scripted body: bytes, a pause, or a way to misbehave.</summary>
public abstract record Piece
{
    private Piece() { }

    internal sealed record Bytes(byte[] Content) : Piece;

    internal sealed record Pause(TimeSpan Length) : Piece;

    internal sealed record Silence : Piece;

    internal sealed record Break : Piece;

    /// <summary>Written and flushed in one go. Half an event is a piece too.</summary>
    public static Piece Of(byte[] content) => new Bytes(content);

    public static Piece Of(string text) => new Bytes(System.Text.Encoding.UTF8.GetBytes(text));

    public static Piece Wait(TimeSpan length) => new Pause(length);

    /// <summary>Nothing more comes, and the connection stays open until the caller closes it.</summary>
    public static Piece Stall { get; } = new Silence();

    /// <summary>The connection is reset in the middle of the body.</summary>
    public static Piece Abort { get; } = new Break();
}

/// <summary>Status and header of a scripted answer, for <see cref="Answer.Stream(AnswerHead, Piece[])"/>.</summary>
public sealed record AnswerHead(
    HttpStatusCode Status = HttpStatusCode.OK, string ContentType = "text/event-stream; charset=utf-8",
    IReadOnlyDictionary<string, string>? Headers = null, long? ContentLength = null);
