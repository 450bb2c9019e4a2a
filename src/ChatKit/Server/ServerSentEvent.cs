using System.Runtime.CompilerServices;

namespace ChatKit;

/// <summary>The framing of a stream: one line of data per event, ended by an empty line.</summary>
internal static class ServerSentEvent
{
    private static readonly byte[] Ping = ": ping\n\n"u8.ToArray();

    /// <summary>An event in the form for clients. JSON escapes line ends, so that one line is always enough.</summary>
    /// <exception cref="NotSupportedException">It holds a hidden item.</exception>
    public static ReadOnlyMemory<byte> Of(StreamEvent streamEvent)
    {
        var json = ChatKitJson.ToWire(streamEvent);
        var prefix = "data: "u8;
        var bytes = new byte[prefix.Length + json.Length + 2];
        prefix.CopyTo(bytes);
        json.CopyTo(bytes, prefix.Length);
        bytes[^2] = bytes[^1] = (byte)'\n';
        return bytes;
    }

    /// <summary>Adds a comment wherever nothing came for that long.</summary>
    public static async IAsyncEnumerable<ReadOnlyMemory<byte>> WithKeepAlive(
        IAsyncEnumerable<ReadOnlyMemory<byte>> events, TimeSpan silence, TimeProvider clock, [EnumeratorCancellation] CancellationToken cancel = default)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var inner = events.GetAsyncEnumerator(stop.Token);
        var moving = Task.FromResult(true);
        try
        {
            while (true)
            {
                moving = inner.MoveNextAsync().AsTask();
                while (!await IsDoneWithinAsync(moving, silence, clock))
                {
                    yield return Ping;
                }

                if (!await moving)
                {
                    yield break;
                }

                yield return inner.Current;
            }
        }
        finally
        {
            // The reader may leave while the next event is waited for: an enumerator must not be disposed then.
            await stop.CancelAsync();
            await ((Task)moving).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await inner.DisposeAsync();
        }
    }

    private static async Task<bool> IsDoneWithinAsync(Task task, TimeSpan limit, TimeProvider clock)
    {
        if (!task.IsCompleted)
        {
            using var enough = new CancellationTokenSource();
            await Task.WhenAny(task, Task.Delay(limit, clock, enough.Token));
            await enough.CancelAsync();
        }

        return task.IsCompleted;
    }
}
