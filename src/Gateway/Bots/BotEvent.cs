using Gateway.Http;
using Gateway.Upstream;

namespace Gateway.Bots;

/// <summary>
/// Something that happens in a turn, in order. Chat and other doors are translations of these. Exactly one
/// <see cref="Finished"/> or <see cref="Failed"/> comes, last.
/// </summary>
internal abstract record BotEvent
{
    private BotEvent() { }

    /// <summary>A piece of the answer.</summary>
    /// <param name="Logprobs">The upstream's JSON for these tokens, when asked for.</param>
    internal sealed record Text(string Piece, byte[]? Logprobs) : BotEvent;

    /// <summary>A piece of the model's reasoning, where a model shows it.</summary>
    internal sealed record Reasoning(string Piece) : BotEvent;

    /// <summary>A piece of the model's words for not answering.</summary>
    internal sealed record Refusal(string Piece) : BotEvent;

    /// <summary>A call of one of the caller's own tools, or the next piece of its arguments.</summary>
    /// <param name="Index">0, 1, 2… for each call of the turn.</param>
    /// <param name="Id">With the first piece only, as are type and name.</param>
    internal sealed record CallerToolCall(int Index, string? Id, string? Type, string? Name, string? Arguments) : BotEvent;

    /// <summary>The answer is whole.</summary>
    /// <param name="Reason">OpenAI's <c>finish_reason</c>.</param>
    /// <param name="Usage">Summed over the turn's steps; null when an upstream did not say.</param>
    internal sealed record Finished(string Reason, TokenUsage? Usage) : BotEvent;

    /// <summary>There is no whole answer, whatever was sent so far.</summary>
    internal sealed record Failed(ApiError Error) : BotEvent;
}
