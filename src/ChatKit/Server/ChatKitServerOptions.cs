using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace ChatKit;

/// <summary>Settings of a <see cref="ChatKitServer{TContext}"/>.</summary>
public sealed record ChatKitServerOptions
{
    /// <summary>Most elements of one page, whatever a client asks for. 100 by default; at least 20, the default size of a page.</summary>
    public int MaxPageSize { get; init => field = Math.Max(value, DefaultPageSize); } = 100;

    /// <summary>
    /// Whether messages, answers, retries and actions in a thread that is locked or closed are refused with 409. True by
    /// default. Output of a client tool is always taken: it ends a turn that began before.
    /// </summary>
    public bool RefuseInactiveThreads { get; init; } = true;

    /// <summary>Whether <c>threads.delete</c> also deletes the attachments that were sent in the thread. True by default.</summary>
    public bool DeleteAttachmentsWithThread { get; init; } = true;

    /// <summary>
    /// After this much silence a stream gets a comment line, so that proxies keep the connection. Null, the default: never,
    /// because it is not known whether every client skips comments.
    /// </summary>
    public TimeSpan? KeepAlive { get; init; }

    /// <summary>
    /// How long a request waits for another stream in its thread to end before it is refused with 409. 3 seconds by default:
    /// enough for a stream that the user has just stopped to save what was shown.
    /// </summary>
    public TimeSpan BusyThreadPatience { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>
    /// How long a handler may go on after its token was cancelled before the server goes on without it. 5 seconds by default.
    /// </summary>
    public TimeSpan HandlerStopLimit { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long saving what was shown may take after the client has gone. 10 seconds by default.</summary>
    public TimeSpan SaveLimit { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The clock of all times that the server sets.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Gets what goes wrong. No text of users or models is logged by the server, but exceptions of handlers are.</summary>
    public ILogger Logger { get; init; } = NullLogger.Instance;

    /// <summary>The size of a page when the client does not say.</summary>
    internal const int DefaultPageSize = 20;
}
