using Gateway.Observability;

namespace Gateway.ChatKit.Turns;

/// <summary>
/// What the ChatKit library logs, without the exceptions' own texts, which may quote what a user wrote: their type and where they
/// were thrown.
/// </summary>
internal sealed class LibraryLog(ILogger log) : ILogger
{
    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => log.IsEnabled(logLevel);

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!log.IsEnabled(logLevel))
        {
            return;
        }

        var text = formatter(state, null);
        if (exception is null)
        {
            log.ChatKitSaid(logLevel, text);
            return;
        }

        var (type, stack) = (exception.GetType().Name, exception.StackTrace);
        log.ChatKitFault(logLevel, text, type, stack);
    }
}
