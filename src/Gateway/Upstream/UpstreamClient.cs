using System.Text;
using Gateway.Http;

namespace Gateway.Upstream;

/// <summary>
/// Sends a call to a deployment. This is the one place where an attempt is made, for models and bots, streams and plain
/// replies: choosing among deployments and trying again belong here.
/// </summary>
internal sealed class UpstreamClient(Transport transport, Adjustments adjustments, TimeProvider clock)
{
    private const int MostResends = 4;
    private const int MaxErrorBytes = 256 * 1024;

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
        var provider = deployment.Provider;
        var model = deployment.UpstreamModel ?? route.Name;
        var label = $"{provider.Name}/{model}";
        try
        {
            for (var resends = 0; ; resends++)
            {
                var known = adjustments.Known(provider.Name, model);
                using var request = Request(call, deployment, known);
                if (call.IsStream)
                {
                    limits.Limit("headers", route.Model.Timeouts.Headers);
                }

                var response = await transport.For(route.Model.Timeouts.Connect).SendAsync(request, limits.Token);
                if (response.IsSuccessStatusCode)
                {
                    return new(response, null, label);
                }

                using (response)
                {
                    limits.Stop();
                    var (refusal, length) = await ReadErrorAsync(response, limits.Token);
                    if ((int)response.StatusCode == 400 && resends < MostResends
                        && Adapt(call, provider.Name, model, known, refusal.AsSpan(0, length)))
                    {
                        continue;
                    }

                    return new(null, UpstreamRefusal.Read(response, refusal.AsSpan(0, length), route), label);
                }
            }
        }
        catch (Exception broken) when (limits.Explain(broken, route.Selector, began: false) is { } error)
        {
            return new(null, error, label);
        }
    }

    private static HttpRequestMessage Request(UpstreamCall call, Deployment deployment, IReadOnlyCollection<Unsupported>? unsupported)
    {
        var provider = deployment.Provider;
        var request = new HttpRequestMessage(HttpMethod.Post, provider.Url(call.Path))
        {
            Content = UpstreamBody.Build(call, deployment, unsupported),
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

    /// <summary>Reads a refusal's body, as much of it as is worth looking at.</summary>
    public static async Task<(byte[] Bytes, int Length)> ReadErrorAsync(HttpResponseMessage response, CancellationToken cancel)
    {
        var stream = await response.Content.ReadAsStreamAsync(cancel);
        var bytes = new byte[16 * 1024];
        var length = 0;
        while (length < MaxErrorBytes)
        {
            if (length == bytes.Length)
            {
                Array.Resize(ref bytes, bytes.Length * 2);
            }

            var read = await stream.ReadAsync(bytes.AsMemory(length), cancel);
            if (read == 0)
            {
                break;
            }

            length += read;
        }

        return (bytes, length);
    }
}
