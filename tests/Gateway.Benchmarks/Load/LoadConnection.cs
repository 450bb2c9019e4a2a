using System.Net;
using System.Net.Sockets;

namespace Gateway.Benchmarks.Load;

/// <summary>One connection to the system, with at most one request on it. Never waits.</summary>
/// <param name="tag">What <paramref name="epoll"/> names it by.</param>
internal sealed class LoadConnection(int tag, IPEndPoint target, Epoll epoll) : IDisposable
{
    private Socket? _socket;
    private byte[] _request = [];
    private int _sent;
    private bool _isWriting;

    public ReplyReader Reply { get; } = new();

    /// <summary>What has come of a streamed reply.</summary>
    public StreamCheck Stream { get; } = new();

    /// <summary>Whether a request is on it that has no whole answer yet.</summary>
    public bool IsBusy { get; set; }

    /// <summary>When the request was sent or, of an open loop, due; as <see cref="LoadClock.Now"/>.</summary>
    public long Since { get; private set; }

    /// <summary>When the last chunk came; 0 before the first.</summary>
    public long LastChunkAt { get; set; }

    public bool IsSent => _sent == _request.Length;

    /// <summary>Connects, anew if it was connected.</summary>
    /// <exception cref="SocketException">Nothing listens there.</exception>
    public void Open()
    {
        Dispose();
        (IsBusy, _isWriting, _request, _sent) = (false, false, [], 0);
        Reply.Reset();
        _socket = new Socket(target.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        _socket.Connect(target);
        _socket.Blocking = false;
        epoll.Watch(_socket.SafeHandle, tag);
    }

    /// <summary>Begins to send a request.</summary>
    /// <exception cref="SocketException">The system closed the connection.</exception>
    public void Send(byte[] request, long since)
    {
        Reply.Reset();
        Stream.Reset();
        (_request, _sent, Since, LastChunkAt, IsBusy) = (request, 0, since, 0, true);
        SendMore();
    }

    /// <summary>Sends as much of the request as the socket takes now.</summary>
    /// <exception cref="SocketException">The system closed the connection.</exception>
    public void SendMore()
    {
        while (!IsSent)
        {
            _sent += _socket!.Send(_request.AsSpan(_sent), SocketFlags.None, out var error);
            if (error == SocketError.WouldBlock)
            {
                break;
            }

            ThrowIf(error);
        }

        if (_isWriting == IsSent)
        {
            _isWriting = !IsSent;
            epoll.Rewatch(_socket!.SafeHandle, tag, _isWriting);
        }
    }

    /// <summary>Takes what has arrived, at most a buffer full. Null: nothing; 0: the system closed the connection.</summary>
    /// <exception cref="SocketException">The connection broke.</exception>
    public int? Receive(byte[] buffer)
    {
        var received = _socket!.Receive(buffer, SocketFlags.None, out var error);
        if (error == SocketError.WouldBlock)
        {
            return null;
        }

        ThrowIf(error);
        return received;
    }

    public void Dispose() => _socket?.Dispose();

    private static void ThrowIf(SocketError error)
    {
        if (error != SocketError.Success)
        {
            throw new SocketException((int)error);
        }
    }
}
