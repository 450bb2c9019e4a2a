using System.Buffers;
using Gateway.Http;

namespace Gateway.Upstream;

/// <summary>Makes other data in place of an event's; null leaves the event as it is.</summary>
internal delegate byte[]? EventRewriter(ReadOnlySpan<byte> data);

/// <summary>
/// Passes an upstream's stream on to the caller: every event and byte unaltered, except that a usage chunk which the
/// caller did not ask for is taken out and a missing <c>[DONE]</c> is added.
/// </summary>
internal sealed class ChatRelay(UpstreamClient client)
{
    private static readonly byte[] Done = [.. "data: [DONE]\n\n"u8];
    private static readonly byte[] BlankLine = [.. "\n\n"u8];

    /// <summary>Most that is held back while nothing but preamble has come; then it is passed on as it is.</summary>
    private const int MaxHeldBytes = 256 * 1024;

    /// <summary>Runs a streamed call to its end, which is one of the two truthful ones.</summary>
    /// <param name="rewrite">Makes other events of the upstream's, for callers who speak an older form; null: as they are.</param>
    /// <param name="beforeHeaders">Sets headers that are known when the upstream has answered; see <see cref="EventStreamResponse.BeforeHeaders"/>.</param>
    /// <exception cref="OperationCanceledException">The caller left.</exception>
    public async Task RunAsync(
        UpstreamCall call, EventStreamResponse caller, RequestFacts facts, EventRewriter? rewrite, Action beforeHeaders,
        CancellationToken cancel)
    {
        var (stream, error, deployment) = await UpstreamStream.OpenAsync(client, call, cancel);
        facts.Deployment = deployment;
        // Only now is it known what was dropped; a keep-alive may have sent the headers before, then it goes untold.
        caller.BeforeHeaders = beforeHeaders;

        if (stream is null)
        {
            await caller.FailAsync(error!);
            return;
        }

        await using (stream)
        {
            await CopyAsync(call, stream, caller, rewrite, cancel);
            if (stream.Facts.Usage is { } usage)
            {
                (facts.InputTokens, facts.OutputTokens) = (usage.Input, usage.Output);
            }
        }
    }

    private static async Task CopyAsync(
        UpstreamCall call, UpstreamStream stream, EventStreamResponse caller, EventRewriter? rewrite, CancellationToken cancel)
    {
        var buffer = stream.Buffer;
        // What cannot go out straight from the buffer, since something before it was taken out or rewritten.
        ArrayBufferWriter<byte>? aside = null;
        var hasContent = false;
        do
        {
            // [Start, sendEnd) goes out in one piece: everything that has arrived, in most rounds.
            var sendEnd = buffer.Start;
            while (stream.TryNext(out var kind))
            {
                hasContent |= kind is EventKind.Content or EventKind.Done;
                var isTakenOut = kind == EventKind.UsageOnly && !call.WantsUsage;
                if (!isTakenOut && rewrite is null)
                {
                    sendEnd = buffer.EventEnd;
                    continue;
                }

                aside ??= new ArrayBufferWriter<byte>();
                aside.Write(buffer.Bytes(buffer.Start, sendEnd).Span);
                if (!isTakenOut)
                {
                    Rewrite(buffer, rewrite!, aside);
                }

                buffer.Release(sendEnd = buffer.EventEnd);
            }

            // Until there is content nothing is sent, so that a failure can still be a refusal with a status.
            if (!hasContent && sendEnd - buffer.Start < MaxHeldBytes)
            {
                continue;
            }

            if (aside is { WrittenCount: > 0 })
            {
                await caller.WriteAsync(aside.WrittenMemory, cancel);
                aside.ResetWrittenCount();
            }

            if (sendEnd > buffer.Start)
            {
                await caller.WriteAsync(buffer.Bytes(buffer.Start, sendEnd), cancel);
                buffer.Release(sendEnd);
            }
        }
        while (await stream.ReadAsync());

        if (stream.End() is { } error)
        {
            await caller.FailAsync(error);
            return;
        }

        if (buffer.LacksBlankLine)
        {
            await caller.WriteAsync(BlankLine, cancel);
        }

        if (!stream.IsDone)
        {
            await caller.WriteAsync(Done, cancel);
        }
    }

    private static void Rewrite(EventBuffer buffer, EventRewriter rewrite, ArrayBufferWriter<byte> aside)
    {
        if (buffer.HasData && rewrite(buffer.Data) is { } data)
        {
            aside.Write("data: "u8);
            aside.Write(data);
            aside.Write("\n\n"u8);
            return;
        }

        aside.Write(buffer.Bytes(buffer.EventStart, buffer.EventEnd).Span);
    }
}
