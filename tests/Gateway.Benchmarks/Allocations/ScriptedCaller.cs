using System.IO.Pipelines;
using System.Threading.Tasks.Sources;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Gateway.Benchmarks.Allocations;

/// <summary>
/// A caller in memory, who counts the bytes that it is sent and keeps the last of them. Every other flush completes on another
/// thread, as with one who reads slowly. It allocates nothing for a write.
/// </summary>
internal sealed class ScriptedCaller : PipeWriter, IHttpResponseBodyFeature, IValueTaskSource<FlushResult>, IThreadPoolWorkItem
{
    private readonly byte[] _bytes = new byte[64 * 1024];
    private ManualResetValueTaskSourceCore<FlushResult> _flush;
    private int _flushes;
    private int _length;

    /// <summary>Whether the head is out.</summary>
    public bool HasStarted { get; private set; }

    public long BytesSent { get; private set; }

    /// <summary>What came with the last write.</summary>
    public ReadOnlySpan<byte> LastSent => _bytes.AsSpan(0, _length);

    public Stream Stream => throw new NotSupportedException();

    public PipeWriter Writer => this;

    /// <summary>A request whose response goes to this caller.</summary>
    public HttpContext ToContext()
    {
        var features = new FeatureCollection();
        features.Set<IHttpRequestFeature>(new HttpRequestFeature());
        features.Set<IHttpResponseFeature>(new Response(this));
        features.Set<IHttpResponseBodyFeature>(this);
        return new DefaultHttpContext(features);
    }

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        if (HasBeenFlushed)
        {
            (HasBeenFlushed, _length) = (false, 0);
        }

        return _bytes.AsMemory(_length);
    }

    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public override void Advance(int bytes)
    {
        _length += bytes;
        BytesSent += bytes;
    }

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        (HasStarted, HasBeenFlushed) = (true, true);
        if (++_flushes % 2 == 0)
        {
            return default;
        }

        _flush.Reset();
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        return new ValueTask<FlushResult>(this, _flush.Version);
    }

    public override void CancelPendingFlush()
    {
    }

    public override void Complete(Exception? exception = null)
    {
    }

    void IThreadPoolWorkItem.Execute() => _flush.SetResult(default);

    FlushResult IValueTaskSource<FlushResult>.GetResult(short token) => _flush.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<FlushResult>.GetStatus(short token) => _flush.GetStatus(token);

    void IValueTaskSource<FlushResult>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _flush.OnCompleted(continuation, state, token, flags);

    public Task StartAsync(CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException();

    public Task CompleteAsync() => throw new NotSupportedException();

    public void DisableBuffering()
    {
    }

    private bool HasBeenFlushed { get; set; }

    private sealed class Response(ScriptedCaller caller) : HttpResponseFeature
    {
        public override bool HasStarted => caller.HasStarted;
    }
}
