using System.Net;
using System.Net.Http.Headers;

namespace Gateway.Http;

/// <summary>
/// A request body as the caller sent it, but for a few stretches of bytes. Nothing is copied: the unchanged stretches go
/// out of the buffer that they came in.
/// </summary>
internal sealed class EditedBody : HttpContent
{
    private static readonly MediaTypeHeaderValue Json = new("application/json");

    private readonly ReadOnlyMemory<byte> _source;
    private readonly List<(int Start, int End, ReadOnlyMemory<byte> Bytes)> _edits = new(4);
    private readonly TaskCompletionSource _sent = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _length;
    private bool _isBeingSent;

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
    public Task Sent => Volatile.Read(ref _isBeingSent) ? _sent.Task : Task.CompletedTask;

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
        Volatile.Write(ref _isBeingSent, true);
        try
        {
            var at = 0;
            foreach (var (start, end, bytes) in _edits)
            {
                await stream.WriteAsync(_source[at..start], cancellationToken);
                await stream.WriteAsync(bytes, cancellationToken);
                at = end;
            }

            await stream.WriteAsync(_source[at..], cancellationToken);
        }
        finally
        {
            _sent.TrySetResult();
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = _length;
        return true;
    }
}
