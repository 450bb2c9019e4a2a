using System.Net;
using System.Net.Http.Headers;

namespace Gateway.Http;

/// <summary>
/// A request body as the caller sent it, but for a few stretches of bytes. Nothing is copied: the unchanged stretches go
/// out of the buffer that they came in.
/// </summary>
internal sealed class EditedBody : HttpContent
{
    private const int Begun = 1;
    private const int Over = 2;

    /// <summary>Of a large body's end, in bytes: fits what is free of a connection's own buffer of 4 KiB.</summary>
    private const int TailBytes = 1_024;

    /// <summary>From so many bytes on a body's end goes out by itself.</summary>
    private const int LargeBytes = 64 * 1_024;

    private static readonly MediaTypeHeaderValue Json = new("application/json");

    private readonly ReadOnlyMemory<byte> _source;
    private readonly List<(int Start, int End, ReadOnlyMemory<byte> Bytes)> _edits = new(2);
    private TaskCompletionSource? _sent;
    private long _length;
    private int _sending;

    public EditedBody(ReadOnlyMemory<byte> source)
    {
        _source = source;
        _length = source.Length;
        Headers.ContentType = Json;
    }

    /// <summary>
    /// Completes when nothing reads the source any more. Over HTTP/2 an upstream may answer while the body is still on its
    /// way, and the source's buffer must not go to another request before.
    /// </summary>
    public Task Sent => Volatile.Read(ref _sending) == Begun ? UntilSent() : Task.CompletedTask;

    /// <summary>Puts <paramref name="bytes"/> in place of the source's <c>[start, end)</c>. Edits must not overlap.</summary>
    public void Replace(int start, int end, ReadOnlyMemory<byte> bytes)
    {
        var at = _edits.Count;
        while (at > 0 && _edits[at - 1].Start > start)
        {
            at--;
        }

        _edits.Insert(at, (start, end, bytes));
        _length += bytes.Length - (end - start);
    }

    /// <summary>Takes members out of the body, each with one comma.</summary>
    /// <param name="isDropped">By position in the body's members.</param>
    public void Drop(JsonBody body, Func<int, bool> isDropped)
    {
        var members = body.Members;
        var lastKept = members.Length - 1;
        while (lastKept >= 0 && isDropped(lastKept))
        {
            lastKept--;
        }

        for (var i = 0; i < lastKept; i++)
        {
            if (isDropped(i))
            {
                Replace(members[i].NameStart, members[i + 1].NameStart, default);
            }
        }

        if (lastKept < members.Length - 1)
        {
            var start = lastKept >= 0 ? members[lastKept].ValueEnd : members[0].NameStart;
            Replace(start, members[^1].ValueEnd, default);
        }
    }

    /// <summary>The bytes as they will be sent.</summary>
    public byte[] ToArray()
    {
        using var all = new MemoryStream((int)_length);
        SerializeToStream(all, null, CancellationToken.None);
        return all.ToArray();
    }

    protected override void SerializeToStream(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        var at = 0;
        foreach (var (start, end, bytes) in _edits)
        {
            stream.Write(_source.Span[at..start]);
            stream.Write(bytes.Span);
            at = end;
        }

        stream.Write(_source.Span[at..]);
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        Volatile.Write(ref _sending, Begun);
        try
        {
            var at = 0;
            foreach (var (start, end, bytes) in _edits)
            {
                await stream.WriteAsync(_source[at..start], cancellationToken);
                await stream.WriteAsync(bytes, cancellationToken);
                at = end;
            }

            // A connection keeps hold of the buffer it sent last until it sends again: better its own than a large one of
            // ours, times all the connections that a burst left idle.
            if (_source.Length - at > LargeBytes)
            {
                await stream.WriteAsync(_source[at..^TailBytes], cancellationToken);
                at = _source.Length - TailBytes;
            }

            await stream.WriteAsync(_source[at..], cancellationToken);
        }
        finally
        {
            Interlocked.Exchange(ref _sending, Over);
            Volatile.Read(ref _sent)?.TrySetResult();
        }
    }

    /// <summary>Made only when somebody has to wait, which is seldom.</summary>
    private Task UntilSent()
    {
        var made = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var sent = Interlocked.CompareExchange(ref _sent, made, null) ?? made;
        if (Volatile.Read(ref _sending) == Over)
        {
            sent.TrySetResult();
        }

        return sent.Task;
    }

    protected override bool TryComputeLength(out long length)
    {
        length = _length;
        return true;
    }
}
