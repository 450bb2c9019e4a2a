using System.Text;
using Gateway.Http;
using Gateway.Observability;

namespace Gateway.Upstream;

/// <summary>Sends a call to one deployment; which one, and whether another follows, is <see cref="Attempts"/>' business.</summary>
internal sealed class UpstreamClient(Transport transport, Adjustments adjustments, ILogger<UpstreamClient> log)
{
    private const int MostResends = 4;
    private const int MaxErrorBytes = 256 * 1024;
    private static readonly TimeSpan LongestErrorRead = TimeSpan.FromSeconds(2);

    private const string UserAgent = "gateway/0.1";

    /// <summary>
    /// Sends until the upstream's headers are there. A parameter that the upstream says it does not take is left out and
    /// the call sent again, up to four times; that is not another attempt.
    /// </summary>
    /// <returns>A reply that has begun with status 200, or why there is none.</returns>
    /// <exception cref="OperationCanceledException">The caller left.</exception>
    public async ValueTask<(HttpResponseMessage? Response, AttemptFailure? Failure)> OpenAsync(UpstreamCall call, Attempt attempt)
    {
        var timeouts = attempt.Route.Model.Timeouts;
        var provider = attempt.Deployment.Provider;
        try
        {
            for (var resends = 0; ; resends++)
            {
                var known = adjustments.Known(provider.Name, attempt.Name);
                var body = UpstreamBody.Build(call, attempt.Route, attempt.Deployment, known);
                using var request = Request(call, provider, body);
                attempt.Trace(request, call.Path);
                HttpResponseMessage? response = null;
                try
                {
                    if (call.IsStream)
                    {
                        attempt.Clock.Limit("headers", timeouts.Headers);
                    }

                    response = await transport.For(timeouts.Connect).SendAsync(request, attempt.Clock.Token);
                    if (response.IsSuccessStatusCode)
                    {
                        await body.Sent.WaitAsync(attempt.Clock.Token);
                        var opened = response;
                        response = null;
                        return (opened, null);
                    }

                    if (await ReadRefusalAsync(call, attempt, response, known, mayResend: resends < MostResends) is { } refused)
                    {
                        return (null, refused);
                    }
                }
                finally
                {
                    // This ends what may still be on its way to the upstream; the body's buffer is the caller's again after it.
                    response?.Dispose();
                    await body.Sent;
                }
            }
        }
        catch (Exception broken) when (AttemptFailure.From(broken, attempt.Clock, attempt.Route, began: false) is { } failure)
        {
            log.UpstreamUnreachable(attempt.Label, TransportFailure.Describe(broken), failure.Error.Code);
            return (null, failure);
        }
    }

    /// <summary>Null: it is worth sending again, without what the upstream does not take.</summary>
    private async Task<AttemptFailure?> ReadRefusalAsync(
        UpstreamCall call, Attempt attempt, HttpResponseMessage response, IReadOnlyCollection<Unsupported>? known, bool mayResend)
    {
        var provider = attempt.Deployment.Provider;
        var (refusal, length) = await ReadErrorAsync(response, attempt.Clock);
        return (int)response.StatusCode == 400 && mayResend && !attempt.Clock.HasRunOut
            && Adapt(call, provider.Name, attempt.Name, known, refusal.AsSpan(0, length))
            ? null
            : AttemptFailure.Refused(response, refusal.AsSpan(0, length), attempt.Route, provider);
    }

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
