using System.Net;
using ModelContextProtocol;
using ModelContextProtocol.Client;

namespace Gateway.Bots.Abilities;

/// <summary>A session with an MCP server, and how many calls use it. Its counts are changed under its owner's lock.</summary>
internal sealed class McpSession(McpClient client)
{
    public McpClient Client { get; } = client;

    public int Uses { get; set; }

    /// <summary>Nobody gets it any more: it ends with its last use.</summary>
    public bool IsDetached { get; set; }

    public bool IsOver => IsDetached && Uses == 0;

    /// <summary>
    /// Whether the server said that it does not know the session, and so ran nothing: 404 by the specification, 400 with the
    /// usual codes by servers that were started again and have forgotten it. A connection that broke says nothing of the kind.
    /// </summary>
    public static bool IsUnknown(Exception failed) => failed switch
    {
        HttpRequestException { StatusCode: HttpStatusCode.NotFound } => true,
        HttpRequestException { StatusCode: HttpStatusCode.BadRequest } http => NamesSession(http),
        // Both codes have other meanings too, with which the tool may have run.
        McpProtocolException protocol => (int)protocol.ErrorCode is -32000 or -32001 && NamesSession(protocol),
        _ => false,
    };

    public async Task EndAsync()
    {
        try
        {
            await Client.DisposeAsync();
        }
        catch (Exception failed) when (failed is not OutOfMemoryException)
        {
            // It had ended already, or cannot be told.
        }
    }

    private static bool NamesSession(Exception said) => said.Message.Contains("session", StringComparison.OrdinalIgnoreCase);
}

/// <summary>
/// Keeps a 404 from the client, which would close the session at once and with it all other calls that are under way: the one
/// that was refused fails alone.
/// </summary>
internal sealed class McpSessionHandler(HttpMessageHandler inner) : DelegatingHandler(inner)
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var reply = await base.SendAsync(request, cancellationToken);
        if (reply.StatusCode != HttpStatusCode.NotFound || !request.Headers.Contains("Mcp-Session-Id"))
        {
            return reply;
        }

        if (request.Method == HttpMethod.Post)
        {
            reply.Dispose();
            throw new HttpRequestException("The server does not know the session.", null, HttpStatusCode.NotFound);
        }

        // What a server without a stream of its own says.
        reply.StatusCode = HttpStatusCode.MethodNotAllowed;
        return reply;
    }
}
