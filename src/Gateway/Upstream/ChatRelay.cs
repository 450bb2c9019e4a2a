using System.Buffers;
using Gateway.Http;

namespace Gateway.Upstream;

/// <summary>Makes other data in place of an event's; null leaves the event as it is.</summary>
internal delegate byte[]? EventRewriter(ReadOnlySpan<byte> data);

/// <summary>
/// Passes an upstream's stream on to the caller: every event and byte unaltered, except that a usage chunk which the
/// caller did not ask for is taken out and a missing <c>[DONE]</c> is added.
/// </summary>
internal sealed class ChatRelay(ModelCalls models)
{
    private static readonly byte[] Done = [.. "data: [DONE]\n\n"u8];
    private static readonly byte[] BlankLine = [.. "\n\n"u8];

    /// <summary>Runs a streamed call to its end, which is one of the two truthful ones.</summary>
    /// <param name="rewrite">Makes other events of the upstream's, for callers who speak an older form; null: as they are.</param>
    /// <param name="beforeHeaders">Sets headers that are known when the upstream has answered; see <see cref="EventStreamResponse.BeforeHeaders"/>.</param>
    /// <exception cref="OperationCanceledException">The caller left.</exception>
    public async Task RunAsync(
        UpstreamCall call, EventStreamResponse caller, RequestFacts facts, EventRewriter? rewrite, Action beforeHeaders,
        CancellationToken cancel)
    {
        caller.BeforeHeaders = beforeHeaders;
        var (stream, error) = await models.OpenAsync(call, cancel);
        facts.Deployment = call.Trail!.LastDeployment;

        if (stream is null)
        {
            await caller.FailAsync(error!);
            return;
        }

        await using (stream)
        {
            call.Usage.SawContent();
            await CopyAsync(call, stream, caller, rewrite, cancel);
            facts.Deployment = call.Trail!.LastDeployment;
        }
    }

    private static async Task CopyAsync(
        UpstreamCall call, UpstreamStream stream, EventStreamResponse caller, EventRewriter? rewrite, CancellationToken cancel)
    {
        // What cannot go out straight from the buffer, since something before it was taken out or rewritten.
        ArrayBufferWriter<byte>? aside = null;
        bool hasMore;
        do
        {
            var buffer = stream.Buffer;
            var sendEnd = Gather(call, stream, rewrite, ref aside);
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

            // The one place where a stream waits for its chunks: a wait of its own for each of them would have to be kept somewhere.
            hasMore = false;
            if (stream.BeginRead() is { } attempt)
            {
                try
                {
                    await attempt.WaitAsync();
                    hasMore = attempt.Took(await attempt.FillAsync());
                }
                catch (Exception broken) when (attempt.Broke(broken))
                {
                    hasMore = false;
                }
            }
        }
        while (hasMore || await stream.CarryOnAsync());

        if (stream.Error is { } error)
        {
            await caller.FailAsync(error);
            return;
        }

        if (stream.Buffer.LacksBlankLine && !stream.IsRewritten)
        {
            await caller.WriteAsync(BlankLine, cancel);
        }

        if (!stream.IsDone)
        {
            await caller.WriteAsync(Done, cancel);
        }
    }

    /// <summary>Finds what is to go out of all that has arrived.</summary>
    /// <param name="aside">Takes what cannot go out as it stands, and goes before the rest; null until there was any.</param>
    /// <returns>The end of what goes out straight from the buffer, from its start.</returns>
    private static int Gather(UpstreamCall call, UpstreamStream stream, EventRewriter? rewrite, ref ArrayBufferWriter<byte>? aside)
    {
        var buffer = stream.Buffer;
        // [Start, sendEnd) goes out in one piece: everything that has arrived, in most rounds.
        var sendEnd = buffer.Start;
        while (stream.TryNext(out var kind))
        {
            var isTakenOut = kind == EventKind.UsageOnly && !call.WantsUsage;
            if (!isTakenOut && rewrite is null && !stream.IsRewritten)
            {
                sendEnd = buffer.EventEnd;
                continue;
            }

            aside ??= new ArrayBufferWriter<byte>();
            // Of a stream that carries on, events that are not passed on have left the buffer already.
            if (sendEnd > buffer.Start)
            {
                aside.Write(buffer.Bytes(buffer.Start, sendEnd).Span);
            }

            if (!isTakenOut)
            {
                Rewrite(stream, rewrite, aside);
            }

            buffer.Release(sendEnd = buffer.EventEnd);
        }

        return sendEnd;
    }

    private static void Rewrite(UpstreamStream stream, EventRewriter? rewrite, ArrayBufferWriter<byte> aside)
    {
        var buffer = stream.Buffer;
        var data = buffer.HasData ? rewrite?.Invoke(stream.Data) : null;
        if (data is not null || stream.IsRewritten)
        {
            aside.Write("data: "u8);
            aside.Write(data ?? stream.Data);
            aside.Write("\n\n"u8);
            return;
        }

        aside.Write(buffer.Bytes(buffer.EventStart, buffer.EventEnd).Span);
    }
}
