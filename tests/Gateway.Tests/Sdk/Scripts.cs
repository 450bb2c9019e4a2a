using System.Globalization;
using Gateway.Tests.Support;

namespace Gateway.Tests.Sdk;

/// <summary>
/// The upstream's side of the SDK tests. What it does is asked for in the last user message, since a bot's model is not
/// the caller's to choose: <c>status:429</c>, <c>end:17</c>, <c>abort:17</c>, <c>stall</c>.
/// </summary>
internal static class Scripts
{
    public const int Words = 60;

    /// <summary>Events of the 60-word stream: the role, 60 words, the finish, usage, [DONE].</summary>
    public const int EventsUntilFinish = 1 + Words + 1;

    /// <summary>How a stream ends after its first events: cleanly, or with the connection.</summary>
    public static readonly string[] Cuts = ["end", "abort"];

    public static string Text { get; } = string.Join(' ', Enumerable.Range(1, Words).Select(Word));

    public static UpstreamAnswer ByQuestion { get; } = Answer.ByRequest(request =>
    {
        var question = request.Json["messages"]!.AsArray()[^1]!["content"]!.ToString();
        var parts = question.Split(':');
        return parts[0] switch
        {
            "status" => Refusal(Number(parts[1])),
            "end" => Answer.Stream([.. CutAfter(Number(parts[1]))]),
            "abort" => Answer.Stream([.. CutAfter(Number(parts[1])), Piece.Abort]),
            "stall" when IsStream(request) =>
                Answer.Stream([.. Replies.WordEvents("scripted", ["one", " two"]).Take(3).Select(Piece.Of), Piece.Stall]),
            "stall" => Answer.After(Timeout.InfiniteTimeSpan, Answer.HangUp),
            _ => Says("Hello world"),
        };
    });

    /// <summary>A text in the form asked for: a bot streams from its model even where its caller does not.</summary>
    public static UpstreamAnswer Says(string text) => Answer.ByRequest(request => IsStream(request)
        ? Replies.Stream(Replies.WordEvents("scripted", text.Split(' ').Select((word, i) => i == 0 ? word : ' ' + word)))
        : Answer.Json(Replies.Completion("scripted", text)));

    public static bool IsStream(UpstreamRequest request) => request.Json["stream"]?.GetValue<bool>() == true;

    public static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    private static UpstreamAnswer Refusal(int status) => status == 429
        ? Answer.Refusal(status, "Slow down.", "requests", "rate_limit_exceeded", retryAfter: "1")
        : Answer.Refusal(status, "Something broke.", status < 500 ? "invalid_request_error" : "server_error");

    private static IEnumerable<Piece> CutAfter(int events) => Replies
        .WordEvents("scripted", Enumerable.Range(1, Words).Select(i => i == 1 ? Word(i) : ' ' + Word(i)))
        .Take(events).Select(Piece.Of);

    private static string Word(int number) => string.Create(CultureInfo.InvariantCulture, $"w{number}");
}
