using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Gateway.Benchmarks.Load;

namespace Gateway.Benchmarks.Allocations;

/// <summary>
/// An upstream on a socket that sends a chunk when the one before has arrived at the caller: each is a read and a write of its own
/// all the way, without a clock. It allocates nothing for a request or a chunk.
/// </summary>
internal sealed class LockstepUpstream : IDisposable
{
    private static readonly UpstreamEvents Events = UpstreamReplies.Events(BenchModel.Parse("bench"), withUsage: false);

    private static readonly byte[] StreamBegin = Encoding.ASCII.GetBytes(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");

    private static readonly byte[][] Chunks = [.. Events.All.Select(ToHttpChunk)];

    private static readonly byte[] StreamEnd = [.. Chunks[^2], .. Chunks[^1], .. "0\r\n\r\n"u8];

    private static readonly byte[] Plain = ToReply(UpstreamReplies.Plain(BenchModel.Parse("bench")));

    private readonly SemaphoreSlim _next = new(0);
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    /// <summary>How many chunks with text the next stream has.</summary>
    public int ChunksEach { get; set; }

    public void Start(int port)
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
        _listener.Listen();
        Run(Accept);
    }

    /// <summary>Some have arrived.</summary>
    public void Arrived(int chunks) => _next.Release(chunks);

    public void Dispose()
    {
        _listener.Dispose();
        _next.Dispose();
    }

    private void Accept()
    {
        try
        {
            while (true)
            {
                var connection = _listener.Accept();
                connection.NoDelay = true;
                Run(() => Serve(connection));
            }
        }
        catch (Exception closed) when (closed is SocketException or ObjectDisposedException)
        {
            // It was disposed.
        }
    }

    private static void Run(ThreadStart serve) => new Thread(serve) { IsBackground = true }.Start();

    private void Serve(Socket connection)
    {
        var buffer = new byte[64 * 1024];
        var length = 0;
        try
        {
            while (connection.Receive(buffer.AsSpan(length)) is > 0 and var received)
            {
                length += received;
                if (IsWhole(buffer.AsSpan(0, length)))
                {
                    Answer(connection, buffer.AsSpan(0, length));
                    length = 0;
                }
            }
        }
        catch (Exception closed) when (closed is SocketException or ObjectDisposedException)
        {
            // The system closed the connection, or all is over.
        }

        connection.Dispose();
    }

    private void Answer(Socket connection, ReadOnlySpan<byte> request)
    {
        if (request.StartsWith("GET "u8) || request.IndexOf("\"stream\":true"u8) < 0)
        {
            connection.Send(Plain);
            return;
        }

        connection.Send(StreamBegin);
        connection.Send(Chunks[0]);
        for (var i = 0; i < ChunksEach; i++)
        {
            connection.Send(Chunks[1 + (i % Events.Chunks)]);
            _next.Wait();
        }

        connection.Send(StreamEnd);
    }

    /// <summary>Whether a request of a known length, or in chunks, is there to its end.</summary>
    private static bool IsWhole(ReadOnlySpan<byte> request)
    {
        var head = request.IndexOf("\r\n\r\n"u8);
        if (head < 0)
        {
            return false;
        }

        var name = "Content-Length: "u8;
        var at = request[..head].IndexOf(name);
        return at < 0 ? request.StartsWith("GET "u8) || request.EndsWith("\r\n0\r\n\r\n"u8)
            : Utf8Parser.TryParse(request[(at + name.Length)..], out int length, out _) && request.Length == head + 4 + length;
    }

    private static byte[] ToHttpChunk(byte[] bytes) =>
        [.. Encoding.ASCII.GetBytes($"{bytes.Length:x}\r\n"), .. bytes, .. "\r\n"u8];

    private static byte[] ToReply(byte[] body) =>
        [.. Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n"), .. body];
}
