using Gateway.Data;
using Gateway.Http;
using Gateway.Usage;

namespace Gateway.Limits;

/// <summary>A request whose use is limited and recorded.</summary>
internal sealed class Metered(Limiter limiter, Caller caller, RequestUsage usage)
{
    public RequestUsage Usage { get; } = usage;

    /// <summary>
    /// Takes what a step may use from the limits of the key, the bot and the workspace, waiting for a free place where one
    /// limits how many run at a time. Called before each step; only the first counts as a request.
    /// </summary>
    /// <param name="bot">The bot's id and limits; null for a model, or a bot without any.</param>
    /// <returns>Why not; null when it may go on.</returns>
    /// <exception cref="OperationCanceledException">The caller left.</exception>
    public ValueTask<ApiError?> ReserveAsync(Need need, (string Id, LimitValues Limits)? bot, CancellationToken cancel) =>
        limiter.ReserveAsync(this, caller, need, bot, cancel);
}
