using System.Runtime.CompilerServices;
using Gateway.Http;

namespace Gateway.Upstream;

/// <summary>
/// The stream that answers a call, whoever sends it: when one attempt breaks, and the model is so configured, another carries
/// on where it stopped, and the reader sees one stream. It ends whole, or with the error that the caller is to be told. Not
/// for concurrent use.
/// </summary>
internal sealed class UpstreamStream(UpstreamCall call, AttemptStream first, Rescue rescue) : IAsyncDisposable
{
    private AttemptStream _current = first;
    private Continuation? _continuation;
    private byte[]? _id;
    private int _chunksBefore;

    /// <summary>The bytes that events stand in. Another object after each <see cref="ReadAsync"/>.</summary>
    public EventBuffer Buffer => _current.Buffer;

    /// <summary>The data of the event that was found.</summary>
    public ReadOnlySpan<byte> Data => _continuation is { } continued ? continued.Data : _current.Buffer.Data;

    /// <summary>
    /// The text of the event that was found, in which nothing is escaped, where the event is known to say nothing else. Empty:
    /// it has to be read.
    /// </summary>
    public ReadOnlySpan<byte> TextAlone =>
        _continuation is null && _current.Facts.IsTextAlone ? _current.Buffer.Data[_current.Facts.TextAt] : default;

    /// <summary>Whether the event that was found, of this kind, says nothing that anybody could show.</summary>
    public bool IsSilent(EventKind kind) =>
        kind == EventKind.Preamble ? _continuation is null && !_current.Facts.HasLogprobs : kind != EventKind.Content;

    /// <summary>Whether <see cref="Data"/> is not what stands in the buffer: another attempt's event, made to fit.</summary>
    public bool IsRewritten => _continuation is not null;

    /// <summary>As last reported by the attempt that is answering; null until then.</summary>
    public TokenUsage? Usage => _current.Facts.Usage;

    /// <summary>Why there is no whole answer; null while it goes on, or when it is whole.</summary>
    public ApiError? Error { get; private set; }

    private bool IsOver => Error is not null || _continuation is { HasDiverged: true };

    /// <summary>Whether <c>[DONE]</c> came.</summary>
    public bool IsDone => _current.IsDone;

    /// <summary>
    /// The next event that has arrived. False when more must be read first, or the stream is over. What it gives counts as
    /// sent: it must be, before more is read.
    /// </summary>
    public bool TryNext(out EventKind kind)
    {
        while (_current.TryNext(out kind))
        {
            if (_continuation is not { } continued || continued.Take(kind, _current.Buffer.Data))
            {
                return true;
            }

            _current.Buffer.Release(_current.Buffer.EventEnd);
            if (continued.HasDiverged)
            {
                _current.LeftAs = "diverged";
                rescue.Note(_current.LeftAs);
                kind = EventKind.NoData;
                return false;
            }
        }

        return false;
    }

    /// <summary>Waits for more bytes, of another attempt where need be. False when there will be none.</summary>
    /// <exception cref="OperationCanceledException">The caller left.</exception>
    // Pooled here and below it: otherwise every read that has to wait, which is every chunk, would allocate its state anew.
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<bool> ReadAsync() => (!IsOver && await _current.ReadAsync()) || await CarryOnAsync();

    /// <summary>
    /// The attempt that answers, whose next bytes are to be waited for (see <see cref="AttemptStream.BeginRead"/>); null: there
    /// are none, and <see cref="CarryOnAsync"/> says what then.
    /// </summary>
    public AttemptStream? BeginRead() => !IsOver && _current.BeginRead() ? _current : null;

    /// <summary>Behind the last byte: settles how the stream ended, and has another attempt carry on where it broke.</summary>
    /// <returns>Whether there is more; if not, <see cref="Error"/> says whether the answer is whole.</returns>
    /// <exception cref="OperationCanceledException">The caller left.</exception>
    public ValueTask<bool> CarryOnAsync()
    {
        if (IsOver)
        {
            Error ??= rescue.Cause;
            return new(false);
        }

        if (_current.End() is not { } failure)
        {
            return new(false);
        }

        // At once: whoever is told of it, and asks again, must find the circuit as it is now.
        _current.NoteFailure(failure);
        rescue.Note(failure.Outcome);
        Error = rescue.Cause ?? failure.Error;
        return rescue.Allows(call, failure, _current.Facts) ? new(RescueAsync(failure)) : new(false);
    }

    public ValueTask DisposeAsync() => _current.DisposeAsync();

    private async Task<bool> RescueAsync(AttemptFailure failure)
    {
        var sent = _continuation?.Sent ?? _current.Facts.Text?.Decode();
        if (string.IsNullOrEmpty(sent))
        {
            return false;
        }

        _id ??= _current.Facts.Id;
        // An answer that started over said all of it; one that carried on, only the rest.
        var chunks = _current.Facts.TextChunks + (_continuation is { IsReplay: false } ? _chunksBefore : 0);
        _chunksBefore = chunks;
        // Its place at the provider and its verdict are given back before anybody else is asked.
        await _current.DisposeAsync();
        var (stream, isReplay) = await rescue.RunAsync(call, _current.Deployment, sent, chunks, failure.Error);
        if (stream is null)
        {
            return false;
        }

        _current = stream;
        _continuation = new Continuation(_id, sent, isReplay);
        Error = null;
        return true;
    }
}
