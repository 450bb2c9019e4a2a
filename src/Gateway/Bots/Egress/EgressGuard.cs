using System.Net;
using System.Net.Sockets;
using System.Text;
using Gateway.Observability;

namespace Gateway.Bots.Egress;

/// <summary>Looks up a name's addresses, as <see cref="Dns.GetHostAddressesAsync(string, CancellationToken)"/> does.</summary>
internal delegate Task<IPAddress[]> ResolveName(string host, CancellationToken cancel);

/// <summary>
/// The one way out for bots: abilities, MCP clients, page reading and search. It resolves a name once and connects to what
/// it judged, so that a second look-up cannot lead elsewhere. Safe for concurrent use.
/// </summary>
internal sealed class EgressGuard(OutsideSettings outside, ResolveName resolve, ILogger<EgressGuard> log) : IDisposable
{
    private const int MostRedirects = 5;

    private static readonly TimeSpan LongestConnect = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private (EgressAllow Allow, HttpMessageInvoker Invoker)? _current;

    /// <summary>Sends a request, follows its redirects, and reads the reply's body within its limits.</summary>
    /// <exception cref="EgressException">There is no reply; says why, for the model.</exception>
    /// <exception cref="OperationCanceledException">The caller left, or the time of more than this request is over.</exception>
    public async Task<EgressReply> SendAsync(EgressRequest request, CancellationToken cancel)
    {
        using var limit = new CancellationTokenSource(request.Timeout);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, limit.Token);
        try
        {
            var (response, url) = await FollowAsync(request, either.Token);
            using (response)
            {
                await using var stream = await response.Content.ReadAsStreamAsync(either.Token);
                var (body, isCut) = await BoundedBody.ReadAsync(stream, request.MaxBytes, either.Token);
                var type = response.Content.Headers.ContentType;
                return new EgressReply(
                    (int)response.StatusCode, response.ReasonPhrase ?? "", url, type?.MediaType?.ToLowerInvariant() ?? "",
                    type?.CharSet?.Trim('"', '\''), body, isCut);
            }
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancel.IsCancellationRequested)
        {
            throw new EgressException(EgressProblem.TimedOut, $"No whole reply came within {request.Timeout.TotalSeconds:0.#} s.");
        }
        catch (Exception broken) when (broken is IOException or InvalidDataException or HttpRequestException)
        {
            throw new EgressException(EgressProblem.Broken, "The reply broke off or could not be read.", broken);
        }
    }

    /// <summary>The guard for a client of its own, which follows redirects within the same place alone.</summary>
    /// <param name="mostBytes">Most of one reply's body.</param>
    public HttpMessageHandler CreateHandler(long mostBytes) => new EgressHandler(SendOnceAsync, mostBytes);

    public void Dispose() => _current?.Invoker.Dispose();

    private async Task<(HttpResponseMessage Response, Uri Url)> FollowAsync(EgressRequest request, CancellationToken cancel)
    {
        for (var followed = 0; ; followed++)
        {
            using var message = request.ToMessage();
            var response = await SendOnceAsync(message, cancel);
            if ((int)response.StatusCode is not (301 or 302 or 303 or 307 or 308) || LocationOf(response) is not { } location)
            {
                return (response, request.Url);
            }

            response.Dispose();
            if (followed == MostRedirects)
            {
                throw new EgressException(EgressProblem.Broken, $"It was redirected more than {MostRedirects} times.");
            }

            request = request.Redirected((int)response.StatusCode, ReadUrl(location, request.Url));
        }
    }

    /// <summary>As sent, before anything could have normalized it.</summary>
    private static string? LocationOf(HttpResponseMessage response) =>
        response.Headers.NonValidated.TryGetValues("Location", out var values) ? values.ToString() : null;

    private Uri ReadUrl(string location, Uri from)
    {
        try
        {
            return EgressUrl.Read(location, from);
        }
        catch (EgressException refused)
        {
            log.EgressRefused(refused.Message);
            throw;
        }
    }

    private async Task<HttpResponseMessage> SendOnceAsync(HttpRequestMessage message, CancellationToken cancel)
    {
        try
        {
            EgressUrl.Check(message.RequestUri!);
            if (!message.Headers.NonValidated.Contains("User-Agent"))
            {
                message.Headers.TryAddWithoutValidation("User-Agent", "Gateway/0.1");
            }

            return await Invoker().SendAsync(message, cancel);
        }
        catch (HttpRequestException failed) when (failed.InnerException is EgressException refused)
        {
            log.EgressRefused(refused.Message);
            throw new EgressException(refused.Problem, refused.Message, failed);
        }
        catch (EgressException refused)
        {
            log.EgressRefused(refused.Message);
            throw;
        }
        catch (HttpRequestException failed)
        {
            throw new EgressException(EgressProblem.Unreachable, Why(failed), failed);
        }
        catch (OperationCanceledException slow) when (!cancel.IsCancellationRequested)
        {
            throw new EgressException(EgressProblem.TimedOut, "No connection could be made in time.", slow);
        }
    }

    private static string Why(HttpRequestException failed) => failed.HttpRequestError switch
    {
        HttpRequestError.NameResolutionError => "The host name could not be found.",
        HttpRequestError.SecureConnectionError => "No secure connection could be made: the server's certificate or TLS is not accepted.",
        HttpRequestError.ConnectionError => "No connection could be made.",
        _ => "The server did not answer as HTTP servers do.",
    };

    /// <summary>Connections are those of one list: what is no longer on it has no way that is open already.</summary>
    private HttpMessageInvoker Invoker()
    {
        var allow = outside.Current.Allow;
        lock (_lock)
        {
            if (_current?.Allow != allow)
            {
                // The one before is left to the requests that it still serves; its idle connections close by themselves.
                _current = (allow, Create(allow));
            }

            return _current!.Value.Invoker;
        }
    }

    private HttpMessageInvoker Create(EgressAllow allow) => new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.All,
        UseCookies = false,
        UseProxy = false,
        ConnectTimeout = LongestConnect,
        PooledConnectionLifetime = TimeSpan.FromMinutes(2),
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
        MaxResponseHeadersLength = 64,
        ActivityHeadersPropagator = null,
        ResponseDrainTimeout = TimeSpan.Zero,
        RequestHeaderEncodingSelector = static (_, _) => Encoding.UTF8,
        ConnectCallback = (context, cancel) => ConnectAsync(allow, context.DnsEndPoint, cancel),
    });

    private async ValueTask<Stream> ConnectAsync(EgressAllow allow, DnsEndPoint to, CancellationToken cancel)
    {
        SocketException? last = null;
        foreach (var address in await JudgeAsync(allow, to.Host, cancel))
        {
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(new IPEndPoint(address, to.Port), cancel);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (SocketException failed)
            {
                socket.Dispose();
                last = failed;
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }

        throw new EgressException(EgressProblem.Unreachable, "No connection could be made.", last);
    }

    /// <summary>The addresses that a host has and bots may reach. Of a host that has both kinds, the allowed ones.</summary>
    private async Task<List<IPAddress>> JudgeAsync(EgressAllow allow, string host, CancellationToken cancel)
    {
        IPAddress[] addresses;
        try
        {
            addresses = IPAddress.TryParse(host, out var literal) ? [literal] : await resolve(host, cancel);
        }
        catch (Exception unknown) when (unknown is SocketException or ArgumentException)
        {
            throw new EgressException(EgressProblem.Unreachable, "The host name could not be found.", unknown);
        }

        var allowed = addresses.Where(address => allow.Allows(host, address)).ToList();
        if (allowed.Count == 0)
        {
            throw addresses.Length == 0
                ? new EgressException(EgressProblem.Unreachable, "The host name could not be found.")
                : new EgressException(
                    EgressProblem.Refused, $"This request is not allowed: its host is {AddressRules.Of(addresses[0]).What}, which bots may not reach.");
        }

        return allowed;
    }
}
