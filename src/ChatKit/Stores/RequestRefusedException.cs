namespace ChatKit;

/// <summary>
/// A request that was understood and is refused. Thrown before a stream begins it becomes an HTTP status with a JSON body;
/// thrown by a handler during a stream it becomes an <c>error</c> event with code <c>custom</c>. Handlers and stores may
/// throw it for reasons of their own, for instance a limit.
/// </summary>
/// <param name="status">The HTTP status, 400 to 599.</param>
/// <param name="code">A word that programs can tell the reason by, for instance <c>thread_busy</c>.</param>
/// <param name="message">What is wrong and what to do, in words that may be shown to the caller.</param>
/// <param name="inner">What was caught, or null.</param>
public class RequestRefusedException(int status, string code, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>The HTTP status, 400 to 599.</summary>
    public int Status { get; } = status;

    /// <summary>A word that programs can tell the reason by, for instance <c>thread_busy</c>.</summary>
    public string Code { get; } = code;

    internal static RequestRefusedException ThreadBusy() =>
        new(409, "thread_busy", "A reply is being streamed in this thread. Wait for its end, or stop it by closing its connection.");

    internal static RequestRefusedException ThreadLocked() => new(409, "thread_locked", "The thread is locked.");

    internal static RequestRefusedException ThreadClosed() => new(409, "thread_closed", "The thread is closed.");

    internal static RequestRefusedException NoPendingCall() =>
        new(409, "no_pending_client_tool_call", "The thread does not wait for the output of a client tool.");

    internal static RequestRefusedException NotPending() => new(409, "already_answered", "These questions have been answered before.");

    internal static RequestRefusedException NotSupported(string what) => new(501, "not_supported", $"This server does not support {what}.");

    internal static RequestRefusedException TooLarge(long bytes) =>
        new(413, "attachment_too_large", string.Create(System.Globalization.CultureInfo.InvariantCulture, $"An attachment may have at most {bytes} bytes."));
}

/// <summary>There is no such thread, item or attachment, or the caller may not see it: the two cannot be told apart. Status 404.</summary>
/// <param name="what">The kind of thing, for instance <c>Thread</c>.</param>
/// <param name="id">The id asked for.</param>
public sealed class NotFoundException(string what, string id) : RequestRefusedException(404, "not_found", $"{what} '{id}' was not found.")
{
    /// <summary>The id asked for.</summary>
    public string Id { get; } = id;

    /// <summary>No such thread.</summary>
    public static NotFoundException Thread(string id) => new("Thread", id);

    /// <summary>No such item, or no such cursor in a list of items.</summary>
    public static NotFoundException Item(string id) => new("Item", id);

    /// <summary>No such attachment.</summary>
    public static NotFoundException Attachment(string id) => new("Attachment", id);
}
