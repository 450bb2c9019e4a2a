namespace Gateway.Benchmarks.Load;

/// <summary>A closed loop of streamed replies, of which every chunk is read: paced ones for their times, unpaced ones for their number.</summary>
internal sealed class StreamsRun(LoadOptions options, bool isPaced) : LoadRun(options, isStream: true)
{
    private readonly LatencyHistogram _firstChunk = new();
    private readonly LatencyHistogram _gap = new();
    private readonly int _chunksEach = options.Expected.Chunks;
    private int _opened;
    private long _streams;
    private long _chunks;
    private long _lost;
    private long _doubled;
    private long _reordered;

    protected override long WakeAt => _opened < Connections.Count ? OpensAt(_opened) : Until;

    protected override void OnTime(long now)
    {
        while (_opened < Connections.Count && OpensAt(_opened) <= now)
        {
            _opened++;
        }

        for (var i = 0; i < _opened; i++)
        {
            if (!Connections[i].IsBusy)
            {
                Send(Connections[i], LoadClock.Now);
            }
        }
    }

    protected override void Received(LoadConnection connection, long now)
    {
        if (connection.Reply.Status != 200)
        {
            return;
        }

        connection.Reply.Drop(connection.Stream.Read(connection.Reply.Body, out var chunks));
        if (chunks > 0)
        {
            if (IsMeasured(now))
            {
                _chunks += chunks;
                Time(connection, chunks, now);
            }

            connection.LastChunkAt = now;
        }
    }

    protected override void Answered(LoadConnection connection, long now)
    {
        if (connection.Reply.Status != 200)
        {
            Note(Describe(connection.Reply));
            return;
        }

        var stream = connection.Stream;
        if (stream.HasFailed || !stream.IsFinished || !stream.IsDone)
        {
            Note($"a stream ended after {stream.Order.Seen} chunks {(stream.HasFailed ? "with an error" : "without its end")}");
        }

        stream.Order.End(_chunksEach);
        Count(stream.Order);
        _streams += IsMeasured(now) ? 1 : 0;
    }

    protected override LoadFigures Complete(LoadFigures figures)
    {
        foreach (var connection in Connections.Where(c => c.IsBusy))
        {
            Count(connection.Stream.Order);
            var silence = LoadClock.Now - connection.LastChunkAt;
            if (connection.LastChunkAt > 0 && silence > BenchModel.Pace.TotalNanoseconds)
            {
                _gap.Add(silence);
            }
        }

        return figures with
        {
            Streams = _streams,
            Chunks = _chunks,
            ChunksPerSecond = _chunks / Options.Seconds,
            Lost = _lost,
            Doubled = _doubled,
            Reordered = _reordered,
            FirstChunk = _firstChunk.ToFigures(),
            Gap = isPaced ? _gap.ToFigures() : null,
        };
    }

    /// <summary>Chunks that came together have no gap between them.</summary>
    private void Time(LoadConnection connection, int chunks, long now)
    {
        if (connection.LastChunkAt > 0)
        {
            _gap.Add(now - connection.LastChunkAt);
        }
        else if (connection.Since >= MeasuredFrom)
        {
            _firstChunk.Add(now - connection.Since);
        }

        for (var together = 1; together < chunks && isPaced; together++)
        {
            _gap.Add(0);
        }
    }

    private void Count(ChunkOrder order)
    {
        _lost += order.Lost;
        _doubled += order.Doubled;
        _reordered += order.Reordered;
    }

    /// <summary>
    /// Paced streams open one after the other over the length of one, in at most the warm-up or a second: opened together they
    /// would stay together, and each of their times would be that of a burst.
    /// </summary>
    private long OpensAt(int connection)
    {
        var most = Options.WarmUpSeconds > 0 ? Options.WarmUpSeconds : 1;
        var spread = isPaced ? Math.Min(most, _chunksEach * BenchModel.Pace.TotalSeconds) : 0;
        return Began + (LoadClock.Seconds(spread) * connection / Connections.Count);
    }
}
