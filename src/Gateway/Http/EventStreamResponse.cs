using System.Buffers;
using System.Runtime.CompilerServices;

namespace Gateway.Http;

/// <summary>
/// A streamed reply to the caller, as server-sent events. Status and headers go out with the first bytes, or after a
/// few seconds with a comment, so that nobody on the way gives up; until then a failure is still a plain refusal.
/// It ends either whole or with one error event and an aborted connection, so that no client takes it for finished.
/// </summary>
internal sealed class EventStreamResponse : IAsyncDisposable
{
    private static readonly TimeSpan FirstKeepAlive = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan KeepAliveInterval = TimeSpan.FromSeconds(15);

    /// <summary>Measured: an abort that follows the error event at once makes some clients drop the event unread.</summary>
    private static readonly TimeSpan AbortDelay = TimeSpan.FromMilliseconds(100);

    /// <summary>Longest that the last event of a broken stream waits for a caller who does not read.</summary>
    private static readonly TimeSpan LongestBreak = TimeSpan.FromSeconds(2);

    private static ReadOnlySpan<byte> Done => "data: [DONE]\n\n"u8;

    private static ReadOnlySpan<byte> KeepAlive => ": keep-alive\n\n"u8;

    private readonly HttpContext _http;
    private readonly RequestFacts _facts;
    private readonly TimeProvider _clock;
    private readonly ITimer _timer;
    // Held for each write: the keep-alive comes from a timer, and must not stand in the middle of an event.
    private readonly SemaphoreSlim _writing = new(1);
    private long _lastWrite;
    private bool _ended;
    private Action? _beforeHeaders;

    public EventStreamResponse(HttpContext http, TimeProvider clock)
    {
        _http = http;
        _facts = RequestFacts.Of(http);
        _clock = clock;
        _lastWrite = clock.GetTimestamp();
        _timer = clock.CreateTimer(
            static state => _ = ((EventStreamResponse)state!).KeepAliveAsync(), this, FirstKeepAlive, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Whether the status is spent.</summary>
    public bool HasStarted => _http.Response.HasStarted;

    /// <summary>
    /// Sets headers that are not known from the start. Run once right before the headers go out, by whoever sends them,
    /// and never beside a write; not run when they are gone already.
    /// </summary>
    public Action? BeforeHeaders
    {
        set => Volatile.Write(ref _beforeHeaders, value);
    }

    /// <summary>Sends whole events. May not be called at the same time as itself.</summary>
    // Pooled: a write that has to wait for a slow caller would allocate its state anew.
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask WriteAsync(ReadOnlyMemory<byte> events, CancellationToken cancel)
    {
        await _writing.WaitAsync(cancel);
        try
        {
            Start();
            _http.Response.BodyWriter.Write(events.Span);
            if (events.Span.EndsWith(Done))
            {
                _facts.IsOpenStream = false;
            }

            await _http.Response.BodyWriter.FlushAsync(cancel);
            _lastWrite = _clock.GetTimestamp();
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>
    /// Ends with a failure: as a refusal with its status while nothing was sent, else as an error event, after which the
    /// connection is aborted.
    /// </summary>
    public async Task FailAsync(ApiError error)
    {
        _facts.End ??= error.Code ?? error.Type;
        await _writing.WaitAsync(_http.RequestAborted);
        try
        {
            _ended = true;
            if (!HasStarted && !_facts.IsOpenStream)
            {
                Volatile.Read(ref _beforeHeaders)?.Invoke();
                await error.WriteAsync(_http);
                return;
            }

            await WriteErrorAsync(_http, error, _http.RequestAborted);
        }
        finally
        {
            _writing.Release();
        }

        await Task.Delay(AbortDelay, _clock, _http.RequestAborted);
        _http.Abort();
    }

    /// <summary>
    /// Ends a stream that its writer has left open (<see cref="RequestFacts.IsOpenStream"/>), whatever was cancelled: one error
    /// event, after which the connection is aborted.
    /// </summary>
    public static async Task BreakAsync(HttpContext http, ApiError error, TimeProvider clock)
    {
        using var limit = new CancellationTokenSource(LongestBreak, clock);
        try
        {
            await WriteErrorAsync(http, error, limit.Token);
            await Task.Delay(AbortDelay, clock, CancellationToken.None);
        }
        catch (OperationCanceledException)
        {
            // It could not be told; that it broke can still be seen.
        }

        http.Abort();
    }

    public async ValueTask DisposeAsync()
    {
        await _timer.DisposeAsync();
        // A comment that is being written must be out before the response is completed.
        await _writing.WaitAsync();
        _ended = true;
        _writing.Dispose();
    }

    private static async Task WriteErrorAsync(HttpContext http, ApiError error, CancellationToken cancel)
    {
        RequestFacts.Of(http).IsOpenStream = false;
        var body = http.Response.BodyWriter;
        body.Write("data: "u8);
        body.Write(error.ToJson());
        body.Write("\n\n"u8);
        await body.FlushAsync(cancel);
    }

    private void Start()
    {
        if (HasStarted)
        {
            return;
        }

        var response = _http.Response;
        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = "text/event-stream; charset=utf-8";
        response.Headers.CacheControl = "no-cache";
        // nginx in front of us would otherwise collect the events before it sends them.
        response.Headers["X-Accel-Buffering"] = "no";
        Volatile.Read(ref _beforeHeaders)?.Invoke();
        _facts.IsOpenStream = true;
    }

    private async Task KeepAliveAsync()
    {
        try
        {
            if (_ended || !await _writing.WaitAsync(0))
            {
                _timer.Change(KeepAliveInterval, Timeout.InfiniteTimeSpan);
                return;
            }

            try
            {
                var silence = _clock.GetElapsedTime(_lastWrite);
                var due = HasStarted ? KeepAliveInterval : FirstKeepAlive;
                // Timers may fire a little early.
                if (!_ended && silence >= due - TimeSpan.FromMilliseconds(50))
                {
                    Start();
                    _http.Response.BodyWriter.Write(KeepAlive);
                    await _http.Response.BodyWriter.FlushAsync(_http.RequestAborted);
                    _lastWrite = _clock.GetTimestamp();
                    silence = TimeSpan.Zero;
                }

                _timer.Change(KeepAliveInterval - silence, Timeout.InfiniteTimeSpan);
            }
            finally
            {
                _writing.Release();
            }
        }
        catch (Exception gone) when (gone is OperationCanceledException or ObjectDisposedException or InvalidOperationException)
        {
            // The caller left, or the reply ended in this moment; whoever writes the reply notices by itself.
        }
    }
}
