using System.IO.Pipelines;

namespace Gateway.Benchmarks.Load;

/// <summary>
/// Writes streams of one event every 20 ms, all of them from one thread: a timer for each would cost more than the writing.
/// A wheel of 1 ms steps; a stream stays in the step that it began in.
/// </summary>
internal sealed class PacedStreams
{
    private static readonly int Steps = (int)BenchModel.Pace.TotalMilliseconds;

    private readonly List<PacedStream>[] _wheel = [.. Enumerable.Range(0, Steps).Select(_ => new List<PacedStream>())];
    // Not a Lock: the thread waits on it while there is no stream.
    private readonly object _lock = new();
    private long _step;
    private long _chunks;
    private int _open;

    public PacedStreams() => new Thread(Turn) { IsBackground = true, Name = "paced streams" }.Start();

    /// <summary>Chunks with text that were written.</summary>
    public long Chunks => Interlocked.Read(ref _chunks);

    public int Open => Volatile.Read(ref _open);

    /// <summary>Writes the role and the first chunk at once, and then one event every 20 ms.</summary>
    /// <exception cref="OperationCanceledException">The receiver left.</exception>
    public async Task WriteAsync(PipeWriter writer, UpstreamEvents events, CancellationToken cancel)
    {
        await writer.WriteAsync((byte[])[.. events.All[0], .. events.All[1]], cancel);
        var stream = new PacedStream(writer, events, cancel);
        lock (_lock)
        {
            _wheel[_step % Steps].Add(stream);
            _open++;
            _chunks++;
            Monitor.Pulse(_lock);
        }

        await stream.End;
    }

    private void Turn()
    {
        while (true)
        {
            lock (_lock)
            {
                while (_open == 0)
                {
                    Monitor.Wait(_lock);
                }
            }

            // Late, it catches up without a pause.
            for (var due = LoadClock.Now; Open > 0; due += LoadClock.Millisecond)
            {
                if (due > LoadClock.Now)
                {
                    Thread.Sleep(1);
                }

                lock (_lock)
                {
                    Step();
                }
            }
        }
    }

    private void Step()
    {
        var streams = _wheel[++_step % Steps];
        for (var i = streams.Count - 1; i >= 0; i--)
        {
            _chunks += streams[i].WriteNext();
            if (streams[i].IsOver)
            {
                streams.RemoveAt(i);
                _open--;
            }
        }
    }

    private sealed class PacedStream(PipeWriter writer, UpstreamEvents events, CancellationToken cancel)
    {
        private readonly TaskCompletionSource _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private Task _flush = Task.CompletedTask;
        private int _due = 2;
        private int _next = 2;

        public Task End => _end.Task;

        public bool IsOver { get; private set; }

        /// <summary>Writes what is due, unless the receiver has not taken what was written before.</summary>
        /// <returns>How many of the events have text.</returns>
        public int WriteNext()
        {
            _due = Math.Min(_due + 1, events.All.Length);
            var chunks = 0;
            try
            {
                cancel.ThrowIfCancellationRequested();
                while (_next < _due && _flush.IsCompleted)
                {
                    var flush = writer.WriteAsync(events.All[_next], cancel);
                    _flush = flush.IsCompletedSuccessfully ? Task.CompletedTask : flush.AsTask();
                    chunks += _next++ <= events.Chunks ? 1 : 0;
                }

                if (_next == events.All.Length && _flush.IsCompleted)
                {
                    IsOver = true;
                    _end.SetResult();
                }
            }
            catch (Exception left)
            {
                IsOver = true;
                _end.SetException(left);
            }

            return chunks;
        }
    }
}
