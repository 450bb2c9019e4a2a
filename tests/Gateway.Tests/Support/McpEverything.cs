using System.Globalization;

namespace Gateway.Tests.Support;

/// <summary>
/// The Model Context Protocol's reference server from npm, over streamable HTTP on a loopback port. May be killed and started
/// again on its port, which loses its sessions.
/// </summary>
public sealed class McpEverything : IAsyncLifetime
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    private readonly int _port = FreePort.Next();
    private ChildProcess? _process;

    public string Url => string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{_port}/mcp");

    public async ValueTask InitializeAsync()
    {
        await Node.EnsureReadyAsync(CancellationToken.None);
        await StartAgainAsync();
    }

    public async Task StartAgainAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        _process = ChildProcess.Start(
            "node", [Path.Combine(Node.Folder, "node_modules/@modelcontextprotocol/server-everything/dist/index.js"), "streamableHttp"],
            new Dictionary<string, string> { ["PORT"] = _port.ToString(CultureInfo.InvariantCulture) }, Node.Folder);
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        for (var waited = TimeSpan.Zero; ; waited += TimeSpan.FromMilliseconds(50))
        {
            try
            {
                using var reply = await client.GetAsync(new Uri(Url));
                return;
            }
            catch (HttpRequestException) when (!_process.HasExited && waited < StartLimit)
            {
                await Task.Delay(50);
            }
            catch (HttpRequestException e)
            {
                throw new InvalidOperationException($"The MCP server of the tests did not start.\n{_process.LastWords}", e);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }
    }
}
