using System.Text.Json;
using Gateway.Bots.Egress;
using Gateway.Observability;
using ModelContextProtocol;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Gateway.Bots.Abilities;

/// <summary>A tool of an MCP server, as a bot has it.</summary>
/// <param name="ServerName">As the server knows it.</param>
internal sealed record McpToolInfo(string ServerName, string Description, ArgumentSchema Arguments)
{
    /// <summary>As the model knows it, unless another tool has that name.</summary>
    public string Name => AbilityChecks.ToName(ServerName);
}

/// <param name="Problem">Why there is no list; null: there is one.</param>
internal sealed record McpListing(IReadOnlyList<McpToolInfo> Tools, string? Problem);

/// <summary>
/// One MCP server as one ability reaches it: one session, kept, and made again when the server has lost it. Safe for
/// concurrent use.
/// </summary>
internal sealed class McpServer(
    string ability, McpSettings settings, Uri url, IDictionary<string, string> headers, TimeSpan longestListing, EgressGuard guard,
    TimeProvider clock, ILogger log)
    : IAsyncDisposable
{
    private static readonly TimeSpan ListLives = TimeSpan.FromMinutes(5);

    /// <summary>How long a server that failed is left alone.</summary>
    private static readonly TimeSpan FailureLives = TimeSpan.FromSeconds(10);

    private const long MostReplyBytes = 8 * 1024 * 1024;
    private const int MostPages = 20;
    private const int MostTools = 128;
    private const int LongestDescription = 2_000;
    private const int LongestSchema = 32 * 1024;

    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _connecting = new(1);
    private McpSession? _session;
    private Task<McpListing>? _listing;
    private long _listedAt;
    private bool _isChanged;
    private bool _isEnded;

    /// <summary>The tools that bots may call. Asks the server when the last list is old, or the server said that it changed.</summary>
    /// <exception cref="OperationCanceledException">The caller left.</exception>
    public Task<McpListing> ListAsync(CancellationToken cancel)
    {
        lock (_lock)
        {
            if (_listing is null || (_listing.IsCompleted && IsOld(_listing)))
            {
                (_isChanged, _listedAt) = (false, clock.GetTimestamp());
                // For everyone who waits, so it is no single caller's to cancel.
                _listing = Task.Run(ListNowAsync, CancellationToken.None);
            }

            return _listing.WaitAsync(cancel);
        }
    }

    /// <summary>Calls a tool, once more on a new session when the server has lost this one.</summary>
    /// <exception cref="McpException">The server refused.</exception>
    /// <exception cref="EgressException">There was no reply.</exception>
    /// <exception cref="OperationCanceledException">The caller left, or the time is over.</exception>
    public async Task<CallToolResult> CallAsync(string tool, JsonElement arguments, CancellationToken cancel)
    {
        var call = new CallToolRequestParams { Name = tool, Arguments = arguments.EnumerateObject().ToDictionary(a => a.Name, a => a.Value) };
        return await UseAsync(client => client.CallToolAsync(call, cancel), McpSession.IsUnknown, cancel);
    }

    /// <summary>Ends the session: now, or when those who use it are done with it.</summary>
    public async ValueTask DisposeAsync()
    {
        McpSession? over;
        lock (_lock)
        {
            _isEnded = true;
            over = Detach();
        }

        await EndAsync(over);
    }

    /// <summary>Does something in the session, once more in a new one if that was lost.</summary>
    private async Task<T> UseAsync<T>(Func<McpClient, ValueTask<T>> use, Func<Exception, bool> isLost, CancellationToken cancel)
    {
        for (var isFirst = true; ; isFirst = false)
        {
            var session = await ConnectAsync(cancel);
            var isToEnd = false;
            try
            {
                return await use(session.Client);
            }
            catch (Exception lost) when (isFirst && isLost(lost) && !cancel.IsCancellationRequested)
            {
                log.McpSessionLost(ability, lost.GetType().Name);
                isToEnd = true;
            }
            finally
            {
                // A server that is gone may take its time to say so; nobody waits for that.
                _ = EndAsync(EndUse(session, isToEnd));
            }
        }
    }

    /// <summary>Whoever comes after the end, and makes a session, takes it along.</summary>
    /// <returns>The session, if this was the last use of it.</returns>
    private McpSession? EndUse(McpSession session, bool isToEnd)
    {
        lock (_lock)
        {
            session.Uses--;
            if (_session == session && (isToEnd || _isEnded))
            {
                return Detach();
            }

            return session.IsOver ? session : null;
        }
    }

    /// <summary>Called under the lock.</summary>
    /// <returns>The session there was, if nobody uses it.</returns>
    private McpSession? Detach()
    {
        var session = _session;
        _session = null;
        if (session is not null)
        {
            session.IsDetached = true;
        }

        return session is { IsOver: true } ? session : null;
    }

    private static Task EndAsync(McpSession? session) => session?.EndAsync() ?? Task.CompletedTask;

    private bool IsOld(Task<McpListing> listing)
    {
        var age = clock.GetElapsedTime(_listedAt);
        return _isChanged || age > (listing is { IsCompletedSuccessfully: true } && IsGood(listing) ? ListLives : FailureLives);
    }

    private static bool IsGood(Task<McpListing> listing) => listing.GetAwaiter().GetResult().Problem is null;

    private async Task<McpListing> ListNowAsync()
    {
        using var limit = new CancellationTokenSource(longestListing);
        try
        {
            var tools = await UseAsync(
                client => ReadAllAsync(client, limit.Token), lost => McpSession.IsUnknown(lost) || lost is ClientTransportClosedException, limit.Token);
            var offered = tools.Where(t => settings.Offers(t.Name)).Select(Read).OfType<McpToolInfo>().Take(MostTools).ToList();
            log.McpToolsListed(ability, tools.Count, offered.Count);
            return new McpListing(offered, null);
        }
        catch (Exception failed) when (failed is not OutOfMemoryException)
        {
            var why = McpProblem.Describe(failed);
            log.McpServerUnavailable(ability, why);
            return new McpListing([], why);
        }
    }

    private static async ValueTask<List<Tool>> ReadAllAsync(McpClient client, CancellationToken cancel)
    {
        var tools = new List<Tool>();
        string? cursor = null;
        for (var page = 0; page < MostPages; page++)
        {
            var read = await client.ListToolsAsync(new ListToolsRequestParams { Cursor = cursor }, cancel);
            tools.AddRange(read.Tools);
            cursor = read.NextCursor;
            if (cursor is null)
            {
                break;
            }
        }

        return tools;
    }

    /// <summary>Null for one that would take up too much of every request.</summary>
    private static McpToolInfo? Read(Tool tool)
    {
        var arguments = new ArgumentSchema(tool.InputSchema);
        var description = tool.Description ?? tool.Title ?? tool.Name;
        return arguments.Json.Length > LongestSchema
            ? null
            : new McpToolInfo(tool.Name, description.Length <= LongestDescription ? description : description[..LongestDescription] + "…", arguments);
    }

    /// <summary>The session, new when there is none that is open, and one use of it.</summary>
    private async Task<McpSession> ConnectAsync(CancellationToken cancel)
    {
        await _connecting.WaitAsync(cancel);
        try
        {
            McpSession? over;
            lock (_lock)
            {
                if (_session is { Client.Completion.IsCompleted: false } open)
                {
                    open.Uses++;
                    return open;
                }

                over = Detach();
            }

            _ = EndAsync(over);
            var made = new McpSession(await OpenAsync(cancel)) { Uses = 1 };
            lock (_lock)
            {
                return _session = made;
            }
        }
        finally
        {
            _connecting.Release();
        }
    }

    private async Task<McpClient> OpenAsync(CancellationToken cancel)
    {
        var transport = new HttpClientTransport(
            new HttpClientTransportOptions
            {
                Endpoint = url,
                TransportMode = HttpTransportMode.StreamableHttp,
                AdditionalHeaders = headers,
                MaxReconnectionAttempts = 2,
            },
            new HttpClient(new McpSessionHandler(guard.CreateHandler(MostReplyBytes)), disposeHandler: true) { Timeout = Timeout.InfiniteTimeSpan },
            loggerFactory: null, ownsHttpClient: true);
        try
        {
            return await McpClient.CreateAsync(transport, Options(), loggerFactory: null, cancel);
        }
        catch
        {
            await transport.DisposeAsync();
            throw;
        }
    }

    private McpClientOptions Options() => new()
    {
        ClientInfo = new Implementation { Name = "gateway", Version = "0.1" },
        InitializationTimeout = longestListing,
        DiscoverProbeTimeout = TimeSpan.FromSeconds(2),
        Handlers = new McpClientHandlers
        {
            NotificationHandlers = [new(NotificationMethods.ToolListChangedNotification, OnListChangedAsync)],
        },
    };

    private ValueTask OnListChangedAsync(JsonRpcNotification notification, CancellationToken cancel)
    {
        lock (_lock)
        {
            _isChanged = true;
        }

        return ValueTask.CompletedTask;
    }
}
