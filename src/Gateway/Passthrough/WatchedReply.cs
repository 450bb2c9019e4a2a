using System.Buffers;
using Gateway.Upstream;
using Gateway.Usage;

namespace Gateway.Passthrough;

/// <summary>
/// An upstream's reply on its way to the caller: it limits each silence, notes how it broke in the moment when it does,
/// and looks into a copy of it for its usage.
/// </summary>
/// <param name="idle">Longest silence; null: only the total goes on running.</param>
/// <param name="isRead">Whether a copy is kept, up to <see cref="MaxReadBytes"/>.</param>
internal sealed class WatchedReply(Stream upstream, Attempt attempt, RequestUsage usage, TimeSpan? idle, bool isRead) : Stream
{
    /// <summary>Largest reply whose usage is read, in bytes.</summary>
    public const int MaxReadBytes = 1_048_576;

    private ArrayBufferWriter<byte>? _copy = isRead ? new ArrayBufferWriter<byte>(8 * 1024) : null;

    /// <summary>Why it broke; null while it goes on, ended whole, or the caller left.</summary>
    public AttemptFailure? Failure { get; private set; }

    /// <summary>Known once the reply was read to its end.</summary>
    public TokenUsage? Usage { get; private set; }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            if (idle is { } silence)
            {
                attempt.Clock.Limit("idle", silence);
            }

            var read = await upstream.ReadAsync(buffer, cancellationToken);
            // Off while writing: a caller who reads slowly must not make the upstream look stalled.
            attempt.Clock.Stop();
            if (!buffer.IsEmpty)
            {
                NoteContent(read);
                Look(buffer.Span[..read]);
            }

            return read;
        }
        catch (Exception broken) when (AttemptFailure.From(broken, attempt.Clock, attempt.Route, began: true) is { } failure)
        {
            Failure = failure;
            throw;
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    protected override void Dispose(bool disposing)
    {
        upstream.Dispose();
        base.Dispose(disposing);
    }

    private void NoteContent(int read)
    {
        if (read > 0)
        {
            usage.SawContent();
        }
    }

    private void Look(ReadOnlySpan<byte> bytes)
    {
        if (_copy is null)
        {
            return;
        }

        if (bytes.IsEmpty)
        {
            Usage = TokenUsage.Find(_copy.WrittenSpan);
            _copy = null;
        }
        else if (_copy.WrittenCount + bytes.Length > MaxReadBytes)
        {
            _copy = null;
        }
        else
        {
            _copy.Write(bytes);
        }
    }
}
