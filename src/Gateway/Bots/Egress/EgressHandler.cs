namespace Gateway.Bots.Egress;

/// <summary>
/// The guard below an <see cref="HttpClient"/>. Redirects are followed where they stay in the same place and keep the method:
/// a client that adds its credentials to every request would take them along to any other.
/// </summary>
internal sealed class EgressHandler(
    Func<HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>> send, long mostBytes) : HttpMessageHandler
{
    private const int MostRedirects = 3;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var body = request.Content is null ? null : await request.Content.ReadAsByteArrayAsync(cancellationToken);
        var url = request.RequestUri!;
        for (var followed = 0; ; followed++)
        {
            using var message = Copy(request, url, body);
            var response = await send(message, cancellationToken);
            if ((int)response.StatusCode is not (307 or 308)
                || followed == MostRedirects
                || !response.Headers.NonValidated.TryGetValues("Location", out var location)
                || EgressUrl.Read(location.ToString(), url) is var to && !EgressUrl.IsSamePlace(url, to))
            {
                response.RequestMessage = request;
                response.Content = await BoundAsync(response.Content, cancellationToken);
                return response;
            }

            response.Dispose();
            url = to;
        }
    }

    private static HttpRequestMessage Copy(HttpRequestMessage request, Uri url, byte[]? body)
    {
        var copy = new HttpRequestMessage(request.Method, url);
        foreach (var (name, values) in request.Headers.NonValidated)
        {
            copy.Headers.TryAddWithoutValidation(name, values);
        }

        if (body is not null)
        {
            copy.Content = new ByteArrayContent(body);
            copy.Content.Headers.ContentType = request.Content!.Headers.ContentType;
        }

        return copy;
    }

    private async Task<HttpContent> BoundAsync(HttpContent content, CancellationToken cancel)
    {
        var bound = new StreamContent(new BoundedStream(await content.ReadAsStreamAsync(cancel), mostBytes));
        foreach (var (name, values) in content.Headers.NonValidated)
        {
            bound.Headers.TryAddWithoutValidation(name, values);
        }

        return bound;
    }

    /// <summary>A reply that breaks off once it has grown too long. Reading alone.</summary>
    private sealed class BoundedStream(Stream inner, long most) : Stream
    {
        private long _left = most;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            Counted(await inner.ReadAsync(buffer, cancellationToken));

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override int Read(byte[] buffer, int offset, int count) => Counted(inner.Read(buffer, offset, count));

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                inner.Dispose();
            }

            base.Dispose(disposing);
        }

        private int Counted(int read)
        {
            _left -= read;
            return _left >= 0 ? read : throw new IOException("The reply is longer than it may be.");
        }
    }
}
