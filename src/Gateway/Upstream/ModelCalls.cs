using Gateway.Http;

namespace Gateway.Upstream;

/// <summary>Asks a model, for whoever needs an answer: the fast path, a bot's step, an old route.</summary>
internal sealed class ModelCalls(Attempts attempts, UpstreamClient client, TimeProvider clock, ILogger<Rescue> log)
{
    /// <summary>Asks until a stream has content.</summary>
    /// <exception cref="OperationCanceledException">The caller left.</exception>
    public async Task<(UpstreamStream? Stream, ApiError? Error)> OpenAsync(UpstreamCall call, CancellationToken cancel)
    {
        var trail = Begin(call, cancel);
        var keepsText = Rescue.IsPossible(call);
        var (stream, failure) = await attempts.RunAsync(
            trail, attempts.Candidates(call.Route), attempt => AttemptStream.OpenAsync(client, call, attempt, keepsText));
        return stream is AttemptStream opened
            ? (new UpstreamStream(call, opened, new Rescue(attempts, client, trail, log)), null)
            : (null, Error(call, failure));
    }

    /// <summary>Asks until a reply is there whole.</summary>
    /// <returns>A <see cref="PlainReply"/>, or why there is none, of which <see cref="Error"/> makes what a caller is told.</returns>
    /// <exception cref="OperationCanceledException">The caller left.</exception>
    public ValueTask<AttemptOutcome> SendAsync(UpstreamCall call, CancellationToken cancel) => attempts.RunAsync(
        Begin(call, cancel), attempts.Candidates(call.Route), attempt => PlainReply.SendAsync(client, call, attempt));

    /// <param name="failure">Null: nobody could be asked.</param>
    public ApiError Error(UpstreamCall call, AttemptFailure? failure) => failure?.Error ?? attempts.Unavailable(call.Route);

    private AttemptTrail Begin(UpstreamCall call, CancellationToken cancel) =>
        call.Trail = new AttemptTrail(call.Route, call.Usage, call.PromptTokens, clock, cancel) { Step = call.Step };
}
