using Gateway.Data;
using Gateway.Http;
using Gateway.Observability;

namespace Gateway.Upstream;

/// <summary>
/// Finds who carries on when a stream broke after content was sent. One for each call; the attempts before and after the
/// break count together.
/// </summary>
internal sealed class Rescue(Attempts attempts, UpstreamClient client, AttemptTrail trail, ILogger<Rescue> log)
{
    /// <summary>Why the first stream broke, which is what the caller is told if nobody can carry on.</summary>
    public ApiError? Cause { get; private set; }

    /// <summary>Whether a break of this call could be carried on at all, so that its text is worth keeping.</summary>
    public static bool IsPossible(UpstreamCall call)
    {
        var model = call.Route.Model;
        if (model.Rescue == RescueMode.Off || call.Choices != 1 || call.Path != "chat/completions")
        {
            return false;
        }

        if (model.Rescue == RescueMode.Replay)
        {
            return true;
        }

        foreach (var deployment in model.Deployments)
        {
            if (deployment.SupportsPrefill)
            {
                return true;
            }
        }

        foreach (var fallback in call.Route.Fallbacks)
        {
            if (fallback.Model.Deployments.Any(d => d.SupportsPrefill))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Says in the log which deployment broke, whether or not anybody carries on.</summary>
    public void Note(string outcome) => log.StreamBroken(trail.LastDeployment!, outcome, trail.Usage.Subject.RequestId);

    /// <summary>Whether this break may be carried on: plain text alone, and of a failure that is not the caller's own.</summary>
    public bool Allows(UpstreamCall call, AttemptFailure failure, StreamFacts facts) =>
        facts is { Text: not null, HasMoreThanText: false }
        && failure.Kind is FailureKind.Transient or FailureKind.Silent
        && !trail.IsSpent && RescueBody.IsPlainText(call.Body);

    /// <param name="broken">The deployment whose stream broke; it is asked last.</param>
    /// <param name="sent">The text that the caller has.</param>
    /// <param name="sentTokens">About how many tokens that is.</param>
    /// <param name="cause">Why it broke.</param>
    /// <returns>Null when nobody can carry on.</returns>
    public async Task<(AttemptStream? Stream, bool IsReplay)> RunAsync(
        UpstreamCall call, Deployment broken, string sent, int sentTokens, ApiError cause)
    {
        Cause ??= cause;
        // Those that break are asked again, but after all others.
        var candidates = attempts.Candidates(call.Route).OrderBy(c => c.Deployment == broken).ToList();
        if (RescueBody.WithPrefix(call.Body, sent, sentTokens) is { } body)
        {
            var prefilled = call.With(body);
            var (stream, _) = await attempts.RunAsync(
                trail, candidates.FindAll(c => c.Deployment.SupportsPrefill),
                attempt => AttemptStream.OpenAsync(client, prefilled, attempt, keepsText: true), goesOnWhenRefused: true);
            if (stream is AttemptStream prefixed)
            {
                return Done(prefixed, "prefill", isReplay: false);
            }
        }

        if (call.Route.Model.Rescue == RescueMode.Replay)
        {
            var (stream, _) = await attempts.RunAsync(
                trail, candidates, attempt => AttemptStream.OpenAsync(client, call, attempt, keepsText: true));
            if (stream is AttemptStream replayed)
            {
                return Done(replayed, "replay", isReplay: true);
            }
        }

        GatewayMetrics.Rescue(call.Route.Model.Rescue == RescueMode.Replay ? "replay" : "prefill", "failed");
        log.RescueFailed(trail.Route.Model.Name, cause.Code);
        return (null, false);
    }

    private (AttemptStream, bool) Done(AttemptStream stream, string mode, bool isReplay)
    {
        trail.Usage.IsRescued = true;
        GatewayMetrics.Rescue(mode, "ok");
        log.Rescued(trail.Route.Model.Name, mode, trail.LastDeployment!);
        return (stream, isReplay);
    }
}
