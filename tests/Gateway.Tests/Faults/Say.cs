using System.Net;
using System.Text.Json.Nodes;
using Gateway.Tests.Support;

namespace Gateway.Tests.Faults;

/// <summary>What the providers of the fault suite say, as the model that was asked, streamed where that was asked for.</summary>
internal static class Say
{
    public const string Text = "All is well here";

    /// <summary>A good answer.</summary>
    public static UpstreamAnswer Well { get; } = Whole(Text);

    /// <summary>Nothing, not even headers.</summary>
    public static UpstreamAnswer Nothing { get; } = Answer.After(TimeSpan.FromMinutes(2), Answer.HangUp);

    /// <summary>Status 200, a role, and no content for ever.</summary>
    public static UpstreamAnswer RoleAlone { get; } = Part([], Piece.Stall);

    /// <summary>Begins and breaks off; a plain reply in its middle.</summary>
    public static UpstreamAnswer CutAfterContent { get; } = Part(["All", " is"], Piece.Abort);

    public static UpstreamAnswer CutBeforeContent { get; } = Part([], Piece.Abort);

    public static UpstreamAnswer Whole(string text) => Answer.ByRequest(request => IsStream(request)
        ? Answer.Stream([.. Events(request.Model, Words(text)).Select(Piece.Of)])
        : Answer.Json(Named(Replies.Completion(request.Model, text), request.Model)));

    /// <summary>A role and these chunks, and then whatever comes; a plain reply goes wrong in its middle.</summary>
    public static UpstreamAnswer Part(IReadOnlyList<string> chunks, params Piece[] then) => Answer.ByRequest(request => IsStream(request)
        ? Answer.Stream([.. Events(request.Model, chunks).Take(1 + chunks.Count).Select(Piece.Of), .. then])
        : Answer.Stream(new AnswerHead(HttpStatusCode.OK, "application/json"), [Piece.Of("{\"id\":\"chatcmpl-1\",\"obj"), .. then]));

    /// <summary>A refusal in OpenAI's form; its message names the status.</summary>
    public static UpstreamAnswer Refuse(int status, string? retryAfter = null, string? code = null, string type = "server_error") =>
        Answer.Refusal(status, $"Refused with {status}.", type, code, retryAfter);

    public static UpstreamAnswer TooLong { get; } = Refuse(400, code: "context_length_exceeded", type: "invalid_request_error");

    /// <summary>The events of a stream of these chunks: role, chunks, finish, usage, [DONE]. Each model's id is its own.</summary>
    public static IReadOnlyList<string> Events(string model, IEnumerable<string> chunks) =>
        [.. Replies.WordEvents(model, chunks).Select(e => Named(e, model))];

    public static string Error(string message, string? code = null, string type = "server_error") =>
        $"data: {new JsonObject { ["error"] = new JsonObject { ["message"] = message, ["type"] = type, ["code"] = code } }.ToJsonString()}\n\n";

    public static IEnumerable<string> Words(string text) => text.Split(' ').Select((word, i) => i == 0 ? word : ' ' + word);

    public static bool IsStream(UpstreamRequest request) => request.Json["stream"]?.GetValue<bool>() == true;

    private static string Named(string json, string model) =>
        json.Replace("chatcmpl-scripted", $"chatcmpl-{model}", StringComparison.Ordinal);
}
