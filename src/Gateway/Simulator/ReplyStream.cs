namespace Gateway.Simulator;

/// <summary>Streams an answer, and lets it go wrong where the trouble says.</summary>
/// <param name="trouble">What is due of it.</param>
internal sealed class ReplyStream(Exchange exchange, ChunkWriter chunks, Trouble trouble)
{
    /// <summary>Sends the role of each choice, if it is a chat.</summary>
    public bool IsChat { get; init; }

    public bool IsLegacy { get; init; }

    /// <summary>Sent before [DONE] when not null.</summary>
    public Usage? Usage { get; init; }

    /// <summary>Makes the <c>logprobs</c> of a piece. Null: they are null.</summary>
    public Func<string, byte[]>? Logprobs { get; init; }

    public async Task RunAsync(List<Reply> replies)
    {
        if (trouble.Break is { After: Break.Start, Kind: BreakKind.Cut })
        {
            await exchange.AbortAsync();
            return;
        }

        await StartAsync(replies);
        var sent = 0;
        var isBroken = trouble.Break?.After <= 0 && await BreakAsync();
        foreach (var (choice, piece) in Pieces.Interleave(replies.ConvertAll(Pieces.Of)))
        {
            if (isBroken)
            {
                return;
            }

            Add(choice, piece, replies[choice]);
            sent++;
            if (trouble.Pace > TimeSpan.Zero)
            {
                await FlushAsync();
                await WaitAsync(trouble.Pace);
            }
            else if (chunks.IsFull)
            {
                await FlushAsync();
            }

            isBroken = trouble.Break?.After == sent && await BreakAsync();
        }

        if (!isBroken)
        {
            await EndAsync(replies, trouble.Break?.After > sent);
        }
    }

    private async Task StartAsync(List<Reply> replies)
    {
        var response = exchange.Http.Response;
        response.ContentType = "text/event-stream; charset=utf-8";
        response.Headers.CacheControl = "no-cache";
        if (trouble.Break?.After < 0)
        {
            await response.StartAsync(exchange.Gone);
            await response.BodyWriter.FlushAsync(exchange.Gone);
            return;
        }

        for (var i = 0; IsChat && i < replies.Count; i++)
        {
            chunks.Delta(i, replies[i].Text is null
                ? "{\"role\":\"assistant\",\"content\":null,\"refusal\":null}"u8
                : "{\"role\":\"assistant\",\"content\":\"\",\"refusal\":null}"u8);
        }

        if (trouble.FirstContent > TimeSpan.Zero)
        {
            await FlushAsync();
            await WaitAsync(trouble.FirstContent);
        }
    }

    private void Add(int choice, Piece piece, Reply reply)
    {
        if (piece.Kind == PieceKind.Text)
        {
            chunks.Text(choice, piece.Span, Logprobs is null ? "null"u8 : Logprobs(piece.Span.ToString()));
        }
        else
        {
            chunks.Delta(choice, Pieces.Delta(piece, reply, IsLegacy));
        }
    }

    private async Task EndAsync(List<Reply> replies, bool breaksAfterFinish)
    {
        for (var i = 0; i < replies.Count; i++)
        {
            chunks.Finish(i, replies[i].FinishReason);
        }

        if (breaksAfterFinish && await BreakAsync())
        {
            return;
        }

        if (Usage is { } usage)
        {
            chunks.Usage(usage);
        }

        if (!trouble.HasNoDone)
        {
            chunks.Done();
        }

        await FlushAsync();
    }

    /// <returns>Whether the stream is over. A stall that ends and a malformed chunk leave it going on.</returns>
    private async Task<bool> BreakAsync()
    {
        switch (trouble.Break!.Kind)
        {
            case BreakKind.Malformed:
                chunks.Malformed();
                return false;
            case BreakKind.Stall:
                await FlushAsync();
                await WaitAsync(trouble.StallFor);
                return false;
            case BreakKind.Cut:
                await FlushAsync();
                await exchange.AbortAsync();
                return true;
            case BreakKind.ErrorEvent:
                chunks.Error(Exchange.Simulated(StatusCodes.Status500InternalServerError, trouble).Envelope());
                await FlushAsync();
                return true;
            default:
                await FlushAsync();
                return true;
        }
    }

    /// <summary>Waits, sending comments meanwhile if asked to.</summary>
    private async Task WaitAsync(TimeSpan wait)
    {
        if (trouble.Ping <= TimeSpan.Zero)
        {
            await exchange.WaitAsync(wait);
            return;
        }

        var isEndless = wait == Timeout.InfiniteTimeSpan;
        while (isEndless || wait > TimeSpan.Zero)
        {
            var step = isEndless || trouble.Ping < wait ? trouble.Ping : wait;
            await exchange.WaitAsync(step);
            wait = isEndless ? wait : wait - step;
            if (isEndless || wait > TimeSpan.Zero)
            {
                chunks.Ping();
                await FlushAsync();
            }
        }
    }

    private async Task FlushAsync()
    {
        await exchange.Http.Response.BodyWriter.WriteAsync(chunks.Pending, exchange.Gone);
        chunks.Clear();
    }
}
