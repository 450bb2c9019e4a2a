namespace Gateway.Observability;

/// <summary>A bot's turn: 601 to 619.</summary>
internal static partial class Log
{
    // The exception's type alone: its text may quote what the tool was given.
    [LoggerMessage(601, LogLevel.Warning, "Tool {Tool} of bot {Bot} failed: {Error}; the model is told; request {RequestId}")]
    public static partial void ToolFailed(this ILogger log, string tool, string bot, string error, string requestId);

    [LoggerMessage(602, LogLevel.Warning, "Tools of bot {Bot} are left out of a turn: {Source} failed with {Error}; request {RequestId}")]
    public static partial void ToolsLeftOut(this ILogger log, string bot, string source, string error, string requestId);

    [LoggerMessage(603, LogLevel.Warning, "Hidden steps of bot {Bot} could not be stored ({Error}); they are kept in memory, where no other gateway finds them")]
    public static partial void HiddenStepsNotKept(this ILogger log, string bot, string error);

    [LoggerMessage(604, LogLevel.Warning, "Hidden steps of bot {Bot} could not be read ({Error}); the turn goes on without them")]
    public static partial void HiddenStepsNotFound(this ILogger log, string bot, string error);

    [LoggerMessage(605, LogLevel.Warning, "Hidden steps that are out of date could not be deleted ({Error}); tried again in ten minutes")]
    public static partial void HiddenStepCleanupFailed(this ILogger log, string error);
}
