using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Gateway.Tests.Support;

namespace Gateway.Tests.Http;

/// <summary>A connection to the gateway on which a test writes what no HTTP client would.</summary>
internal sealed class RawConnection : IDisposable
{
    private static readonly TimeSpan ReplyLimit = TimeSpan.FromSeconds(20);

    private readonly TcpClient _client;
    private readonly NetworkStream _stream;
    private readonly List<byte> _read = [];

    private RawConnection(TcpClient client) => (_client, _stream) = (client, client.GetStream());

    public static async Task<RawConnection> OpenAsync(string baseUrl, CancellationToken cancel)
    {
        var address = new Uri(baseUrl);
        var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync(address.Host, address.Port, cancel);
        return new RawConnection(client);
    }

    /// <summary>One request on a connection of its own, its head given line by line.</summary>
    public static async Task<RawReply> SendAsync(string baseUrl, string head, byte[] body, CancellationToken cancel)
    {
        using var connection = await OpenAsync(baseUrl, cancel);
        await connection.WriteAsync(Head(head), cancel);
        await connection.WriteAsync(body, cancel);
        return await connection.ReadReplyAsync(head.StartsWith("HEAD", StringComparison.Ordinal), cancel);
    }

    /// <summary>Lines joined and ended as HTTP wants it. The caller adds no Host.</summary>
    public static byte[] Head(string lines) =>
        Encoding.UTF8.GetBytes(lines.ReplaceLineEndings("\r\n").TrimEnd() + "\r\nHost: gateway\r\n\r\n");

    public async Task WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancel) => await _stream.WriteAsync(bytes, cancel);

    /// <summary>The next reply, transfer coding removed. <see cref="RawReply.Broken"/> when it ended early.</summary>
    /// <exception cref="EndOfStreamException">The connection ended before a reply's head was there.</exception>
    public async Task<RawReply> ReadReplyAsync(bool isHead, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(ReplyLimit);
        int end;
        while ((end = IndexOf("\r\n\r\n"u8)) < 0)
        {
            if (!await FillAsync(limit.Token))
            {
                throw new EndOfStreamException($"The connection ended without a reply: {Encoding.UTF8.GetString([.. _read])}");
            }
        }

        var lines = Encoding.Latin1.GetString(Take(end + 4)).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        var headers = lines.Skip(1).Select(line => line.Split(": ", 2))
            .GroupBy(pair => pair[0], StringComparer.OrdinalIgnoreCase)
            .ToDictionary(g => g.Key, g => string.Join(", ", g.Select(pair => pair[1])), StringComparer.OrdinalIgnoreCase);
        var (body, broken) = isHead ? ([], false) : await BodyAsync(headers, limit.Token);
        return new RawReply(int.Parse(lines[0].Split(' ')[1], CultureInfo.InvariantCulture), headers, body, broken, TimeSpan.Zero);
    }

    /// <summary>Closes so that the other side sees a reset.</summary>
    public void Reset()
    {
        _client.LingerState = new LingerOption(enable: true, seconds: 0);
        _client.Dispose();
    }

    /// <summary>Sends no more, and can still read.</summary>
    public void EndSending() => _client.Client.Shutdown(SocketShutdown.Send);

    /// <summary>Closes at once, as a caller does who goes away.</summary>
    public void Dispose() => _client.Dispose();

    private async Task<(byte[] Body, bool Broken)> BodyAsync(Dictionary<string, string> headers, CancellationToken cancel)
    {
        if (headers.TryGetValue("Content-Length", out var length))
        {
            var count = int.Parse(length, CultureInfo.InvariantCulture);
            while (_read.Count < count)
            {
                if (!await FillAsync(cancel))
                {
                    return (Take(_read.Count), true);
                }
            }

            return (Take(count), false);
        }

        if (!headers.ContainsKey("Transfer-Encoding"))
        {
            return ([], false);
        }

        var body = new List<byte>();
        while (true)
        {
            int line;
            while ((line = IndexOf("\r\n"u8)) < 0)
            {
                if (!await FillAsync(cancel))
                {
                    return ([.. body], true);
                }
            }

            var size = int.Parse(Encoding.ASCII.GetString(Take(line + 2)).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            while (_read.Count < size + 2)
            {
                if (!await FillAsync(cancel))
                {
                    return ([.. body], true);
                }
            }

            body.AddRange(Take(size));
            Take(2);
            if (size == 0)
            {
                return ([.. body], false);
            }
        }
    }

    private int IndexOf(ReadOnlySpan<byte> what) => System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_read).IndexOf(what);

    private byte[] Take(int count)
    {
        byte[] taken = [.. _read.Take(count)];
        _read.RemoveRange(0, count);
        return taken;
    }

    private async Task<bool> FillAsync(CancellationToken cancel)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            var read = await _stream.ReadAsync(buffer, cancel);
            _read.AddRange(buffer.AsSpan(0, read));
            return read > 0;
        }
        catch (IOException)
        {
            return false;
        }
    }
}
