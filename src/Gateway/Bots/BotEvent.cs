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
    /// <param name="Id">Once only, with the first piece that has it, as is the name. Neither is ever empty.</param>
    /// <param name="Type"><c>function</c> or <c>custom</c>, with the first piece only.</param>
    internal sealed record CallerToolCall(int Index, string? Id, string? Type, string? Name, string? Arguments) : BotEvent;

    /// <summary>The answer refers to a source.</summary>
    /// <param name="Start">Where the mark begins in the whole text of the answer so far, in UTF-16 units.</param>
    /// <param name="End">Behind the mark.</param>
    internal sealed record Cited(int Start, int End, Citation Source) : BotEvent;

    /// <summary>One of the bot's own tools begins to run.</summary>
    /// <param name="Step">The step that called it, from 1.</param>
    /// <param name="Call">From 1, over the whole turn; the same when it ends.</param>
    /// <param name="Kind">What the tool is, for doors that show it in words of their own.</param>
    internal sealed record ToolStarted(int Step, int Call, string Tool, ToolKind Kind) : BotEvent;

    /// <summary>One of the bot's own tools has run.</summary>
    internal sealed record ToolDone(int Step, int Call, string Tool, bool IsFailure, TimeSpan Duration) : BotEvent;

    /// <summary>The answer is whole.</summary>
    /// <param name="Reason">OpenAI's <c>finish_reason</c>, or an upstream's word for which OpenAI has none.</param>
    /// <param name="Usage">Summed over the turn's steps; null when an upstream did not say.</param>
    internal sealed record Finished(string Reason, TokenUsage? Usage) : BotEvent
    {
        /// <summary>This, or the failure that its reason tells of.</summary>
        /// <param name="selector">The bot's selector, for messages.</param>
        public BotEvent Checked(string selector) => Reason switch
        {
            "stop" or "length" or "tool_calls" or "content_filter" => this,
            "error" or "network_error" or "insufficient_system_resource" or "abort" or "aborted" or "cancelled" or "canceled" =>
                new Failed(ApiError.UpstreamBroke(selector)),
            // Clients know OpenAI's words alone, and each of them claims something. Of a word whose meaning nobody here
            // knows none can be claimed: a loud failure can be mended by adding the word, half an answer shown as whole
            // is not even noticed.
            _ => new Failed(ApiError.UpstreamMalformed(selector, $"its finish_reason is unknown: '{Shown(Reason)}'")),
        };

        private static string Shown(string reason) =>
            string.Concat(reason.Take(40).Select(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.' or ' ' ? c : '?'));
    }

    /// <summary>There is no whole answer, whatever was sent so far.</summary>
    internal sealed record Failed(ApiError Error) : BotEvent;
}
