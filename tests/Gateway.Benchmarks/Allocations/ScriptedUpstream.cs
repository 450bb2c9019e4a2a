using System.Net;
using System.Threading.Tasks.Sources;

namespace Gateway.Benchmarks.Allocations;

/// <summary>
/// An upstream in memory: its reply is a stream of given pieces, one for each read, and no read is done at once: as on a socket,
/// it completes on another thread. It allocates nothing for a piece.
/// </summary>
internal sealed class ScriptedUpstream : HttpMessageHandler
{
    /// <summary>What the next reply is.</summary>
    public Func<int, ReadOnlyMemory<byte>>? Pieces { get; set; }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        await request.Content!.CopyToAsync(Stream.Null, cancellationToken);
        return new HttpResponseMessage(HttpStatusCode.OK) { Content = new Reply(Pieces!) };
    }

    private sealed class Reply(Func<int, ReadOnlyMemory<byte>> pieces) : HttpContent
    {
        protected override Task<Stream> CreateContentReadStreamAsync() => Task.FromResult<Stream>(new PieceStream(pieces));

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => throw new NotSupportedException();

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }

    private sealed class PieceStream(Func<int, ReadOnlyMemory<byte>> pieces) : Stream, IValueTaskSource<int>, IThreadPoolWorkItem
    {
        private ManualResetValueTaskSourceCore<int> _read;
        private int _number;
        private int _length;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            // An empty read waits until there is something, and takes nothing.
            var piece = buffer.IsEmpty ? default : pieces(_number++);
            piece.CopyTo(buffer);
            _length = piece.Length;
            _read.Reset();
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
            return new ValueTask<int>(this, _read.Version);
        }

        void IThreadPoolWorkItem.Execute() => _read.SetResult(_length);

        int IValueTaskSource<int>.GetResult(short token) => _read.GetResult(token);

        ValueTaskSourceStatus IValueTaskSource<int>.GetStatus(short token) => _read.GetStatus(token);

        void IValueTaskSource<int>.OnCompleted(
            Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
            _read.OnCompleted(continuation, state, token, flags);

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush() => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
