using System.Net;
using System.Net.Sockets;

namespace Gateway.Benchmarks.Processes;

internal static class FreePort
{
    private static readonly HashSet<int> Used = [];
    private static readonly Lock Gate = new();

    /// <summary>
    /// A loopback port that nothing listens on, never the same twice. Below those that the kernel gives to clients, which
    /// could take it before it is used.
    /// </summary>
    public static int Next()
    {
        lock (Gate)
        {
            while (true)
            {
                var port = Random.Shared.Next(20_000, 30_000);
                if (Used.Add(port) && IsFree(port))
                {
                    return port;
                }
            }
        }
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
