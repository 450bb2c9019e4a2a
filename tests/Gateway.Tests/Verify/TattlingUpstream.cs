using System.Text.Json;
using Gateway.Tests.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Gateway.Tests.Verify;

/// <summary>
/// A provider that quotes all it was sent, key, headers, address and prompt, in whatever it answers; how it answers is the
/// name of the model.
/// </summary>
internal static class TattlingUpstream
{
    public static IReadOnlyList<string> Models { get; } =
    [
        "ok", "e400", "e401", "e403", "e404", "e409", "e422", "e429", "e500", "e503", "filter", "context", "parameter", "redirect",
        "words", "malformed", "in-reply", "cut", "event", "late-event", "hang-up",
    ];

    /// <summary>Those whose refusal is about the caller's own request, whose words go back to that caller.</summary>
    public static bool IsTheCallersToRead(string model) => model is "e400" or "e409" or "e422" or "e429" or "e500" or "e503"
        or "filter" or "context" or "parameter" or "in-reply" or "event" or "late-event";

    public static UpstreamAnswer Answers { get; } = Answer.ByRequest(request =>
    {
        var isStream = request.Headers["content-type"].Contains("json", StringComparison.Ordinal)
            && request.Json["stream"]?.GetValue<bool>() == true;
        var model = request.Headers["content-type"].Contains("json", StringComparison.Ordinal) ? request.Model : "ok";
        var quoted = Quote(request);
        return model switch
        {
            "ok" when isStream => Replies.Stream(Replies.WordEvents("m", [Canaries.Reply, " it", " is"])),
            "ok" => Quoting(200, Replies.Completion("m", Canaries.Reply)),
            "filter" => Quoting(400, Error(quoted, "content_filter")),
            "context" => Quoting(400, Error(quoted, "context_length_exceeded")),
            "parameter" => Quoting(400, Error(quoted, "unsupported_parameter", "temperature")),
            "redirect" => Answer.Fixed([], System.Net.HttpStatusCode.Found, headers: Headers(quoted)),
            "words" => Answer.Fixed(
                System.Text.Encoding.UTF8.GetBytes($"<h1>{quoted}</h1>"), System.Net.HttpStatusCode.BadGateway, "text/html", Headers(quoted)),
            "malformed" when isStream => Answer.Stream(Piece.Of($"data: {quoted}\n\n")),
            "malformed" => Answer.Fixed(System.Text.Encoding.UTF8.GetBytes(quoted)),
            "in-reply" => Quoting(200, Error(quoted, quoted)),
            "cut" => Answer.Stream(Piece.Of(Replies.WordEvents("m", [Canaries.Reply])[1]), Piece.Abort),
            "event" => Answer.Stream(Piece.Of($"data: {Error(quoted, quoted)}\n\n")),
            "late-event" => Answer.Stream(Piece.Of(Replies.WordEvents("m", [Canaries.Reply])[1]), Piece.Of($"data: {Error(quoted, quoted)}\n\n")),
            "hang-up" => Answer.HangUp,
            _ => Quoting(int.Parse(model[1..], System.Globalization.CultureInfo.InvariantCulture), Error(quoted, quoted, quoted)),
        };
    });

    private static string Quote(UpstreamRequest request) =>
        $"no: {string.Join(", ", request.Headers.Select(h => $"{h.Key}: {h.Value}"))} at {request.Target} with {System.Text.Encoding.UTF8.GetString(request.Body)}";

    private static string Error(string message, string code, string? param = null) =>
        JsonSerializer.Serialize(new { error = new { message, type = message, param, code } });

    private static UpstreamAnswer Quoting(int status, string body) => async (http, request) =>
    {
        var quoted = Quote(request);
        http.Features.GetRequiredFeature<IHttpResponseFeature>().ReasonPhrase = Ascii(quoted);
        foreach (var (name, value) in Headers(quoted))
        {
            http.Response.Headers[name] = value;
        }

        http.Response.StatusCode = status;
        http.Response.ContentType = "application/json";
        await http.Response.WriteAsync(body, http.RequestAborted);
    };

    private static Dictionary<string, string> Headers(string quoted) => new()
    {
        ["Location"] = $"http://127.0.0.1:9/{Uri.EscapeDataString(Ascii(quoted)[..200])}",
        ["WWW-Authenticate"] = Ascii(quoted),
        ["x-request-id"] = Ascii(quoted),
        ["openai-organization"] = Ascii(quoted),
        ["openai-processing-ms"] = "7",
    };

    private static string Ascii(string text) => string.Concat(text.Where(c => c is >= ' ' and <= '~')).PadRight(200, '.');
}
