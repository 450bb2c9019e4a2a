using System.Net;
using System.Net.Sockets;
using System.Text;
using Npgsql;

namespace Gateway.Tests.Support;

/// <summary>
/// A way to a real Postgres that can be taken away and given back, that can be slow, and that can let one kind of connection
/// fall silent: open on both ends, with nothing coming through any more.
/// </summary>
public sealed class DatabaseRelay : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _lock = new();
    private readonly List<Socket> _open = [];
    private readonly IPEndPoint _server;
    private readonly Task _accepting;
    private readonly Socket _listener;
    private volatile string? _silenced;
    private volatile bool _isCut;
    private long _delayTicks;

    public DatabaseRelay(string connectionString)
    {
        var parts = new NpgsqlConnectionStringBuilder(connectionString);
        _server = new IPEndPoint(IPAddress.Loopback, parts.Port);
        _listener = Listen();
        parts.Host = "127.0.0.1";
        parts.Port = ((IPEndPoint)_listener.LocalEndPoint!).Port;
        ConnectionString = parts.ConnectionString;
        _accepting = AcceptAsync();
    }

    /// <summary>The database by way of the relay.</summary>
    public string ConnectionString { get; }

    /// <summary>From now on nothing reaches the client of connections that name themselves so.</summary>
    public void Silence(string applicationName) => _silenced = applicationName;

    /// <summary>From now on every query reaches the server so late. Connecting stays as quick as it is.</summary>
    public void Slow(TimeSpan delay) => Interlocked.Exchange(ref _delayTicks, delay.Ticks);

    /// <summary>Breaks every connection, and lets none through.</summary>
    public void Cut()
    {
        _isCut = true;
        lock (_lock)
        {
            _open.ForEach(socket => socket.Dispose());
            _open.Clear();
        }
    }

    public void Restore() => _isCut = false;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        Cut();
        await _accepting;
        _stop.Dispose();
    }

    private static Socket Listen()
    {
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(128);
        return listener;
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                var client = await _listener.AcceptAsync(_stop.Token);
                if (_isCut)
                {
                    client.Dispose();
                    continue;
                }

                _ = ServeAsync(client);
            }
            catch (Exception ended) when (ended is OperationCanceledException or ObjectDisposedException or SocketException)
            {
                return;
            }
        }
    }

    private async Task ServeAsync(Socket client)
    {
        var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        lock (_lock)
        {
            _open.Add(client);
            _open.Add(server);
        }

        try
        {
            await server.ConnectAsync(_server, _stop.Token);
            var names = new StringBuilder();
            await Task.WhenAny(
                CopyAsync(
                    client, server, bytes => names.Append(names.Length < 4_096 ? Encoding.Latin1.GetString(bytes) : ""), delayOf: DelayOf),
                CopyAsync(server, client, _ => { }, isSilent: () => _silenced is { } name && names.ToString().Contains(name, StringComparison.Ordinal)));
        }
        catch (Exception ended) when (ended is OperationCanceledException or ObjectDisposedException or SocketException)
        {
            // Cut, or over.
        }
        finally
        {
            client.Dispose();
            server.Dispose();
        }
    }

    /// <summary>What comes in one piece is one question: Parse, Bind, Execute and the rest of it, or a simple Query.</summary>
    private TimeSpan DelayOf(byte firstMessage) =>
        firstMessage is (byte)'P' or (byte)'B' or (byte)'Q' ? TimeSpan.FromTicks(Interlocked.Read(ref _delayTicks)) : TimeSpan.Zero;

    private async Task CopyAsync(
        Socket from, Socket to, SpanAction saw, Func<bool>? isSilent = null, Func<byte, TimeSpan>? delayOf = null)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer, _stop.Token) is > 0 and var read)
            {
                saw(buffer.AsSpan(0, read));
                if (delayOf?.Invoke(buffer[0]) is { } delay && delay > TimeSpan.Zero)
                {
                    await Task.Delay(delay, _stop.Token);
                }

                if (isSilent?.Invoke() != true)
                {
                    await to.SendAsync(buffer.AsMemory(0, read), _stop.Token);
                }
            }
        }
        catch (Exception ended) when (ended is OperationCanceledException or ObjectDisposedException or SocketException)
        {
            // The other direction ends with it.
        }
    }

    private delegate void SpanAction(ReadOnlySpan<byte> bytes);
}
