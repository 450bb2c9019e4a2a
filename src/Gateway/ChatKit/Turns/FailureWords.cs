using System.Globalization;
using ChatKit;
using Gateway.Http;

namespace Gateway.ChatKit.Turns;

/// <summary>
/// What the user of a page reads when a reply fails: a plain sentence for each kind of failure, and the request's id. Errors'
/// own messages are for those who run the gateway: they name keys, budgets and providers.
/// </summary>
internal static class FailureWords
{
    public static ErrorEvent Of(ApiError error, string requestId) => new()
    {
        Message = $"{Sentence(error)} (Reference: {requestId})",
        AllowRetry = error.Status is 429 or >= 500 && !IsSpent(error),
    };

    /// <summary>
    /// What the log says of it beside its code. Our own messages of limits and set-up name what the operator looks for; any other may quote
    /// what a user wrote.
    /// </summary>
    public static string Detail(ApiError error) =>
        error is { Status: 429 or 403, IsUpstreams: false } ? error.Message : string.Create(CultureInfo.InvariantCulture, $"status {error.Status}");

    private static string Sentence(ApiError error) => error switch
    {
        _ when IsSpent(error) => "This chat has used up what it may use for now. Please come back later.",
        { Status: 429 } => $"Too many messages are sent at the moment. Please try again{Wait(error.RetryAfter)}.",
        _ when ErrorKinds.IsTooLong(error) => "This conversation has become too long. Please begin a new one, or send less at once.",
        _ when ErrorKinds.IsContentPolicy(error) => "The model does not answer this. Please say it in other words.",
        { Code: "model_not_found" or "invalid_model_selector" } or { Param: "inference_options.tool_choice" } =>
            "What was chosen for this message is not there. Please choose another model or tool.",
        { Status: 401 or 403 } => "This chat is not set up to answer. Please tell those who run it.",
        { Status: 408 or 504 } => "The answer took too long. Please try again.",
        { Status: 503 } => "There is too much to do at the moment. Please try again in a few seconds.",
        { Status: 502 } => "The model cannot be reached at the moment. Please try again.",
        { Status: >= 500 } => "Something went wrong here. Please try again.",
        _ => "This message cannot be answered. Please change it, or begin a new conversation.",
    };

    private static bool IsSpent(ApiError error) => error.IsFinal || error.Code == "insufficient_quota";

    private static string Wait(TimeSpan? time) => time switch
    {
        null => " in a moment",
        { TotalSeconds: <= 1 } => " in 1 second",
        { TotalSeconds: <= 90 } => string.Create(CultureInfo.InvariantCulture, $" in {Math.Ceiling(time.Value.TotalSeconds)} seconds"),
        _ => string.Create(CultureInfo.InvariantCulture, $" in {Math.Ceiling(time.Value.TotalMinutes)} minutes"),
    };
}
