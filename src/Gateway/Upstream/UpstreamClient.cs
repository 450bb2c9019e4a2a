using System.Text;
using Gateway.Http;
using Gateway.Observability;

namespace Gateway.Upstream;

/// <summary>
/// Sends a call to a deployment. This is the one place where an attempt is made, for models and bots, streams and plain
/// replies: choosing among deployments and trying again belong here.
/// </summary>
internal sealed class UpstreamClient(
    Transport transport, Adjustments adjustments, TimeProvider clock, ILogger<UpstreamClient> log)
{
    private const int MostResends = 4;
    private const int MaxErrorBytes = 256 * 1024;
    private static readonly TimeSpan LongestErrorRead = TimeSpan.FromSeconds(2);

    private const string UserAgent = "gateway/0.1";

    /// <summary>An attempt's outcome: a reply that has begun with status 200, or a refusal.</summary>
    internal readonly record struct Opened(HttpResponseMessage? Response, ApiError? Error, string Deployment);

    public AttemptClock NewClock(UpstreamCall call, CancellationToken cancel) =>
        new(call.Route.Model.Timeouts.Total, clock, cancel);

    /// <summary>
    /// Sends until the upstream's headers are there. A parameter that the upstream says it does not take is left out and
    /// the call sent again, up to four times; that is not another attempt.
    /// </summary>
    /// <exception cref="OperationCanceledException">The caller left.</exception>
    public async Task<Opened> OpenAsync(UpstreamCall call, AttemptClock limits)
    {
        var route = call.Route;
        if (route.Model.Deployments.Count == 0)
        {
            return new(null, ApiError.UpstreamUnavailable(route.Selector), "");
        }

        var deployment = route.Model.Deployments[0];
        var label = $"{deployment.Provider.Name}/{deployment.UpstreamModel ?? route.Name}";
        try
        {
            for (var resends = 0; ; resends++)
            {
                var opened = await SendAsync(call, deployment, limits, label, mayResend: resends < MostResends);
                if (opened is { } outcome)
                {
                    return outcome;
                }
            }
        }
        catch (Exception broken) when (limits.Explain(broken, route.Selector, began: false) is { } error)
        {
            log.UpstreamUnreachable(label, TransportFailure.Describe(broken), error.Code);
            return new(null, error, label);
        }
    }

    /// <summary>Sends once. Null: it is worth sending again, without what the upstream does not take.</summary>
    private async Task<Opened?> SendAsync(
        UpstreamCall call, Deployment deployment, AttemptClock limits, string label, bool mayResend)
    {
        var model = call.Route.Model;
        var name = deployment.UpstreamModel ?? call.Route.Name;
        var known = adjustments.Known(deployment.Provider.Name, name);
        var body = UpstreamBody.Build(call, deployment, known);
        using var request = Request(call, deployment.Provider, body);
        HttpResponseMessage? response = null;
        try
        {
            if (call.IsStream)
            {
                limits.Limit("headers", model.Timeouts.Headers);
            }

            response = await transport.For(model.Timeouts.Connect).SendAsync(request, limits.Token);
            if (response.IsSuccessStatusCode)
            {
                await body.Sent.WaitAsync(limits.Token);
                var opened = new Opened(response, null, label);
                response = null;
                return opened;
            }

            var (refusal, length) = await ReadErrorAsync(response, limits);
            if ((int)response.StatusCode == 400 && mayResend
                && Adapt(call, deployment.Provider.Name, name, known, refusal.AsSpan(0, length)))
            {
                return null;
            }

            var error = UpstreamRefusal.Read(response, refusal.AsSpan(0, length), call.Route);
            if (error.Status >= 500)
            {
                log.UpstreamRefused(label, (int)response.StatusCode, Hint((int)response.StatusCode));
            }

            return new Opened(null, error, label);
        }
        finally
        {
            // This ends what may still be on its way to the upstream; the body's buffer is the caller's again after it.
            response?.Dispose();
            await body.Sent;
        }
    }

    /// <summary>What the operator can do about a refusal that is ours to answer for.</summary>
    private static string Hint(int status) => status switch
    {
        401 or 403 => "check the provider's apiKey",
        404 => "check the provider's baseUrl and the deployment's model",
        >= 300 and < 400 => "the provider's baseUrl redirects; set the address it leads to",
        _ => "the provider's own failure",
    };

    private static HttpRequestMessage Request(UpstreamCall call, Provider provider, EditedBody body)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, provider.Url(call.Path))
        {
            Content = body,
            // Over TLS the handshake then offers HTTP/2.
            VersionPolicy = HttpVersionPolicy.RequestVersionOrHigher,
        };
        AddHeaders(request, provider);
        return request;
    }

    /// <summary>The credential and the provider's own headers.</summary>
    public static void AddHeaders(HttpRequestMessage request, Provider provider)
    {
        request.Headers.TryAddWithoutValidation("User-Agent", UserAgent);
        if (provider.Authorization is { } authorization)
        {
            request.Headers.TryAddWithoutValidation("Authorization", authorization.Reveal());
        }

        foreach (var (name, value) in provider.Headers)
        {
            request.Headers.Remove(name);
            request.Headers.TryAddWithoutValidation(name, value);
        }
    }

    /// <summary>Whether sending again without something could help; remembers it for those that follow.</summary>
    private bool Adapt(
        UpstreamCall call, string provider, string model, IReadOnlyCollection<Unsupported>? known, ReadOnlySpan<byte> refusal)
    {
        if (UpstreamRefusal.Unsupported(refusal) is not { } wrong)
        {
            return false;
        }

        var at = call.Body.Find(Encoding.UTF8.GetBytes(wrong.Name));
        var isOptions = wrong.Name == "stream_options";
        var isAdded = isOptions && call.IsStream && !call.WantsUsage;
        var canRename = Adjustments.OtherName(wrong.Name) is not null && !wrong.ByValue;
        if ((at < 0 && !isAdded) || (!Adjustments.IsDroppable(wrong.Name) && !canRename))
        {
            return false;
        }

        // The value of stream_options may be ours and not the caller's; then there is none to compare with.
        var isByValue = wrong.ByValue && !isOptions;
        var unsupported = new Unsupported(
            wrong.Name, isByValue ? Adjustments.ValueOf(call.Body.Value(call.Body.Members[at]).Span) : null);
        if (known?.Contains(unsupported) == true)
        {
            // Left out already, and still refused: no use.
            return false;
        }

        adjustments.Learn(provider, model, unsupported);
        return true;
    }

    /// <summary>
    /// What an upstream says to its refusal, as far as it comes in a few seconds: the status is known already, and must not
    /// be lost in waiting for words.
    /// </summary>
    /// <exception cref="OperationCanceledException">The caller left.</exception>
    public static async Task<(byte[] Bytes, int Length)> ReadErrorAsync(HttpResponseMessage response, AttemptClock limits)
    {
        var bytes = new byte[16 * 1024];
        var length = 0;
        limits.Limit("error body", LongestErrorRead);
        try
        {
            var stream = await response.Content.ReadAsStreamAsync(limits.Token);
            while (length < MaxErrorBytes)
            {
                if (length == bytes.Length)
                {
                    Array.Resize(ref bytes, bytes.Length * 2);
                }

                var read = await stream.ReadAsync(bytes.AsMemory(length), limits.Token);
                if (read == 0)
                {
                    break;
                }

                length += read;
            }

            limits.Stop();
        }
        catch (Exception broken) when (!limits.HasCallerLeft && (broken is OperationCanceledException or IOException or HttpRequestException))
        {
            // What has come is what there is.
        }

        return (bytes, length);
    }
}
