using System.Net;
using System.Net.Sockets;

namespace Gateway.Tests.Support;

/// <summary>Loopback ports for child processes, which cannot tell us the port that the system would choose for them.</summary>
internal static class FreePort
{
    // Below Linux's ephemeral range (32768 and up), so that no outgoing connection takes the port between the check
    // and the child's bind.
    private const int First = 20_000;
    private const int Last = 32_000;

    private static readonly Lock Gate = new();
    private static int _next = First + (Environment.ProcessId * 37 % (Last - First));

    /// <summary>A port nobody listens on, never given out twice by this process until the range is used up.</summary>
    public static int Next()
    {
        lock (Gate)
        {
            for (var tried = First; tried < Last; tried++)
            {
                _next = _next + 1 < Last ? _next + 1 : First;
                if (IsFree(_next))
                {
                    return _next;
                }
            }
        }

        throw new InvalidOperationException($"Every loopback port between {First} and {Last} is in use.");
    }

    private static bool IsFree(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
