using Microsoft.Extensions.Logging;

namespace ChatKit;

internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Error, "A stream in thread {ThreadId} failed")]
    public static partial void StreamFailed(ILogger logger, Exception error, string threadId);

    [LoggerMessage(2, LogLevel.Error, "What was shown in thread {ThreadId} before the client left could not be saved")]
    public static partial void SaveFailed(ILogger logger, Exception error, string threadId);

    [LoggerMessage(3, LogLevel.Warning, "The handler in thread {ThreadId} went on {Seconds} s after it was cancelled and was left behind")]
    public static partial void HandlerLeftBehind(ILogger logger, string threadId, double seconds);

    [LoggerMessage(4, LogLevel.Warning, "The lease of thread {ThreadId} was lost: its stream is ended")]
    public static partial void LeaseLost(ILogger logger, string threadId);

    [LoggerMessage(5, LogLevel.Information, "Answers to {Count} unknown questions in thread {ThreadId} were ignored")]
    public static partial void UnknownAnswers(ILogger logger, string threadId, int count);

    [LoggerMessage(6, LogLevel.Error, "A request failed")]
    public static partial void RequestFailed(ILogger logger, Exception error);

    [LoggerMessage(7, LogLevel.Error, "Thread {ThreadId}, whose first message could not be stored, could not be deleted")]
    public static partial void TakeBackFailed(ILogger logger, Exception error, string threadId);
}
