using Gateway.Http;

namespace Gateway.Upstream;

/// <summary>Asks a model, for whoever needs an answer: the fast path, a bot's step, an old route.</summary>
internal sealed class ModelCalls(Attempts attempts, UpstreamClient client, TimeProvider clock, ILogger<Rescue> log)
{
    /// <summary>Asks until a stream has content.</summary>
    /// <exception cref="OperationCanceledException">The caller left.</exception>
    public async Task<(UpstreamStream? Stream, ApiError? Error)> OpenAsync(UpstreamCall call, CancellationToken cancel)
    {
        var trail = call.Trail = new AttemptTrail(call.Route, call.Usage, call.PromptTokens, clock, cancel) { Step = call.Step };
        var keepsText = Rescue.IsPossible(call);
        var (stream, failure) = await attempts.RunAsync<AttemptStream>(
            trail, attempts.Candidates(call.Route), attempt => AttemptStream.OpenAsync(client, call, attempt, keepsText));
        return stream is null
            ? (null, failure?.Error ?? attempts.Unavailable(call.Route))
            : (new UpstreamStream(call, stream, new Rescue(attempts, client, trail, log)), null);
    }

    /// <summary>Asks until a reply is there whole.</summary>
    /// <exception cref="OperationCanceledException">The caller left.</exception>
    public async Task<(PlainReply? Reply, ApiError? Error)> SendAsync(UpstreamCall call, CancellationToken cancel)
    {
        var trail = call.Trail = new AttemptTrail(call.Route, call.Usage, call.PromptTokens, clock, cancel) { Step = call.Step };
        var (reply, failure) = await attempts.RunAsync<PlainReply>(
            trail, attempts.Candidates(call.Route), attempt => PlainReply.SendAsync(client, call, attempt));
        return (reply, reply is null ? failure?.Error ?? attempts.Unavailable(call.Route) : null);
    }
}
