namespace ChatKit;

/// <summary>The answer to a request: a <see cref="JsonResult"/> or a <see cref="StreamingResult"/>, as the operation says.</summary>
public abstract class ChatKitResult
{
    private protected ChatKitResult()
    {
    }
}

/// <summary>One JSON document.</summary>
public sealed class JsonResult : ChatKitResult
{
    internal JsonResult(ReadOnlyMemory<byte> json) => Json = json;

    /// <summary>The document, UTF-8. Its type is <c>application/json</c>.</summary>
    public ReadOnlyMemory<byte> Json { get; }
}

/// <summary>
/// Server-sent events. Each element is one whole event (or one comment), to be written and flushed at once; the type is
/// <c>text/event-stream</c>. It can be read once.
/// </summary>
/// <remarks>
/// To stop reading, or to cancel the token, means that the client has gone: the handler is stopped and what was shown is
/// saved before the enumerator's <c>DisposeAsync</c> returns. Faults during the stream are events, not exceptions; reading throws only
/// <see cref="OperationCanceledException"/>, when a token was cancelled. Dispose it also when it was never read: it holds
/// the thread's lease.
/// </remarks>
public sealed class StreamingResult : ChatKitResult, IAsyncEnumerable<ReadOnlyMemory<byte>>, IAsyncDisposable
{
    private readonly IAsyncEnumerable<ReadOnlyMemory<byte>> _events;
    private readonly Func<Task> _giveUp;
    private int _isTaken;

    internal StreamingResult(IAsyncEnumerable<ReadOnlyMemory<byte>> events, Func<Task> giveUp)
    {
        _events = events;
        _giveUp = giveUp;
    }

    /// <summary>Begins to read.</summary>
    /// <param name="cancellationToken">To be cancelled when the client has gone, beside the token given with the request.</param>
    /// <exception cref="InvalidOperationException">It was read or disposed before.</exception>
    public IAsyncEnumerator<ReadOnlyMemory<byte>> GetAsyncEnumerator(CancellationToken cancellationToken = default) =>
        Interlocked.Exchange(ref _isTaken, 1) == 0
            ? _events.GetAsyncEnumerator(cancellationToken)
            : throw new InvalidOperationException("A stream can be read once.");

    /// <summary>Stops a stream that nobody has begun to read. Does nothing when someone has: then disposing the enumerator does it.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isTaken, 1) == 0)
        {
            await _giveUp();
        }
    }
}
