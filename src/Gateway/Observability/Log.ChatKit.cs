namespace Gateway.Observability;

/// <summary>The ChatKit door: 740 to 759.</summary>
internal static partial class Log
{
    [LoggerMessage(740, LogLevel.Warning, "Chat sessions and files that are out of date could not be deleted ({Error}); tried again in ten minutes")]
    public static partial void ChatKitCleanupFailed(this ILogger log, string error);

    [LoggerMessage(741, LogLevel.Warning, "A reply on a chat thread was stopped: it lost the thread's lease ({Why})")]
    public static partial void ThreadLeaseLost(this ILogger log, string why);

    [LoggerMessage(742, LogLevel.Information, "A chat reply of bot {Bot} failed: {Error} ({Detail}); the user is told; request {RequestId}")]
    public static partial void ChatKitTurnFailed(this ILogger log, string bot, string error, string detail, string requestId);

    [LoggerMessage(743, LogLevel.Warning, "A chat thread of bot {Bot} stays without a title: {Error}; request {RequestId}")]
    public static partial void ChatKitTitleFailed(this ILogger log, string bot, string error, string requestId);

    // The exception's type alone: its text may quote what a user wrote.
    [LoggerMessage(744, LogLevel.Error, "A chat request failed with {Error}; request {RequestId}")]
    public static partial void ChatKitFailed(this ILogger log, string error, string requestId);

    [LoggerMessage(EventId = 745, Message = "{Text}")]
    public static partial void ChatKitSaid(this ILogger log, LogLevel level, string text);

    [LoggerMessage(EventId = 746, Message = "{Text}: {Error}\n{Stack}")]
    public static partial void ChatKitFault(this ILogger log, LogLevel level, string text, string error, string? stack);

    [LoggerMessage(747, LogLevel.Warning, "A chat thread's lease had trouble ({Error}); it is renewed again, or ends by itself")]
    public static partial void ThreadLeaseTrouble(this ILogger log, string error);
}
