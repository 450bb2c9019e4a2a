using System.Net;
using System.Net.Sockets;
using Gateway.Benchmarks.Load;

namespace Gateway.Benchmarks.Allocations;

/// <summary>A caller with one connection who tells the upstream of each chunk that has arrived. It allocates nothing for a request or a chunk.</summary>
internal sealed class LockstepCaller : IDisposable
{
    private static readonly byte[] TurnBody = [.. """
        {"model":"bot/id=bench","messages":[{"role":"user","content":"Where is my order 1234?"}],"tools":[
        {"type":"function","function":{"name":"open_ticket","parameters":{"type":"object","properties":{"summary":{"type":"string"}}}}},
        {"type":"function","function":{"name":"find_order","parameters":{"type":"object","properties":{"number":{"type":"string"}}}}}]}
        """u8];

    private readonly LockstepUpstream _upstream;
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] _plain;
    private readonly byte[] _stream;
    private readonly byte[] _turn;
    private readonly byte[] _buffer = new byte[64 * 1024];
    private readonly ReplyReader _reply = new();
    private readonly StreamCheck _check = new();

    public LockstepCaller(LockstepUpstream upstream, Uri target, string key)
    {
        _upstream = upstream;
        var options = new LoadOptions { Kind = "requests", Target = target, Key = key };
        _plain = RequestBytes.Make(options, isStream: false, out _);
        _stream = RequestBytes.Make(options, isStream: true, out _);
        _turn = RequestBytes.Make(options, TurnBody);
        _socket.Connect(new IPEndPoint(IPAddress.Loopback, target.Port));
    }

    /// <summary>Plain requests, one after the other.</summary>
    public void Send(int requests)
    {
        for (var i = 0; i < requests; i++)
        {
            Exchange(_plain);
        }
    }

    /// <summary>Plain requests to a bot, one after the other.</summary>
    /// <param name="chunks">Of the stream that each is at the upstream.</param>
    public void Turn(int turns, int chunks)
    {
        _upstream.ChunksEach = chunks;
        for (var i = 0; i < turns; i++)
        {
            // None of them is seen to arrive.
            _upstream.Arrived(chunks);
            Exchange(_turn);
        }
    }

    /// <summary>Streams, one after the other.</summary>
    /// <param name="chunks">Of each.</param>
    public void Stream(int streams, int chunks)
    {
        _upstream.ChunksEach = chunks;
        for (var i = 0; i < streams; i++)
        {
            _check.Reset();
            Exchange(_stream);
            if (!_check.IsDone || _check.HasFailed)
            {
                throw new InvalidOperationException("The stream did not end well.");
            }
        }
    }

    public void Dispose() => _socket.Dispose();

    private void Exchange(byte[] request)
    {
        _reply.Reset();
        _socket.Send(request);
        while (!_reply.IsWhole)
        {
            var received = _socket.Receive(_buffer);
            _reply.Feed(_buffer.AsSpan(0, received));
            if (received == 0 || _reply.Status is not (0 or 200))
            {
                throw new InvalidOperationException($"Status {_reply.Status}, {_reply.Body.Length} bytes.");
            }

            if (ReferenceEquals(request, _stream))
            {
                _reply.Drop(_check.Read(_reply.Body, out var chunks));
                if (chunks > 0)
                {
                    _upstream.Arrived(chunks);
                }
            }
        }
    }
}
